package fast

import (
	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/spec"
)

// LayerNorm computes a layer normalization and, where they are not nil, the
// mean and the inverse standard deviation of each group; see spec.LayerNorm.
// scale and shift may be nil.
func LayerNorm(y, mean, invStd, x, scale, shift []float32, g spec.LayerNorm) {
	m, v := normalizeWhole(y, x, scale, shift, &g.Norm)
	narrow(mean, m)
	narrow(invStd, cpuref.InvStd(v, &g.Norm))
}

// GroupNorm computes a group normalization; see spec.GroupNorm. scale and shift
// may be nil.
func GroupNorm(y, x, scale, shift []float32, g spec.GroupNorm) {
	normalizeWhole(y, x, scale, shift, &g.Norm)
}

// RMSNorm computes a root-mean-square normalization; see spec.RMSNorm. scale
// and shift may be nil.
func RMSNorm(y, x, scale, shift []float32, g spec.RMSNorm) {
	normalizeWhole(y, x, scale, shift, &g.Norm)
}

// MeanVariance computes a mean-variance normalization; see spec.MeanVariance.
func MeanVariance(y, x []float32, g spec.MeanVariance) {
	normalizeWhole(y, x, nil, nil, &g.Norm)
}

// MeanVariances stores the moments of x; see spec.Moments.
func MeanVariances(mean, variance, x []float32, g spec.Moments) {
	m, v := Moments(x, &g.Norm)
	narrow(mean, m)
	narrow(variance, v)
}

// InstanceNorm computes an instance normalization; see spec.InstanceNorm. scale
// and shift may be nil.
func InstanceNorm(y, x, scale, shift []float32, g spec.InstanceNorm) {
	normalizeWhole(y, x, scale, shift, &g.Norm)
}

// InstanceNormTrain is InstanceNorm that also puts the statistics into st: Mean,
// Var and InvStd are [N, C], the running ones [C].
func InstanceNormTrain(y []float32, st cpuref.BatchStats[float32], x, scale, shift, runningMean, runningVar []float32, g spec.InstanceNorm) {
	mean, variance := normalizeWhole(y, x, scale, shift, &g.Norm)
	m, v := make([]float64, g.C), make([]float64, g.C)
	for i := range mean {
		m[i%g.C] += mean[i] / float64(g.N)
		v[i%g.C] += variance[i] / float64(g.N)
	}
	storeStats(st, mean, variance, &g.Norm)
	if g.Running {
		updateRunning(st, runningMean, runningVar, m, v, g.Momentum, g.Biased, &g.Norm)
	}
}

// BatchNorm computes a batch normalization with given statistics; see
// spec.BatchNorm. scale and shift may be nil.
func BatchNorm(y, x, mean, variance, scale, shift []float32, g spec.BatchNorm) {
	m, v := make([]float64, len(mean)), make([]float64, len(variance))
	for i := range m {
		m[i], v[i] = float64(mean[i]), float64(variance[i])
	}
	Normalize(y, x, scale, shift, m, v, &g.Norm)
}

// BatchNormTrain computes a batch normalization with the statistics of x, which
// it puts into st with the updated running ones; see spec.BatchNorm.
func BatchNormTrain(y []float32, st cpuref.BatchStats[float32], x, scale, shift, runningMean, runningVar []float32, g spec.BatchNorm) {
	mean, variance := normalizeWhole(y, x, scale, shift, &g.Norm)
	storeStats(st, mean, variance, &g.Norm)
	if g.Running {
		updateRunning(st, runningMean, runningVar, mean, variance, g.Momentum, g.Biased, &g.Norm)
	}
}

// storeStats puts the statistics of the groups into st.
func storeStats(st cpuref.BatchStats[float32], mean, variance []float64, g *spec.Norm) {
	narrow(st.Mean, mean)
	narrow(st.Var, variance)
	narrow(st.InvStd, cpuref.InvStd(variance, g))
}

// updateRunning puts the running statistics that follow into st.
func updateRunning(st cpuref.BatchStats[float32], runningMean, runningVar []float32, mean, variance []float64, momentum float32, biased bool, g *spec.Norm) {
	unbias := 1.0
	if !biased {
		unbias = g.Unbiased()
	}
	for c := range runningMean {
		st.RunningMean[c] = float32(cpuref.Running(float64(runningMean[c]), mean[c], momentum))
		st.RunningVar[c] = float32(cpuref.Running(float64(runningVar[c]), variance[c]*unbias, momentum))
	}
}

// narrow rounds statistics into an output, which may be absent.
func narrow(to []float32, from []float64) {
	for i := range to {
		to[i] = float32(from[i])
	}
}
