package fast

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/spec"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// shape draws a shape of up to 5 axes, with now and then a long one.
func shape(r *rand.Rand) []int {
	s := make([]int, 1+r.IntN(5))
	for i := range s {
		s[i] = []int{1, 2, 3, 4, 5, 8, 13, 16, 17, 33}[r.IntN(10)]
	}
	if r.IntN(3) == 0 {
		s = []int{1 + r.IntN(40), 1 + r.IntN(3000)}
	}
	return s
}

// sameAs requires what a function of this package computes, with any number of
// threads and at each level, to be what the plain loops compute, within a budget
// scaled by the magnitudes, or exactly where these are nil.
func sameAs(t *testing.T, what any, n int, fast, plain func(y []float32), magnitude []float32, b spec.Budget) {
	t.Helper()
	want := make([]float32, n)
	plain(want)
	onEach(t, func(t *testing.T) {
		got := repeatable(t, "", func() []float32 {
			y := make([]float32, n)
			fast(y)
			return y
		})
		for i := range want {
			m := 0.0
			if magnitude != nil {
				m = float64(magnitude[i])
			}
			if !b.Allows(got[i], float64(want[i]), m) {
				require.Failf(t, "differs", "%+v: element %d is %v, want %v", what, i, got[i], want[i])
			}
		}
	})
}

func TestShapeFunctions(t *testing.T) {
	r := newRand(t)
	for range 60 {
		s := shape(r)
		x := random(r, spec.Count(s))
		p, err := spec.NewTranspose(s, r.Perm(len(s)))
		require.NoError(t, err)
		sameAs(t, p, len(x), func(y []float32) { Gather(y, x, p) }, func(y []float32) { cpuref.Gather(y, x, p) }, nil, spec.Budget{})

		step := make([]int, len(s))
		for i := range step {
			step[i] = []int{1, 1, 1, 2, -1, -2}[r.IntN(6)]
		}
		c, err := spec.NewSlice(s, nil, nil, step)
		require.NoError(t, err)
		sameAs(t, c, spec.Count(c.OutShape()), func(y []float32) { Gather(y, x, c) }, func(y []float32) { cpuref.Gather(y, x, c) }, nil, spec.Budget{})

		for _, mode := range []spec.PadMode{spec.PadZeros, spec.PadReflect, spec.PadReplicate, spec.PadCircular} {
			d, err := spec.NewPad(s, spec.PadParams{Mode: mode, Begin: []int{r.IntN(s[len(s)-1])}, End: []int{r.IntN(s[len(s)-1])}})
			require.NoError(t, err)
			sameAs(t, d, spec.Count(d.OutShape()), func(y []float32) { Pad(y, x, d) }, func(y []float32) { cpuref.Pad(y, x, d) }, nil, spec.Budget{})
		}

		other := slices.Clone(s)
		other[r.IntN(len(other))] = 1
		k, err := spec.NewConcat(0, s, s)
		require.NoError(t, err)
		sameAs(t, k, 2*len(x), func(y []float32) { Concat(y, [][]float32{x, x}, k) }, func(y []float32) { cpuref.Concat(y, [][]float32{x, x}, k) }, nil, spec.Budget{})

		z := random(r, spec.Count(other))
		for _, f := range spec.Binaries() {
			b, err := spec.NewBinary(f, s, other)
			require.NoError(t, err)
			sameAs(t, b, len(x), func(y []float32) { Binary(y, x, z, b) }, func(y []float32) { cpuref.Binary(y, x, z, b) }, nil, f.Budget())
			b, err = spec.NewBinary(f, other, s)
			require.NoError(t, err)
			sameAs(t, b, len(x), func(y []float32) { Binary(y, z, x, b) }, func(y []float32) { cpuref.Binary(y, z, x, b) }, nil, f.Budget())
		}
	}
}

func TestReduceAndUpsample(t *testing.T) {
	r := newRand(t)
	absolute := func(x []float32) []float32 {
		out := make([]float32, len(x))
		for i, v := range x {
			out[i] = float32(math.Abs(float64(v)))
		}
		return out
	}
	for range 60 {
		s := shape(r)
		x := random(r, spec.Count(s))
		var axes []int
		for i := range s {
			if r.IntN(2) == 0 {
				axes = append(axes, i)
			}
		}
		for _, f := range spec.ReduceFuncs() {
			g, err := spec.NewReduce(f, s, spec.ReduceParams{Axes: axes})
			require.NoError(t, err)
			m := make([]float32, g.Outputs())
			cpuref.Reduce(m, absolute(x), g)
			sameAs(t, g, g.Outputs(), func(y []float32) { Reduce(y, x, g) }, func(y []float32) { cpuref.Reduce(y, x, g) }, m, g.Budget())
		}
		in := []int{1 + r.IntN(3), 2, 1 + r.IntN(20), 1 + r.IntN(40)}
		x = random(r, spec.Count(in))
		for _, mode := range []spec.UpsampleMode{spec.Nearest, spec.NearestExact, spec.Linear} {
			g, err := spec.NewUpsample(in, spec.UpsampleParams{Size: []int{1 + r.IntN(50), 1 + r.IntN(70)}, Mode: mode})
			require.NoError(t, err)
			n := spec.Count(g.OutShape())
			m := make([]float32, n)
			cpuref.Upsample(m, absolute(x), g)
			sameAs(t, g, n, func(y []float32) { Upsample(y, x, g) }, func(y []float32) { cpuref.Upsample(y, x, g) }, m, g.Budget())
		}
	}
}

// TestReduceLong cuts a sum into pieces.
func TestReduceLong(t *testing.T) {
	x := random(newRand(t), 300007)
	g, err := spec.NewReduce(spec.ReduceSum, []int{len(x)}, spec.ReduceParams{})
	require.NoError(t, err)
	y, want := make([]float32, 1), make([]float32, 1)
	Reduce(y, x, g)
	cpuref.Reduce(want, x, g)
	assert.InDelta(t, want[0], y[0], 1e-4)
}
