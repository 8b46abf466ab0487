package ops

import "github.com/kansu-dev/kansu/spec"

// GroupNormGrad returns the gradients of GroupNorm with respect to x, scale and shift,
// for a gradient dy of its output:
//
//	dx = k * (g - mean(g) - xhat*mean(g*xhat)), k = 1/sqrt(variance + eps), g = dy*scale
//	dscale = sum of dy*xhat, dshift = sum of dy
//
// with the means over a group, and the sums over all of a channel. Otherwise as
// LayerNormGrad.
func GroupNormGrad(dy, x, scale *Tensor, p GroupNormParams) (dx, dscale, dshift *Tensor, err error) {
	return normGrad("GroupNormGrad", "groupnorm_grad", dy, x, scale, func(x, scale []int) (spec.Norm, error) {
		g, err := spec.NewGroupNorm(x, scale, nil, p)
		return g.Norm, err
	})
}
