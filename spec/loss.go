package spec

import "fmt"

// Loss names a loss that compares two tensors element by element.
type Loss uint8

const (
	// MSE is (x-t)^2.
	MSE Loss = iota
	// L1 is |x-t|.
	L1
	// SmoothL1 is (x-t)^2/(2*beta) where |x-t| < beta, and |x-t| - beta/2 elsewhere.
	SmoothL1
	// BCEWithLogits is the binary cross-entropy of sigmoid(x):
	// max(x,0) - x*t + log(1 + exp(-|x|)).
	BCEWithLogits

	lossCount
)

// String returns the loss's name in snake case.
func (l Loss) String() string {
	switch l {
	case MSE:
		return "mse"
	case L1:
		return "l1"
	case SmoothL1:
		return "smooth_l1"
	case BCEWithLogits:
		return "bce_with_logits"
	}
	return fmt.Sprintf("Loss(%d)", l)
}

// Losses returns every loss.
func Losses() []Loss { return []Loss{MSE, L1, SmoothL1, BCEWithLogits} }

// Reduction says what becomes of the losses of the elements.
type Reduction uint8

const (
	// ReduceToMean averages them. It is the default.
	ReduceToMean Reduction = iota
	// ReduceToSum adds them.
	ReduceToSum
	// NoReduction keeps each.
	NoReduction
)

// String returns PyTorch's name.
func (r Reduction) String() string {
	switch r {
	case ReduceToMean:
		return "mean"
	case ReduceToSum:
		return "sum"
	case NoReduction:
		return "none"
	}
	return fmt.Sprintf("Reduction(%d)", r)
}

// LossParams are the parameters of a loss. The zero value is the mean.
type LossParams struct {
	Reduction Reduction
	Beta      float32 // SmoothL1: where the parabola ends; 0 means 1
}

// Elementwise is a resolved loss of n elements.
type Elementwise struct {
	Loss      Loss
	N         int
	Beta      float32
	Reduction Reduction
}

// NewLoss checks a loss between x and target, which must have one shape.
func NewLoss(l Loss, x, target []int, p LossParams) (Elementwise, error) {
	g := Elementwise{Loss: l, Beta: p.Beta, Reduction: p.Reduction}
	if l >= lossCount {
		return g, paramErr("loss %v is unknown", l)
	}
	if !EqualShapes(x, target) {
		return g, shapeErr("input is %v and target is %v; they must have one shape", x, target)
	}
	if p.Reduction > NoReduction {
		return g, paramErr("reduction %v is unknown", p.Reduction)
	}
	if g.Beta == 0 {
		g.Beta = 1
	}
	if !finite(g.Beta) || g.Beta < 0 {
		return g, paramErr("beta is %v; it must be finite and positive", p.Beta)
	}
	var err error
	g.N, err = Elements(x)
	return g, err
}

// Scale is the factor that the reduction puts before each element's gradient.
func (g *Elementwise) Scale() float32 {
	if g.Reduction == ReduceToMean {
		return 1 / float32(g.N)
	}
	return 1
}

// Budget returns the error of one element's loss. The magnitude is
// |x| + |t| squared for MSE, |x| + |t| for L1 and SmoothL1, and
// |x| + |x*t| + 1 for BCEWithLogits: differences cancel.
func (g *Elementwise) Budget() Budget { return Budget{ULP: 4, Scaled: 8} }

// CrossEntropyParams are the parameters of the cross-entropy with class labels.
type CrossEntropyParams struct {
	Reduction      Reduction
	LabelSmoothing float32 // in [0, 1]: this part of the target is spread evenly over the classes
	IgnoreIndex    *int32  // a label whose samples do not count; nil means -100, as in PyTorch
}

// CrossEntropy is a resolved cross-entropy. Logits are [N, C, rest...], labels
// [N, rest...]. With p = softmax over C and e the smoothing, a sample's loss is
//
//	(1-e) * w[y] * -log p[y] + e/C * sum over c of w[c] * -log p[c]
//
// where w are the class weights, 1 without. The mean divides by the sum of w[y].
// A label outside of [0, C) that is not IgnoreIndex gives NaN. The formula is
// that of PyTorch's CrossEntropyLoss.
type CrossEntropy struct {
	N, C, Inner int // batch, classes, product of rest
	Smoothing   float32
	Ignore      int32
	Weighted    bool
	Reduction   Reduction
	labels      []int
}

// NewCrossEntropy checks and resolves a cross-entropy.
func NewCrossEntropy(logits, labels, weight []int, p CrossEntropyParams) (CrossEntropy, error) {
	g := CrossEntropy{Smoothing: p.LabelSmoothing, Ignore: -100, Reduction: p.Reduction, Weighted: weight != nil}
	if err := checkShapes(logits, labels, weight); err != nil {
		return g, err
	}
	if len(logits) < 2 {
		return g, shapeErr("logits are %v: cross-entropy takes [N C ...]", logits)
	}
	want := append([]int{logits[0]}, logits[2:]...)
	if !EqualShapes(labels, want) {
		return g, shapeErr("labels are %v: logits %v take %v", labels, logits, want)
	}
	if weight != nil && (len(weight) != 1 || weight[0] != logits[1]) {
		return g, shapeErr("class weights are %v: %d classes take [%d]", weight, logits[1], logits[1])
	}
	if p.Reduction > NoReduction {
		return g, paramErr("reduction %v is unknown", p.Reduction)
	}
	if !(p.LabelSmoothing >= 0 && p.LabelSmoothing <= 1) {
		return g, paramErr("label smoothing is %v; it must be from 0 to 1", p.LabelSmoothing)
	}
	if p.IgnoreIndex != nil {
		g.Ignore = *p.IgnoreIndex
	}
	g.N, g.C, g.Inner, g.labels = logits[0], logits[1], Count(logits[2:]), labels
	return g, nil
}

// Samples returns the number of labels.
func (g *CrossEntropy) Samples() int { return g.N * g.Inner }

// OutShape returns the shape of the unreduced loss, which is that of the labels.
func (g *CrossEntropy) OutShape() []int { return g.labels }

// Budget returns the error of one sample's loss. The magnitude is
// log(C) + the largest |logit - max|, what the exponentials and their sum add up.
func (g *CrossEntropy) Budget() Budget { return Budget{ULP: 4, Scaled: 8} }

// LossGradEach checks the gradient dy of a loss of elements of shape x and
// reports whether it has one number for each of them rather than one in all.
func LossGradEach(dy, x []int, r Reduction) (each bool, err error) {
	if r == NoReduction {
		if !EqualShapes(dy, x) {
			return false, shapeErr("the gradient is %v; without reduction the loss is %v", dy, x)
		}
		return Count(x) > 1, nil
	}
	if Count(dy) != 1 {
		return false, shapeErr("the gradient is %v; the loss is a single number", dy)
	}
	return false, nil
}
