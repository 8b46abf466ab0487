package simd

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTailRows compares with the functions that it stands for, bit by bit, and
// has what lies between the rows left alone.
func TestTailRows(t *testing.T) {
	inf := float32(math.Inf(1))
	special := []float32{0, float32(math.Copysign(0, -1)), inf, -inf, float32(math.NaN()), 1e-40, -1e-40, 3e38, -3e38}
	for _, level := range Levels() {
		defer SetLevel(SetLevel(level))
		r := rand.New(rand.NewPCG(1, 2))
		draw := func(n int) []float32 {
			v := make([]float32, n)
			for i := range v {
				v[i] = float32(r.NormFloat64())
				if r.IntN(20) == 0 {
					v[i] = special[r.IntN(len(special))]
				}
			}
			return v
		}
		for _, n := range []int{1, 3, 7, 8, 9, 15, 16, 17, 31, 33, 64, 100} {
			for kind := range 4 {
				rows, stride := 1+r.IntN(5), n+r.IntN(5)
				bounds := [][2]float32{{0, inf}, {-inf, inf}, {0, 6}, {-1, 1}, {2, 1}}[r.IntN(5)]
				y, z := draw(rows*stride), draw(rows*stride)
				a, b, c := draw(rows), draw(rows), draw(rows)
				want := append([]float32{}, y...)
				for i := range rows {
					row := want[i*stride:][:n]
					if kind&2 != 0 && !Center.Apply(row, row, a[i], b[i], c[i], false) {
						for j, v := range row {
							row[j] = (v-a[i])*b[i] + c[i]
						}
					}
					if kind&1 != 0 {
						BinAdd.Apply(row, row, z[i*stride:][:n], 0, 0, 0, false)
					}
					if !Clamp.Apply(row, row, bounds[0], bounds[1], 0, false) {
						for j, v := range row {
							if bounds[0] > v {
								v = bounds[0]
							}
							if bounds[1] < v {
								v = bounds[1]
							}
							row[j] = v
						}
					}
				}
				var pa, pz *float32
				if kind&2 != 0 {
					pa = &a[0]
				}
				if kind&1 != 0 {
					pz = &z[0]
				}
				TailRows(&y[0], pz, pa, &b[0], &c[0], stride, rows, n, bounds[0], bounds[1])
				for i := range want {
					same := math.Float32bits(y[i]) == math.Float32bits(want[i]) || y[i] != y[i] && want[i] != want[i]
					require.True(t, same, fmt.Sprintln(level, "kind", kind, "n", n, "bounds", bounds, "element", i, y[i], want[i]))
				}
			}
		}
	}
}
