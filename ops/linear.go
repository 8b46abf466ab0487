package ops

import "github.com/kansu-dev/kansu/spec"

// LinearParams are the parameters of Linear; see spec.LinearParams.
type LinearParams = spec.LinearParams

// Linear is a fully connected layer, act(x*w^T + b): x [..., in] and w [out, in]
// give [..., out]. The bias b [out] may be nil. Formula and shapes are those of
// PyTorch's Linear. Errors: ErrShape, ErrParam, ErrTooLarge, ErrReleased,
// ErrEngine, ErrOutOfMemory.
func Linear(x, w, b *Tensor, p LinearParams) (*Tensor, error) {
	return gemm("Linear", "linear", x, w, b, func() (spec.Gemm, error) {
		return spec.NewLinear(x.shape, w.shape, shapeOf(b), p)
	})
}
