package ops

import "github.com/kansu-dev/kansu/spec"

// InstanceNormGrad returns the gradients of InstanceNorm with respect to x, scale and shift,
// for a gradient dy of its output:
//
//	dx = k * (g - mean(g) - xhat*mean(g*xhat)), k = 1/sqrt(variance + eps), g = dy*scale
//	dscale = sum of dy*xhat, dshift = sum of dy
//
// with the means over the plane of one image and channel, and the sums over all
// of a channel. It also serves InstanceNormTrain; the gradient of instance
// normalization with running statistics is BatchNormGrad. Otherwise as
// LayerNormGrad.
func InstanceNormGrad(dy, x, scale *Tensor, p InstanceNormParams) (dx, dscale, dshift *Tensor, err error) {
	return normGrad("InstanceNormGrad", "instancenorm_grad", dy, x, scale, func(x, scale []int) (spec.Norm, error) {
		g, err := spec.NewInstanceNorm(x, scale, nil, p)
		return g.Norm, err
	})
}
