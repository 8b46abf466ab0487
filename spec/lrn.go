package spec

import "slices"

// LRNParams are the parameters of local response normalization.
type LRNParams struct {
	Size  int        // channels in the window, at least 1
	Alpha float32    // factor of the mean square; 0 means 1e-4, a negative value means none
	Beta  float32    // exponent; 0 means 0.75
	K     float32    // added to it; 0 means 1, a negative value means none
	Axis  int        // the channel axis; 0 means the second, negative counts from the end (-1: channels last)
	Act   Activation // applied to each output; default none
	// EvenBefore puts the odd channel of a window of even size before its centre,
	// as PyTorch does; ONNX and the default have it after.
	EvenBefore bool
}

// LRN is a resolved local response normalization across channels. Input and
// output are [N, C, spatial...]:
//
//	y[n,c,s] = act(x[n,c,s] / (k + alpha/size * sum of x[n,i,s]^2)^beta)
//
// with i from c-Before to c+After, those that exist (Krizhevsky, Sutskever and
// Hinton, 2012). The sum is divided by the whole size at the edges too.
type LRN struct {
	Along
	Size, Before, After int
	Alpha, Beta, K      float32
	Act                 Activation
}

// NewLRN checks and resolves a local response normalization of x.
func NewLRN(x []int, p LRNParams) (LRN, error) {
	g := LRN{Size: p.Size, Act: p.Act}
	err := checkShapes(x)
	if err != nil {
		return g, err
	}
	axis, err := channelAxis(x, p.Axis)
	if err != nil {
		return g, err
	}
	g.Along = Along{Shape: slices.Clone(x), Axis: axis, Outer: Count(x[:axis]), N: x[axis], Inner: Count(x[axis+1:])}
	if p.Size < 1 || p.Size > maxWindowParam {
		return g, paramErr("size is %d; it must be from 1 to %d", p.Size, maxWindowParam)
	}
	g.Before, g.After = (p.Size-1)/2, p.Size/2
	if p.EvenBefore {
		g.Before, g.After = g.After, g.Before
	}
	if g.Alpha, err = orDefault("alpha", p.Alpha, 1e-4); err != nil {
		return g, err
	}
	if g.K, err = orDefault("k", p.K, 1); err != nil {
		return g, err
	}
	g.Beta = p.Beta
	if g.Beta == 0 {
		g.Beta = 0.75
	}
	if isNaN(g.Beta) || isInf(g.Beta) {
		return g, paramErr("beta is %v; it must be finite", p.Beta)
	}
	return g, p.Act.Check()
}

// Budget returns the error that an implementation may have: the power is taken
// through a logarithm, and the error of the base is multiplied by beta. Where an
// activation follows, the magnitude is that of its argument.
func (g *LRN) Budget() Budget {
	b := max(g.Beta, -g.Beta)
	return relative(12+6*float64(b), g.Act)
}

// Flops returns the arithmetic of the definition, a power counted as one.
func (g *LRN) Flops() float64 { return float64(2*g.Size+4) * float64(Count(g.Shape)) }
