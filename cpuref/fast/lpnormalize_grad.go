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
	if g.Inner >= wideColumns && simd.Active() != simd.Portable {
		lpGradColumns(dx, dy, x, &g)
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
	s := simd.SumGradsNear(dy, x, nil, 0, 0)
	if !exactProduct(&s, len(x)) || !exactSquares(&s, len(x), true) {
		s = simd.SumGrads(dy, x, nil, 0)
	}
	inv, slope, ok := lpGradFactors(s.Squares, s.Product, float64(g.Eps))
	if !ok {
		one := *g
		one.Outer, one.Inner = 1, 1
		cpuref.LpNormalizeGrad(dx, dy, x, one)
		return
	}
	l := simd.NormLine{B: slope, K: inv}
	l.Apply(dx, dy, x, false)
}

// lpGradFactors returns what dy and x are multiplied by, given the sums of x^2 and
// dy*x. Where ok is false a float32 would lose digits, or something is no number.
func lpGradFactors(squares, product, eps float64) (inv, slope float32, ok bool) {
	norm := math.Sqrt(squares)
	k, b := 1/norm, -product/(norm*squares)
	if norm < eps {
		k, b = 1/eps, 0
	}
	a := math.Abs(b)
	ok = k > 0x1p-100 && k < 0x1p100 && a < 0x1p100 && (a > 0x1p-100 || product == 0 || b == 0)
	return float32(k), float32(b), ok
}

// lpGradColumns handles slices that lie side by side, with p = 2.
func lpGradColumns(dx, dy, x []float32, g *spec.LpNormalize) {
	one := *g
	one.Outer, one.Inner = 1, 1
	columns(&g.Along, 0.8, func(s columnStrip, _, _ int, t [2][]float32, acc []float64) {
		inv, slope := t[0], t[1]
		clear(acc)
		tmp := getScratch(s.w)
		defer putScratch(tmp)
		products := getDoubles(s.w)
		defer putDoubles(products)
		for j := range s.n {
			from := s.row(x, j)
			simd.BinMul.Apply(tmp, from, from, 0, 0, 0, false)
			simd.WidenAdd(acc, tmp)
			simd.BinMul.Apply(tmp, from, s.row(dy, j), 0, 0, 0, false)
			simd.WidenAdd(products, tmp)
		}
		var plain []int
		for i, v := range acc {
			var ok bool
			inv[i], slope[i], ok = lpGradFactors(v, products[i], float64(g.Eps))
			// Squares and products of float32 have fewer digits than their sums here say
			// where they are small, and where they cancel.
			if a := math.Abs(products[i]); !ok || !(v > 0x1p-80) || !(a > 0x1p-80) {
				plain = append(plain, i)
			}
		}
		for j := range s.n {
			simd.BinMul.Apply(tmp, s.row(dy, j), inv, 0, 0, 0, false)
			simd.TerMulAdd.Apply(s.row(dx, j), s.row(x, j), slope, tmp, 0, 0, 0)
		}
		for _, i := range plain {
			column := make([]float32, 3*s.n)
			to, d, from := column[:s.n], column[s.n:2*s.n], column[2*s.n:]
			gatherColumn(d, dy, i, &s)
			gatherColumn(from, x, i, &s)
			cpuref.LpNormalizeGrad(to, d, from, one)
			for j, v := range to {
				dx[s.base+j*s.inner+i] = v
			}
		}
	})
}
