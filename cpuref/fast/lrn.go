package fast

import (
	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/cpuref/internal/simd"
	"github.com/kansu-dev/kansu/spec"
)

// LRN computes a local response normalization across channels; see spec.LRN. With
// the usual exponent, 3/4, it takes square roots; otherwise the plain loops run
// on all cores.
func LRN(y, x []float32, g spec.LRN) {
	ns := 2 * float64(len(x))
	if !lrnByRoots(&g) {
		each := g.N * g.Inner
		one := g
		one.Outer = 1
		Parallel(g.Outer, 20*ns, func(o int) { cpuref.LRN(y[o*each:][:each], x[o*each:][:each], one) })
		return
	}
	const strip = 512
	strips := (g.Inner + strip - 1) / strip
	factor := float32(float64(g.Alpha) / float64(g.Size))
	Parallel(g.Outer*strips, ns, func(i int) {
		lo := i % strips * strip
		n := min(strip, g.Inner-lo)
		base := i/strips*g.N*g.Inner + lo
		buf := getScratch((g.N+1)*n + slack)
		defer putScratch(buf)
		squares, t := buf[:g.N*n], buf[g.N*n:]
		for c := range g.N {
			simd.Square.Apply(squares[c*n:][:n], x[base+c*g.Inner:][:n], 0, 0, 0, false)
		}
		if most := simd.Max(squares); !(most < 0x1p80) { // a sum may leave the range
			lrnStrip(y, x, base, n, g)
			return
		}
		for c := range g.N {
			first, last := max(0, c-g.Before), min(g.N-1, c+g.After)
			simd.WindowSum(&t[0], &squares[first*n], n, last-first+1, n, 1)
			to := y[base+c*g.Inner:][:n]
			simd.BinLrn.Apply(to, x[base+c*g.Inner:][:n], t[:n], factor, g.K, 0, false)
			if g.Act.Func != spec.Identity {
				pointwise(g.Act, to, to)
			}
		}
	})
}

// lrnByRoots reports whether what is to be raised to the power -3/4 is in the range
// of the kernels, as long as sums of squares are.
func lrnByRoots(g *spec.LRN) bool {
	return g.Beta == 0.75 && g.Inner >= 16 && simd.Active() != simd.Portable && g.K >= 0x1p-60 && g.K <= 0x1p60 && g.Alpha >= 0 && g.Alpha <= 0x1p10
}

// lrnStrip has the plain loops for n columns of one image.
func lrnStrip(y, x []float32, base, n int, g spec.LRN) {
	t := getScratch(g.N * n)
	defer putScratch(t)
	for c := range g.N {
		copy(t[c*n:][:n], x[base+c*g.Inner:])
	}
	inner := g.Inner
	g.Outer, g.Inner = 1, n
	out := make([]float32, g.N*n)
	cpuref.LRN(out, t[:g.N*n], g)
	for c := range g.N {
		copy(y[base+c*inner:][:n], out[c*n:])
	}
}
