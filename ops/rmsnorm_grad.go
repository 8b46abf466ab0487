package ops

import "github.com/kansu-dev/kansu/spec"

// RMSNormGrad returns the gradients of RMSNorm with respect to x, scale and shift,
// for a gradient dy of its output:
//
//	dx = k * (g - xhat*mean(g*xhat)), k = 1/sqrt(mean(x^2) + eps), g = dy*scale
//	dscale = sum of dy*xhat, dshift = sum of dy
//
// Otherwise as LayerNormGrad.
func RMSNormGrad(dy, x, scale *Tensor, p LayerNormParams) (dx, dscale, dshift *Tensor, err error) {
	return normGrad("RMSNormGrad", "rmsnorm_grad", dy, x, scale, func(x, scale []int) (spec.Norm, error) {
		g, err := spec.NewRMSNorm(x, scale, nil, p)
		return g.Norm, err
	})
}
