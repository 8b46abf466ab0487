package cpuref

import "github.com/kansu-dev/kansu/spec"

// BatchNorm computes a batch normalization with given statistics; see
// spec.BatchNorm. scale and shift may be nil.
func BatchNorm[T Float](y, x, mean, variance, scale, shift []T, g spec.BatchNorm) {
	Normalize(y, x, scale, shift, widen(mean), widen(variance), &g.Norm)
}

// BatchStats are the outputs of a batch normalization with the statistics of
// the batch, each [C]. The running ones are nil where there are none.
type BatchStats[T Float] struct {
	Mean, Var, InvStd       []T
	RunningMean, RunningVar []T
}

// BatchNormTrain computes a batch normalization with the statistics of x, which
// it puts into st with the updated running ones; see spec.BatchNorm.
func BatchNormTrain[T Float](y []T, st BatchStats[T], x, scale, shift, runningMean, runningVar []T, g spec.BatchNorm) {
	mean, variance := Moments(x, &g.Norm)
	Normalize(y, x, scale, shift, mean, variance, &g.Norm)
	store(st.Mean, mean)
	store(st.Var, variance)
	store(st.InvStd, InvStd(variance, &g.Norm))
	if !g.Running {
		return
	}
	unbias := 1.0
	if !g.Biased {
		unbias = g.Unbiased()
	}
	for c := range runningMean {
		st.RunningMean[c] = T(Running(float64(runningMean[c]), mean[c], g.Momentum))
		st.RunningVar[c] = T(Running(float64(runningVar[c]), variance[c]*unbias, g.Momentum))
	}
}
