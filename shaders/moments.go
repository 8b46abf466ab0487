package shaders

import "github.com/kansu-dev/kansu/spec"

// PlanMoments plans the mean and the variance of x along some axes. Input: x;
// outputs: mean, variance. Variants: those of the normalizations that are not
// one dispatch, see norm.go.
func PlanMoments(g spec.Moments, dev Device, force string) (Plan, error) {
	pub := &published{n: 1, c: g.Groups, mean: Out(0), variance: Out(1), invStd: Temp(2), temps: []int{g.Groups}}
	return planNorm("moments", &g.Norm, normOperands{x: In(0), statOnly: true}, pub, dev, force)
}
