package spec

import "fmt"

// Fused is a chain of functions of one and of two numbers, element by element,
// in one pass over n elements: what consecutive calls compute whose results
// nothing else reads. It has the bits that the calls have one by one.
type Fused struct {
	N      int
	Inputs []FusedInput // the chain begins with the first, which has all n elements
	Steps  []FusedStep
}

// FusedInput says how an input repeats: element i of the result takes element
// (i/Inner)%Size. All elements in order are {1, n}, a single one is {n, 1}, one
// for each channel is {elements of a channel, channels}.
type FusedInput struct{ Inner, Size int }

// FusedStep is one function of a chain.
type FusedStep struct {
	Norm   *FusedNorm // a normalization; nil for the others
	Act    Activation // a function of one number, where Other is below 0
	Func   BinaryFunc // else a function of the chain's value and an input
	Other  int        // which input
	Second bool       // the chain's value is the second operand
}

// FusedNorm is a batch normalization with given statistics as a step of a chain:
// element i is of channel (i/Inner)%Size, and Inner is above 1.
type FusedNorm struct {
	FusedInput
	Eps                          float32
	Mean, Variance, Scale, Shift int // which inputs; below 0 where there is none
}

// FusedNorm returns the inference form as a step of a chain, without inputs, and
// whether it can be one: the elements of a channel must follow one another.
func (g *BatchNorm) FusedNorm() (FusedNorm, bool) {
	_, c, s, ok := g.Planes()
	ok = ok && s > 1 && !g.Train && !g.EpsOnStd && g.Act.Func == Identity
	return FusedNorm{FusedInput: FusedInput{s, c}, Eps: g.Eps, Mean: -1, Variance: -1, Scale: -1, Shift: -1}, ok
}

// Most of a chain: so that a device with eight storage buffers can bind it, and
// its parameters fit in the smallest uniform buffer.
const (
	MaxFusedInputs = 7
	MaxFusedSteps  = 8
)

// String writes the chain as a formula: "relu(add(x0, x1))".
func (f *Fused) String() string {
	s := "x0"
	for _, step := range f.Steps {
		switch {
		case step.Norm != nil:
			s = fmt.Sprintf("batchnorm(%s)", s)
		case step.Other < 0:
			s = fmt.Sprintf("%v(%s)", step.Act.Func, s)
		case step.Second:
			s = fmt.Sprintf("%v(x%d, %s)", step.Func, step.Other, s)
		default:
			s = fmt.Sprintf("%v(%s, x%d)", step.Func, s, step.Other)
		}
	}
	return s
}

// FusedOperands returns how the operands of a function of two tensors repeat,
// and whether they do so in the way of FusedInput.
func (g *Binary) FusedOperands() (a, b FusedInput, okA, okB bool) {
	a, okA = g.fusedOperand(func(p PairAxis) int { return p.A })
	b, okB = g.fusedOperand(func(p PairAxis) int { return p.B })
	return a, b, okA, okB
}

func (g *Binary) fusedOperand(step func(PairAxis) int) (FusedInput, bool) {
	in := FusedInput{1, 1}
	i := 0
	for ; i < g.Axes && step(g.Axis[i]) == 0; i++ {
		in.Inner *= g.Axis[i].Size
	}
	for ; i < g.Axes && step(g.Axis[i]) == in.Size; i++ {
		in.Size *= g.Axis[i].Size
	}
	for ; i < g.Axes; i++ {
		if step(g.Axis[i]) != 0 {
			return in, false
		}
	}
	return in, true
}
