package cpuref

import "github.com/kansu-dev/kansu/spec"

// Gemm computes a matrix product; see spec.Gemm for the formula and the layout.
// The addend c is nil where g.Bias is false.
func Gemm[T Float](y, a, b, c []T, g spec.Gemm) {
	sum := make([]float64, g.N)
	for i := range g.Batches() {
		atA, atB := g.Offsets(i)
		am, bm := a[atA:][:g.M*g.K], b[atB:][:g.K*g.N]
		for m := range g.M {
			clear(sum)
			for k := range g.K {
				v := am[m*g.K+k]
				if g.TransA {
					v = am[k*g.M+m]
				}
				if g.TransB {
					for n := range sum {
						sum[n] += float64(v) * float64(bm[n*g.K+k])
					}
					continue
				}
				for n, w := range bm[k*g.N:][:g.N] {
					sum[n] += float64(v) * float64(w)
				}
			}
			row := y[(i*g.M+m)*g.N:][:g.N]
			for n, s := range sum {
				s *= float64(g.Alpha)
				if c != nil {
					s += float64(g.Beta) * float64(c[m*g.BiasM+n*g.BiasN])
				}
				row[n] = T(Pointwise64(g.Act, s))
			}
		}
	}
}
