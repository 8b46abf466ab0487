package fast

import (
	"math"

	"github.com/kansu-dev/kansu/cpuref/internal/simd"
	"github.com/kansu-dev/kansu/spec"
)

// Softmax computes softmax, log softmax or hardmax along an axis; see
// spec.SoftmaxOf. y may be x.
func Softmax(y, x []float32, g spec.SoftmaxOf) {
	ns := 0.5 * float64(len(x))
	if simd.Active() == simd.Portable {
		ns *= 30
	}
	if g.Inner == 1 {
		rows := max(1, 8192/g.N)
		ParallelRange(g.Outer, rows, ns, func(low, high int) {
			for o := low; o < high; o++ {
				softmaxRow(y[o*g.N:][:g.N], x[o*g.N:][:g.N], g.Kind)
			}
		})
		return
	}
	if g.Inner >= wideColumns && g.Kind != spec.Hardmax {
		softmaxColumns(y, x, &g)
		return
	}
	// Few columns are made into rows, and back.
	const cols = 16
	strips := (g.Inner + cols - 1) / cols
	Parallel(g.Outer*strips, 2*ns, func(i int) {
		o, c := i/strips, i%strips*cols
		nc := min(cols, g.Inner-c)
		base := o*g.N*g.Inner + c
		t := getScratch(nc * g.N)
		transposeRows(t, x[base:], g.N, g.Inner, nc, g.N, g.N)
		for j := range nc {
			softmaxRow(t[j*g.N:][:g.N], t[j*g.N:][:g.N], g.Kind)
		}
		transposeRows(y[base:], t, g.Inner, g.N, g.N, nc, nc)
		putScratch(t)
	})
}

// softmaxRow handles one slice along the axis; y may be x. A NaN or an infinite
// maximum makes everything NaN by itself: the differences are.
func softmaxRow(y, x []float32, kind spec.SoftmaxKind) {
	most := simd.Max(x)
	switch kind {
	case spec.Softmax:
		sum := simd.ExpSum(y, x, most)
		scale(y, y, float32(1/sum))
	case spec.LogSoftmax:
		rest := simd.SumExp(x, most) - 1 // the largest term is exactly 1
		if rest < 0x1p-10 {
			rest = restOf(x, most)
		}
		center(y, x, most, 1, float32(-math.Log1p(rest)))
	case spec.Hardmax:
		top := 0
		for i, v := range x {
			if v == most || v != v {
				top = i
				break
			}
		}
		clear(y)
		y[top] = 1
	}
}

// restOf returns the sum of e^(x-most) without the largest term, for rows in
// which that term leaves the others few digits in the whole sum.
func restOf(x []float32, most float32) float64 {
	for i, v := range x {
		if v == most {
			return simd.SumExp(x[:i], most) + simd.SumExp(x[i+1:], most)
		}
	}
	return math.NaN()
}

// scale sets dst = x*a, and center dst = (x-a)*b + c, on the calling goroutine;
// dst may be x.
func scale(dst, x []float32, a float32) {
	if !simd.Affine.Apply(dst, x, a, 0, 0, false) {
		for i, v := range x {
			dst[i] = v * a
		}
	}
}

func center(dst, x []float32, a, b, c float32) { centerStream(dst, x, a, b, c, false) }

func centerStream(dst, x []float32, a, b, c float32, stream bool) {
	if !simd.Center.Apply(dst, x, a, b, c, stream) {
		for i, v := range x {
			dst[i] = (v-a)*b + c
		}
	}
}
