package ops

import "github.com/kansu-dev/kansu/spec"

// LayerNormGrad returns the gradients of LayerNorm with respect to x, scale and shift,
// for a gradient dy of its output:
//
//	dx = k * (g - mean(g) - xhat*mean(g*xhat)), k = 1/sqrt(variance + eps), g = dy*scale
//	dscale = sum of dy*xhat, dshift = sum of dy
//
// with the statistics of x, which are computed anew. The means are over a group,
// the sums over all groups. Without a scale dscale and dshift are nil; a shift
// without a scale has the sum of dy over the other axes. p is that of the forward
// call, without an activation: its gradient comes first. Errors: ErrShape,
// ErrParam, ErrNil, ErrReleased, ErrEngine, ErrOutOfMemory.
func LayerNormGrad(dy, x, scale *Tensor, p LayerNormParams) (dx, dscale, dshift *Tensor, err error) {
	return normGrad("LayerNormGrad", "layernorm_grad", dy, x, scale, func(x, scale []int) (spec.Norm, error) {
		g, err := spec.NewLayerNorm(x, scale, nil, p)
		return g.Norm, err
	})
}
