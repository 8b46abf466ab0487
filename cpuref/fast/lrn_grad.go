package fast

import (
	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/cpuref/internal/simd"
	"github.com/kansu-dev/kansu/spec"
)

// LRNGrad computes the gradient of a local response normalization across
// channels; see spec.NewLRNGrad. With the usual exponent, 3/4, it takes square
// roots; otherwise the plain loops run on all cores.
func LRNGrad(dx, dy, x []float32, g spec.LRN) {
	if g.Beta != 0.75 || g.Inner < 16 || simd.Active() == simd.Portable || !(g.K >= 0x1p-60) {
		each := g.N * g.Inner
		one := g
		one.Outer = 1
		Parallel(g.Outer, 50*float64(len(x)), func(o int) {
			cpuref.LRNGrad(dx[o*each:][:each], dy[o*each:][:each], x[o*each:][:each], one)
		})
		return
	}
	const strip = 256
	strips := (g.Inner + strip - 1) / strip
	Parallel(g.Outer*strips, 5*float64(len(x)), func(i int) {
		lo := i % strips * strip
		n := min(strip, g.Inner-lo)
		base := i/strips*g.N*g.Inner + lo
		if !lrnGradStrip(dx[base:], dy[base:], x[base:], n, &g) {
			lrnGradPlain(dx[base:], dy[base:], x[base:], n, g)
		}
	})
}

// lrnGradStrip handles n columns of one image. It reports whether it could: where
// an element is NaN or large, intermediate results might overflow.
func lrnGradStrip(dx, dy, x []float32, n int, g *spec.LRN) bool {
	const most = 0x1p80 // of a square
	buf := getScratch((3*g.N + 3) * n)
	defer putScratch(buf)
	squares, term, power := buf[:g.N*n], buf[g.N*n:][:g.N*n], buf[2*g.N*n:][:g.N*n]
	t, u, v := buf[3*g.N*n:][:n], buf[(3*g.N+1)*n:][:n], buf[(3*g.N+2)*n:][:n]
	for c := range g.N {
		simd.Square.Apply(squares[c*n:][:n], dy[c*g.Inner:][:n], 0, 0, 0, false)
	}
	if m := simd.Max(squares); !(m < most) {
		return false
	}
	for c := range g.N {
		simd.Square.Apply(squares[c*n:][:n], x[c*g.Inner:][:n], 0, 0, 0, false)
	}
	if m := simd.Max(squares); !(m < most) {
		return false
	}
	factor := float32(float64(g.Alpha) / float64(g.Size))
	for c := range g.N {
		window(t, squares, max(0, c-g.Before), min(g.N-1, c+g.After), n)
		simd.Affine.Apply(t, t, factor, g.K, 0, false) // d
		simd.Sqrt.Apply(u, t, 0, 0, 0, false)
		simd.Sqrt.Apply(v, u, 0, 0, 0, false)
		simd.BinMul.Apply(u, u, v, 0, 0, 0, false) // d^(3/4)
		own, to := power[c*n:][:n], term[c*n:][:n]
		simd.BinDiv.Apply(own, dy[c*g.Inner:][:n], u, 0, 0, 0, false) // dy*d^(-3/4)
		simd.BinDiv.Apply(to, x[c*g.Inner:][:n], t, 0, 0, 0, false)
		simd.BinMul.Apply(to, to, own, 0, 0, 0, false)
	}
	slope := float32(-2 * float64(g.Alpha) / float64(g.Size) * float64(g.Beta))
	for c := range g.N {
		window(t, term, max(0, c-g.After), min(g.N-1, c+g.Before), n)
		simd.BinMul.Apply(t, t, x[c*g.Inner:][:n], 0, 0, 0, false)
		simd.BinAxpy.Apply(dx[c*g.Inner:][:n], t, power[c*n:][:n], slope, 0, 0, false)
	}
	return true
}

// window sets t to the sum of rows first to last, n floats each.
func window(t, rows []float32, first, last, n int) {
	sum := rows[first*n:][:n]
	if first == last {
		copy(t, sum)
		return
	}
	for j := first + 1; j <= last; j++ {
		simd.BinAdd.Apply(t, sum, rows[j*n:][:n], 0, 0, 0, false)
		sum = t
	}
}

// lrnGradPlain has the plain loops for n columns of one image.
func lrnGradPlain(dx, dy, x []float32, n int, g spec.LRN) {
	buf := getScratch(3 * g.N * n)
	defer putScratch(buf)
	out, td, tx := buf[:g.N*n], buf[g.N*n:][:g.N*n], buf[2*g.N*n:]
	for c := range g.N {
		copy(td[c*n:][:n], dy[c*g.Inner:])
		copy(tx[c*n:][:n], x[c*g.Inner:])
	}
	inner := g.Inner
	g.Outer, g.Inner = 1, n
	cpuref.LRNGrad(out, td, tx[:g.N*n], g)
	for c := range g.N {
		copy(dx[c*inner:][:n], out[c*n:])
	}
}
