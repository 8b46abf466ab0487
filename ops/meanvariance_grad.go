package ops

import "github.com/kansu-dev/kansu/spec"

// MeanVarianceNormGrad returns the gradient of MeanVarianceNorm with respect to
// x, for a gradient dy of its output. With s the standard deviation and
// k = 1/(s + eps),
//
//	dx = k * (dy - mean(dy) - (x - mean)*mean(dy*(x - mean)) * k/s)
//
// where the last term is 0 if s is. p is that of the forward call, without an
// activation: its gradient comes first. Errors: ErrShape, ErrParam, ErrNil,
// ErrReleased, ErrEngine, ErrOutOfMemory.
func MeanVarianceNormGrad(dy, x *Tensor, p MeanVarianceParams) (*Tensor, error) {
	dx, _, _, err := normGrad("MeanVarianceNormGrad", "meanvariance_grad", dy, x, nil, func(x, _ []int) (spec.Norm, error) {
		g, err := spec.NewMeanVariance(x, p)
		return g.Norm, err
	})
	return dx, err
}
