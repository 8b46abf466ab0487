package shaders

import "github.com/kansu-dev/kansu/spec"

// PlanLayerNorm plans a layer normalization. Inputs: x, scale, shift (the last
// two may be absent); outputs: y and, where stats is set, the mean and the
// inverse standard deviation of each group. Variants: those of the
// normalizations, see norm.go.
func PlanLayerNorm(g spec.LayerNorm, stats bool, dev Device, force string) (Plan, error) {
	var pub *published
	if stats {
		pub = &published{n: 1, c: g.Groups, mean: Out(1), variance: Temp(2), invStd: Out(2), temps: []int{g.Groups}}
	}
	return planNorm("layernorm", &g.Norm, usualNorm, pub, dev, force)
}
