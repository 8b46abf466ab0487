package cpuref

import (
	"math"

	"github.com/kansu-dev/kansu/spec"
)

// winogradSizes are the matrices |A'|, |B'| and |G| of F(m x m, 3 x 3), without
// signs: for m = 2 with the points 0, 1, -1, for m = 4 with 0 and plus and minus
// sqrt(1/2) and sqrt(2).
var winogradSizes = map[int]struct{ a, b, g [][]float64 }{
	2: {
		a: [][]float64{{1, 1, 1, 0}, {0, 1, 1, 1}},
		b: [][]float64{{1, 0, 1, 0}, {0, 1, 1, 0}, {0, 1, 1, 0}, {0, 1, 0, 1}},
		g: [][]float64{{1, 0, 0}, {.5, .5, .5}, {.5, .5, .5}, {0, 0, 1}},
	},
	4: {
		a: [][]float64{{1, 1, 1, 1, 1, 0}, {0, rootHalf, rootHalf, root2, root2, 0}, {0, .5, .5, 2, 2, 0}, {0, rootHalf / 2, rootHalf / 2, 2 * root2, 2 * root2, 1}},
		b: [][]float64{{1, 0, 2.5, 0, 1, 0}, {0, root2, 2, rootHalf, 1, 0}, {0, root2, 2, rootHalf, 1, 0},
			{0, rootHalf, .5, root2, 1, 0}, {0, rootHalf, .5, root2, 1, 0}, {0, 1, 0, 2.5, 0, 1}},
		g: [][]float64{{1, 0, 0}, {2. / 3, root2 / 3, 1. / 3}, {2. / 3, root2 / 3, 1. / 3}, {1. / 6, root2 / 6, 1. / 3}, {1. / 6, root2 / 6, 1. / 3}, {0, 0, 1}},
	},
}

const (
	root2    = math.Sqrt2
	rootHalf = math.Sqrt2 / 2
)

// WinogradMagnitude computes the magnitudes of spec.Conv.WinogradBudget for a 3x3
// convolution with stride 1, in tiles of m by m outputs, m being 2 or 4.
func WinogradMagnitude(mag, x, w, b []float64, g spec.Conv, m int) {
	t := winogradSizes[m]
	points := len(t.b)
	cg, kg := g.CG(), g.KG()
	weights := make([][][]float64, g.K*cg)
	for i := range weights {
		weights[i] = sandwich(t.g, 3, func(r, c int) float64 { return math.Abs(w[i*9+3*r+c]) })
	}
	for n := range g.N {
		for h := 0; h < g.Out[1]; h += m {
			for v := 0; v < g.Out[2]; v += m {
				tiles := make([][][]float64, g.C)
				for c := range tiles {
					plane := x[(n*g.C+c)*g.InSize():][:g.InSize()]
					tiles[c] = sandwich(t.b, points, func(r, s int) float64 {
						if i, ok := source(&g.Window, g.PadMode, 0, min(h+r, g.Out[1]+1)-g.PadBegin[1], min(v+s, g.Out[2]+1)-g.PadBegin[2]); ok {
							return math.Abs(plane[i])
						}
						return 0
					})
				}
				for k := range g.K {
					size := sandwich(t.a, points, func(r, s int) float64 {
						sum := 0.0
						for c := range cg {
							sum += weights[k*cg+c][r][s] * tiles[k/kg*cg+c][r][s]
						}
						return sum
					})
					for r := range min(m, g.Out[1]-h) {
						for s := range min(m, g.Out[2]-v) {
							at := ((n*g.K+k)*g.Out[1]+h+r)*g.Out[2] + v + s
							mag[at] = size[r][s]
							if b != nil {
								mag[at] += math.Abs(b[k])
							}
						}
					}
				}
			}
		}
	}
}

// sandwich is M D M', D being square.
func sandwich(m [][]float64, size int, d func(r, c int) float64) [][]float64 {
	half := make([][]float64, len(m))
	for i := range m {
		half[i] = make([]float64, size)
	}
	for c := range size {
		for r := range size {
			v := d(r, c)
			for i := range m {
				half[i][c] += m[i][r] * v
			}
		}
	}
	out := make([][]float64, len(m))
	for i := range m {
		out[i] = make([]float64, len(m))
		for j := range m {
			for c := range size {
				out[i][j] += half[i][c] * m[j][c]
			}
		}
	}
	return out
}
