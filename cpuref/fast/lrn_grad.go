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
	if !lrnByRoots(&g) {
		each := g.N * g.Inner
		one := g
		one.Outer = 1
		Parallel(g.Outer, 50*float64(len(x)), func(o int) {
			cpuref.LRNGrad(dx[o*each:][:each], dy[o*each:][:each], x[o*each:][:each], one)
		})
		return
	}
	const strip = 1024
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
// an element is NaN or large, intermediate results might overflow, and what is in dx
// is nothing. Of what is between, the rows of one window are kept.
func lrnGradStrip(dx, dy, x []float32, n int, g *spec.LRN) bool {
	const most = 0x1p80 // of squares
	window := min(g.N, g.Before+g.After+1)
	buf := getScratch((3*window+1)*n + slack)
	defer putScratch(buf)
	t := buf[3*window*n:]
	squares, terms, powers := rowRing{buf, window, n}, rowRing{buf[window*n:], window, n}, rowRing{buf[2*window*n:], window, n}
	factor := float32(float64(g.Alpha) / float64(g.Size))
	slope := float32(-2 * float64(g.Alpha) / float64(g.Size) * float64(g.Beta))
	apply := func(c int) {
		terms.sum(t, max(0, c-g.After), min(g.N-1, c+g.Before))
		simd.TerMulAdd.Apply(dx[c*g.Inner:][:n], t[:n], x[c*g.Inner:][:n], powers.row(c), 0, 0, 0)
	}
	squared := 0
	for c := range g.N {
		for ; squared <= min(g.N-1, c+g.After); squared++ {
			simd.Square.Apply(squares.row(squared), x[squared*g.Inner:][:n], 0, 0, 0, false)
			grad := dy[squared*g.Inner:][:n]
			simd.TerMulAdd.Apply(t[:n], grad, grad, squares.row(squared), 0, 0, 0)
			if !(simd.Max(t[:n]) < most) { // the sum of both squares
				return false
			}
		}
		squares.sum(t, max(0, c-g.Before), min(g.N-1, c+g.After))
		own := powers.row(c)
		simd.BinLrn.Apply(own, dy[c*g.Inner:][:n], t[:n], factor, g.K, 0, false) // dy*d^(-3/4)
		simd.TerMulOver.Apply(terms.row(c), x[c*g.Inner:][:n], own, t[:n], factor, g.K, slope)
		if c >= g.Before {
			apply(c - g.Before)
		}
	}
	for c := max(0, g.N-g.Before); c < g.N; c++ {
		apply(c)
	}
	return true
}

// rowRing has room for the last few rows of many, n floats each.
type rowRing struct {
	buf     []float32
	rows, n int
}

func (r *rowRing) row(i int) []float32 { return r.buf[i%r.rows*r.n:][:r.n] }

// sum sets t, which has room for slack floats more, to the sum of rows first to last.
// Where all rows are among them, their order is that of the room.
func (r *rowRing) sum(t []float32, first, last int) {
	switch n := last - first + 1; {
	case n == r.rows:
		first, last = 0, n-1
	case first%r.rows+n > r.rows: // they do not lie side by side
		simd.BinAdd.Apply(t[:r.n], r.row(first), r.row(first+1), 0, 0, 0, false)
		for i := first + 2; i <= last; i++ {
			simd.BinAdd.Apply(t[:r.n], t[:r.n], r.row(i), 0, 0, 0, false)
		}
		return
	}
	simd.WindowSum(&t[0], &r.row(first)[0], r.n, last-first+1, r.n, 1)
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
