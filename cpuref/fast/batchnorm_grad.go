package fast

import (
	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/cpuref/internal/simd"
	"github.com/kansu-dev/kansu/spec"
)

// BatchNormTrainGrad computes the gradient of a batch normalization given the
// inverse deviations that it returned; see spec.NormGrad. Channels go to all
// cores. The sums are in float64, where sum(dy*(x-m)) = sum(dy*x) - m*sum(dy)
// keeps its digits for a mean of 10^4 deviations. ok is false where the planes of
// a channel are too short for this, or not together.
func BatchNormTrainGrad(d cpuref.NormGrads[float32], dy, x, scale, invStd []float32, g spec.NormGrad) (ok bool) {
	n, c, s, ok := g.Planes()
	if !ok || s < 16 {
		return false
	}
	count := float64(g.Count)
	Parallel(c, float64(len(x)), func(ch int) {
		var sum, sumX, product float64
		for i := range n {
			at := (i*c + ch) * s
			sum += simd.Sum(dy[at:][:s])
			sumX += simd.Sum(x[at:][:s])
			product += simd.Dot(dy[at:][:s], x[at:][:s])
		}
		mean, inv := sumX/count, float64(invStd[ch])
		moment := product - mean*sum
		k := inv
		if scale != nil {
			d.Scale[ch], d.Shift[ch] = float32(moment*inv), float32(sum)
			k *= float64(scale[ch])
		}
		// dx = k*dy + ((x - hi)*b + offset), the mean being hi and a rest.
		b := -k * inv * inv * moment / count
		hi := float32(mean)
		offset := -k*sum/count - (mean-float64(hi))*b
		for i := range n {
			at := (i*c + ch) * s
			dx := d.X[at:][:s]
			center(dx, x[at:][:s], hi, float32(b), float32(offset))
			simd.BinAxpy.Apply(dx, dy[at:][:s], dx, float32(k), 0, 0, false)
		}
	})
	return true
}
