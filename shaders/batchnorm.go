package shaders

import "github.com/kansu-dev/kansu/spec"

// PlanBatchNorm plans a batch normalization with given statistics. Inputs: x,
// mean, variance, scale, shift (the last two may be absent); output: y.
// Variants: stream.
func PlanBatchNorm(g spec.BatchNorm, dev Device, force string) (Plan, error) {
	io := normOperands{x: In(0), scale: In(3), shift: In(4), y: Out(0)}
	return choose("batchnorm", force, []candidate{
		{name: "stream", why: "one pass", plan: func() (Plan, error) {
			return Plan{Steps: []Step{normalize(&g.Norm, io, In(1), In(2), true, dev)}}, nil
		}},
	})
}

// PlanBatchNormTrain plans a batch normalization with the statistics of x.
// Inputs: x, scale, shift, running mean, running variance (all but x may be
// absent); outputs: y, mean, variance, inverse standard deviation and, where
// g.Running is set, the new running mean and variance. Variants: those of the
// normalizations, see norm.go.
func PlanBatchNormTrain(g spec.BatchNorm, dev Device, force string) (Plan, error) {
	return planNorm("batchnorm_train", &g.Norm, usualNorm, publishRunning(1, g.Groups, g.Running, g.Momentum, unbias(&g.Norm, g.Biased)), dev, force)
}

// unbias is the factor of a variance on its way into the running one.
func unbias(g *spec.Norm, biased bool) float64 {
	if biased {
		return 1
	}
	return g.Unbiased()
}

// publishRunning are the statistics of [n, c] groups as outputs 1 to 3, with
// running ones from inputs 3 and 4 to outputs 4 and 5.
func publishRunning(n, c int, running bool, momentum float32, unbias float64) *published {
	return &published{
		n: n, c: c, mean: Out(1), variance: Out(2), invStd: Out(3),
		running: running, momentum: momentum, unbias: unbias,
		oldMean: In(3), oldVar: In(4), newMean: Out(4), newVar: Out(5),
	}
}
