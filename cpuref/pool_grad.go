package cpuref

import (
	"math"

	"github.com/kansu-dev/kansu/spec"
)

// PoolGrad computes the gradient of a pooling with respect to its input; see
// spec.PoolGrad. Max poolings take the indices idx, Lp poolings input x and
// output y; what a kind does not use is nil.
func PoolGrad[T Float](dx, dy []T, idx []int32, x, y []T, g spec.PoolGrad) {
	inSize, outSize := g.InSize(), g.OutSize()
	sum := make([]float64, inSize)
	for plane := range g.Planes() {
		clear(sum)
		for o := range outSize {
			at := plane*outSize + o
			d := float64(dy[at])
			w := windowAt(&g.Pool, o)
			switch g.Kind {
			case spec.PoolMax:
				if i := int(idx[at]); i >= 0 && i < inSize {
					sum[i] += d
				}
			case spec.PoolAvg:
				count := float64(w.padded)
				switch {
				case g.Divisor != 0:
					count = float64(g.Divisor)
				case g.ExcludePad:
					count = float64(w.elements())
				}
				w.each(func(i int) { sum[i] += d / count })
			case spec.PoolLp:
				scale := 1.0
				if !g.PlainNorm {
					scale = float64(g.Taps()) / float64(w.padded)
				}
				w.each(func(i int) {
					sum[i] += d * scale * normSlope(float64(x[plane*inSize+i]), float64(y[at]), float64(g.Norm), g.PlainNorm)
				})
			}
		}
		for i, v := range sum {
			dx[plane*inSize+i] = T(v)
		}
	}
}

// normSlope is (x/y)^(p-1), the slope of y = (sum x^p)^(1/p): 0 where y is. The
// plain norm takes |x|, and the sign of x.
func normSlope(x, y, p float64, plain bool) float64 {
	if y == 0 {
		return 0
	}
	if plain {
		return math.Copysign(math.Pow(math.Abs(x)/y, p-1), x) * math.Abs(sign(x))
	}
	return math.Pow(x/y, p-1)
}
