package tests

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/shaders"
	"github.com/kansu-dev/kansu/spec"
	"github.com/kansu-dev/kansu/tests/internal/wgsl"
)

// TestBinaryAnyArithmetic is TestPointwiseAnyArithmetic for the functions of two
// numbers.
func TestBinaryAnyArithmetic(t *testing.T) {
	s := seed(t)
	for _, c := range []struct {
		name  string
		arith wgsl.Arithmetic
	}{
		{"ieee", wgsl.Arithmetic{}},
		{"fused", wgsl.Arithmetic{Fused: true}},
		{"flush", wgsl.Arithmetic{Flush: true, DropNaN: true}},
		{"fused+flush+inexact", wgsl.Arithmetic{Fused: true, Flush: true, Inexact: true, DropNaN: true}},
		{"flush+inexact", wgsl.Arithmetic{Flush: true, Inexact: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(s, 0))
			for _, f := range spec.Binaries() {
				m, err := wgsl.Compile(shaders.BinarySource(f), &c.arith)
				require.NoError(t, err, "%v", f)
				apply := m.Function("apply")
				worst, at := 0.0, [2]float32{}
				for _, ab := range binaryPairs(r) {
					got := apply.Call(wgsl.Float(ab[0]), wgsl.Float(ab[1])).Float()
					want := cpuref.Binary64(f, float64(ab[0]), float64(ab[1]))
					if e := f.Budget().Err(got, want, 0); e > worst {
						worst, at = e, ab
					}
				}
				t.Logf("%-6v worst %.3f of the budget, at %v", f, worst, at)
				if worst > 1 {
					t.Errorf("%v(%v, %v) is %v of the budget off", f, at[0], at[1], worst)
				}
			}
		})
	}
}

// binaryPairs draws operands: all pairs of special values, any exponents, bases
// near 1 with any exponent, signs with integers, powers within range, and those
// at the ends of it: of any base, of one near 1, and of a negative one.
func binaryPairs(r *rand.Rand) [][2]float32 {
	special := []float32{0, float32(math.Copysign(0, -1)), 1, -1, 0.5, -0.5, 2, -2, 3, -3, 1e9, -1e9, 0x1p23 + 1, 0x1p24, 0x1p24 + 2,
		math.MaxFloat32, -math.MaxFloat32, 0x1p-126, -0x1p-126, float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN()),
		1 + 0x1p-23, 1 - 0x1p-24, -1 - 0x1p-23}
	var all [][2]float32
	for _, a := range special {
		for _, b := range special {
			all = append(all, [2]float32{a, b})
		}
	}
	wide := func() float32 { return math.Float32frombits(r.Uint32()&0x807fffff | uint32(1+r.IntN(254))<<23) }
	for range 4000 {
		near := float32(1 + r.NormFloat64()*math.Exp2(-24*r.Float64()))
		base := float32(math.Abs(float64(wide())))
		within := float32((2*r.Float64() - 1) * 128 / math.Log2(float64(base)))
		end := float64(1-2*r.IntN(2)) * (122 + 28*r.Float64())
		all = append(all,
			[2]float32{base, float32(end / math.Log2(float64(base)))},
			[2]float32{near, float32(end / math.Log2(math.Abs(float64(near))))},
			[2]float32{-near, float32(math.Round(end / math.Log2(math.Abs(float64(near)))))},
			[2]float32{wide(), wide()},
			[2]float32{near, wide()},
			[2]float32{float32(r.NormFloat64() * 3), float32(r.IntN(81) - 40)},
			[2]float32{base, within},
			[2]float32{float32(r.NormFloat64()), float32(r.NormFloat64())})
	}
	return all
}
