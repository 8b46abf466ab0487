package fast

import (
	"math"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/cpuref/internal/simd"
	"github.com/kansu-dev/kansu/spec"
)

// LpNormalizeGrad computes the gradient of an Lp normalization; see
// spec.NewLpNormalizeGrad. With p = 2 it is vectorised, columns being made into
// rows and back; otherwise the plain loops run on all cores.
func LpNormalizeGrad(dx, dy, x []float32, g spec.LpNormalize) {
	if g.P != 2 {
		lpOuter(g, func(o, each int, one spec.LpNormalize) {
			cpuref.LpNormalizeGrad(dx[o*each:][:each], dy[o*each:][:each], x[o*each:][:each], one)
		})
		return
	}
	ns := 0.6 * float64(len(x))
	if simd.Active() == simd.Portable {
		ns *= 10
	}
	if g.Inner == 1 {
		ParallelRange(g.Outer, max(1, elementTask/g.N), ns, func(low, high int) {
			for o := low; o < high; o++ {
				at, end := o*g.N, (o+1)*g.N
				lpGradRow(dx[at:end], dy[at:end], x[at:end], &g)
			}
		})
		return
	}
	strips := (g.Inner + gradCols - 1) / gradCols
	ParallelRange(g.Outer*strips, max(1, elementTask/(g.N*gradCols)), 2*ns, func(low, high int) {
		t := getScratch(3 * gradCols * g.N)
		defer putScratch(t)
		tx, td, out := t[:gradCols*g.N], t[gradCols*g.N:][:gradCols*g.N], t[2*gradCols*g.N:]
		for i := low; i < high; i++ {
			c := i % strips * gradCols
			n := min(gradCols, g.Inner-c)
			base := i/strips*g.N*g.Inner + c
			transposeRows(tx, x[base:], g.N, g.Inner, n, g.N, g.N)
			transposeRows(td, dy[base:], g.N, g.Inner, n, g.N, g.N)
			for k := range n {
				at, end := k*g.N, (k+1)*g.N
				lpGradRow(out[at:end], td[at:end], tx[at:end], &g)
			}
			transposeRows(dx[base:], out, g.Inner, g.N, g.N, n, n)
		}
	})
}

// lpGradRow handles one slice with p = 2: dx = dy/n - x * (sum of dy*x)/n^3.
func lpGradRow(dx, dy, x []float32, g *spec.LpNormalize) {
	s := simd.SumGrads(dy, x, nil, 0)
	norm := math.Sqrt(s.Squares)
	inv, slope := 1/norm, -s.Product/(norm*s.Squares)
	if eps := float64(g.Eps); norm < eps {
		inv, slope = 1/eps, 0
	}
	// Beyond these a float32 would lose digits; NaN and a norm of 0 go there, too.
	a := math.Abs(slope)
	if !(inv > 0x1p-100 && inv < 0x1p100 && a < 0x1p100 && (a > 0x1p-100 || s.Product == 0 || slope == 0)) {
		one := *g
		one.Outer, one.Inner = 1, 1
		cpuref.LpNormalizeGrad(dx, dy, x, one)
		return
	}
	l := simd.NormLine{B: float32(slope), K: float32(inv)}
	l.Apply(dx, dy, x, false)
}
