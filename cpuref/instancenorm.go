package cpuref

import "github.com/kansu-dev/kansu/spec"

// InstanceNorm computes an instance normalization; see spec.InstanceNorm. scale
// and shift may be nil.
func InstanceNorm[T Float](y, x, scale, shift []T, g spec.InstanceNorm) {
	m, v := Moments(x, &g.Norm)
	Normalize(y, x, scale, shift, m, v, &g.Norm)
}

// InstanceNormTrain is InstanceNorm that also puts the statistics into st: Mean,
// Var and InvStd are [N, C], the running ones [C].
func InstanceNormTrain[T Float](y []T, st BatchStats[T], x, scale, shift, runningMean, runningVar []T, g spec.InstanceNorm) {
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
		m, v := 0.0, 0.0
		for n := range g.N {
			m += mean[n*g.C+c]
			v += variance[n*g.C+c]
		}
		st.RunningMean[c] = T(Running(float64(runningMean[c]), m/float64(g.N), g.Momentum))
		st.RunningVar[c] = T(Running(float64(runningVar[c]), v/float64(g.N)*unbias, g.Momentum))
	}
}
