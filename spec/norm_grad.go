package spec

// NormGrad is a resolved gradient of a normalization. With xhat the normalized
// input, k = 1/sqrt(variance + eps) and g = dy * scale,
//
//	dx = k * (g - mean(g) - xhat*mean(g*xhat))
//	dscale[a] = sum of dy*xhat, dshift[a] = sum of dy, over the elements of a
//
// where the means are over the element's group (Ioffe and Szegedy, 2015, section
// 3). RMS leaves mean(g) out. Under EpsOnStd, with s the deviation and
// k = 1/(s+eps), the last term is (x-m)*mean(g*(x-m)) * k/s, or 0 where s is 0.
// Under Fixed the statistics are constants, and dx = k*g.
type NormGrad struct {
	Norm
	Given bool // the mean and the inverse standard deviation of x are inputs
	Fixed bool // the statistics are constants, not those of x
}

// NewNormGrad checks the gradient dy of the output of a normalization. A fused
// activation is refused: its gradient comes first. dscale and dshift are
// computed where the normalization has a scale.
func NewNormGrad(g Norm, dy []int) (NormGrad, error) {
	if err := checkGrad(dy, g.Shape, g.Act); err != nil {
		return NormGrad{}, err
	}
	return NormGrad{Norm: g}, nil
}

// checkGrad checks the gradient of an output of a function that has a fused
// activation among its parameters.
func checkGrad(dy, y []int, act Activation) error {
	if act.Func != Identity {
		return paramErr("the activation %v is fused; its gradient comes before this one", act)
	}
	if !EqualShapes(dy, y) {
		return shapeErr("the gradient is %v, but the output is %v", dy, y)
	}
	return nil
}

// NewBatchNormGrad checks the gradient of the inference form, whose statistics
// are constants. scale may be nil.
func NewBatchNormGrad(dy, x, mean, variance, scale []int, p BatchNormParams) (NormGrad, error) {
	g, err := NewBatchNorm(x, mean, variance, scale, nil, p)
	if err != nil {
		return NormGrad{}, err
	}
	n, err := NewNormGrad(g.Norm, dy)
	n.Fixed = true
	return n, err
}

// NewBatchNormTrainGrad checks the gradient of the training form, given the
// statistics that it returned. scale may be nil.
func NewBatchNormTrainGrad(dy, x, scale, mean, invStd []int, p BatchNormTrainParams) (NormGrad, error) {
	g, err := NewBatchNormTrain(x, scale, nil, nil, nil, p)
	if err != nil {
		return NormGrad{}, err
	}
	for _, s := range []struct {
		name  string
		shape []int
	}{{"mean", mean}, {"inverse standard deviation", invStd}} {
		if len(s.shape) != 1 || s.shape[0] != g.Groups {
			return NormGrad{}, shapeErr("%s is %v: %d channels take [%d]", s.name, s.shape, g.Groups, g.Groups)
		}
	}
	n, err := NewNormGrad(g.Norm, dy)
	n.Given = true
	return n, err
}

// Cells returns how many parts scale and shift cut the groups into, and the
// elements of each part: the elements of one part have group and affine element
// in common.
func (g *NormGrad) Cells() (cells, size int) {
	cells, size = 1, 1
	for _, d := range g.Dims {
		if d.Group != 0 || d.Affine != 0 {
			cells *= d.Size
		} else {
			size *= d.Size
		}
	}
	return cells, size
}

// Flops returns the arithmetic of the definition: the moments where they are
// not given, two multiply-adds for the sums, three for dx.
func (g *NormGrad) Flops() float64 {
	n := float64(Count(g.Shape))
	switch {
	case g.Fixed && g.Scale:
		return 6 * n
	case g.Fixed:
		return n
	case g.Given:
		return 10 * n
	}
	return 14 * n
}

// Budget returns the error that an implementation may have in dx. The magnitude
// is what its terms sum up to, with X = max(|xhat|, 1):
//
//	k * (|g| + mean(|g|) + X*mean(|g|*X))
//
// and k*|g| under Fixed. Like that of the forward it holds for groups of any
// size and for means of 10^4 deviations.
func (g *NormGrad) Budget() Budget { return Budget{ULP: 14, Scaled: 28} }

// SumBudget returns the error that an implementation may have in dscale and
// dshift; their magnitudes are the sums of |dy|*X and of |dy|.
func (g *NormGrad) SumBudget() Budget { return Budget{ULP: 14, Scaled: 28} }
