package ops_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/kansu-dev/kansu/internal/enginetest"
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
	"github.com/stretchr/testify/require"
)

// steps is a chain of pointwise calls on the first of its inputs, drawn at random.
type steps struct {
	calls []func(v *ops.Tensor) (*ops.Tensor, error)
	names []string
}

// values draws numbers of all sizes, now and then special ones.
func values(r *rand.Rand, n int) []float32 {
	special := []float32{0, float32(math.Copysign(0, -1)), float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)), 1e-40, 3e38, -88, 89, 1e-7}
	v := make([]float32, n)
	scale := math.Exp(3 * r.NormFloat64())
	for i := range v {
		v[i] = float32(scale * r.NormFloat64())
		if r.IntN(200) == 0 {
			v[i] = special[r.IntN(len(special))]
		}
	}
	return v
}

func drawSteps(t *testing.T, e *ops.Engine, r *rand.Rand, shape []int) steps {
	var s steps
	functions := spec.Pointwises()
	binaries := []struct {
		name string
		f    func(a, b *ops.Tensor) (*ops.Tensor, error)
	}{{"add", ops.Add}, {"sub", ops.Sub}, {"mul", ops.Mul}, {"div", ops.Div}, {"min", ops.Min}, {"max", ops.Max}, {"pow", ops.Pow}, {"prelu", ops.PReLU}}
	for range 2 + r.IntN(5) {
		if r.IntN(2) == 0 {
			f := functions[1+r.IntN(len(functions)-1)].Default()
			s.names = append(s.names, f.Func.String())
			s.calls = append(s.calls, func(v *ops.Tensor) (*ops.Tensor, error) { return ops.Pointwise(v, f) })
			continue
		}
		b := binaries[r.IntN(len(binaries))]
		with := append([]int{}, shape...)
		switch r.IntN(4) {
		case 0:
			with = []int{}
		case 1: // for each channel
			for i := range with {
				if i != 1 {
					with[i] = 1
				}
			}
		case 2:
			with = with[len(with)-1:]
		}
		if b.name == "prelu" && len(with) == 1 {
			with = []int{} // of one axis it is for channels
		}
		x, err := e.Tensor(values(r, spec.Count(with)), with...)
		require.NoError(t, err)
		t.Cleanup(x.Release)
		second := r.IntN(2) == 0 && b.name != "prelu"
		s.names = append(s.names, fmt.Sprintf("%s%v", b.name, with))
		s.calls = append(s.calls, func(v *ops.Tensor) (*ops.Tensor, error) {
			if second {
				return b.f(x, v)
			}
			return b.f(v, x)
		})
	}
	return s
}

// run makes the calls, and releases each value when the next is there, but for
// those that keep names, which it returns.
func (s steps) run(t *testing.T, x *ops.Tensor, keep int) (last, kept *ops.Tensor) {
	v := x
	for i, call := range s.calls {
		y, err := call(v)
		require.NoError(t, err, s.names)
		switch {
		case v == x:
		case i-1 == keep:
			kept = v
		default:
			v.Release()
		}
		v = y
	}
	return v, kept
}

func requireBits(t *testing.T, want, got []float32, what ...any) {
	t.Helper()
	require.Len(t, got, len(want))
	for i := range want {
		if math.Float32bits(want[i]) != math.Float32bits(got[i]) && (want[i] == want[i] || got[i] == got[i]) {
			require.Failf(t, "other bits", "element %d: apart %v (%08x), fused %v (%08x): %v", i, want[i], math.Float32bits(want[i]), got[i], math.Float32bits(got[i]), what)
		}
	}
}

// TestFusedBits compares random chains with the same calls one by one.
func TestFusedBits(t *testing.T) {
	enginetest.Each(t, func(t *testing.T, e *ops.Engine) {
		n := 60
		if e.Device().GPU {
			n = 25 // each has kernels of its own to compile
		}
		for seed := range uint64(n) {
			r := rand.New(rand.NewPCG(seed, 7))
			shape := [][]int{{3, 4, 8, 5}, {2, 3, 17}, {1}, {2, 4, 33, 64}, {5, 7}, {2, 8}, {1, 3, 100, 200}}[r.IntN(7)]
			if len(shape) < 2 {
				shape = append(shape, 1)
			}
			s := drawSteps(t, e, r, shape)
			x, err := e.Tensor(values(r, spec.Count(shape)), shape...)
			require.NoError(t, err)
			keep := -1
			if r.IntN(3) == 0 {
				keep = r.IntN(len(s.calls) - 1)
			}
			var all [2][2][]float32
			for i, force := range []string{"apart", ""} {
				e.Force("fused", force)
				y, kept := s.run(t, x, keep)
				all[i][0], err = y.Data()
				require.NoError(t, err)
				if kept != nil {
					all[i][1], err = kept.Data()
					require.NoError(t, err)
					kept.Release()
				}
				if force == "" && (keep < 0 || keep < len(s.calls)-2) {
					require.Contains(t, y.Explain(), "in one pass", s.names)
				} else {
					require.NotContains(t, y.Explain(), "in one pass", s.names)
				}
				y.Release()
			}
			requireBits(t, all[0][0], all[1][0], seed, shape, s.names)
			requireBits(t, all[0][1], all[1][1], "kept", keep, seed, shape, s.names)
			x.Release()
		}
	})
}

func tensors(t *testing.T, e *ops.Engine, n int, shape ...int) []*ops.Tensor {
	t.Helper()
	r := rand.New(rand.NewPCG(3, 4))
	var all []*ops.Tensor
	for range n {
		x, err := e.Tensor(randoms(r, spec.Count(shape)), shape...)
		require.NoError(t, err)
		t.Cleanup(x.Release)
		all = append(all, x)
	}
	return all
}

func must(t *testing.T) func(y *ops.Tensor, err error) *ops.Tensor {
	return func(y *ops.Tensor, err error) *ops.Tensor {
		t.Helper()
		require.NoError(t, err)
		return y
	}
}

// TestFusedOnlyWhereNothingElseReads has something else read what is between.
func TestFusedOnlyWhereNothingElseReads(t *testing.T) {
	enginetest.Each(t, func(t *testing.T, e *ops.Engine) {
		ok := must(t)
		in := tensors(t, e, 2, 2, 3, 4, 4)
		x, y := in[0], in[1]
		for name, c := range map[string]struct {
			between func(sum *ops.Tensor) // after the sum is made
			after   func(sum *ops.Tensor) // after it is used
			fused   bool
		}{
			"released": {nil, (*ops.Tensor).Release, true},
			"kept":     {nil, nil, false},
			"read before": {func(sum *ops.Tensor) {
				_, err := sum.Data()
				require.NoError(t, err)
			}, (*ops.Tensor).Release, false},
			"read after": {nil, func(sum *ops.Tensor) {
				_, err := sum.Data()
				require.NoError(t, err)
				sum.Release()
			}, false},
			"flushed":      {func(*ops.Tensor) { require.NoError(t, e.Flush()) }, (*ops.Tensor).Release, false},
			"another call": {func(*ops.Tensor) { ok(ops.Softmax(x, 1)).Release() }, (*ops.Tensor).Release, false},
			"a view is left": {func(sum *ops.Tensor) {
				v := ok(sum.Reshape(-1))
				t.Cleanup(v.Release)
			}, (*ops.Tensor).Release, false},
			"explained": {func(sum *ops.Tensor) { require.NotEmpty(t, sum.Explain()) }, (*ops.Tensor).Release, false},
		} {
			sum := ok(ops.Add(x, y))
			if c.between != nil {
				c.between(sum)
			}
			z := ok(ops.ReLU(sum))
			if c.after != nil {
				c.after(sum)
			}
			if c.fused {
				require.Contains(t, z.Explain(), "relu(add(x0, x1)) in one pass", name)
				require.Contains(t, sum.Explain(), "in one pass", name)
				_, err := sum.Data()
				require.ErrorIs(t, err, ops.ErrReleased)
			} else {
				require.NotContains(t, z.Explain(), "in one pass", name)
			}
			z.Release()
			sum.Release()
		}

		// Another reader: both values are needed by calls that are no chain.
		sum := ok(ops.Add(x, y))
		a := ok(ops.ReLU(sum))
		b := ok(ops.Tanh(sum))
		c := ok(ops.Mul(a, b))
		for _, v := range []*ops.Tensor{sum, a, b} {
			v.Release()
		}
		require.NotContains(t, a.Explain(), "in one pass")
		require.Contains(t, c.Explain(), "mul(x1, tanh(x0)) in one pass") // b goes on to c
		squared := ok(ops.Mul(c, c))
		c.Release()
		require.NotContains(t, squared.Explain(), "in one pass")
		squared.Release()
	})
}

// TestFusedMemory: memory comes back as without fusion, and errors are those of
// the call.
func TestFusedMemory(t *testing.T) {
	enginetest.Each(t, func(t *testing.T, e *ops.Engine) {
		ok := must(t)
		in := tensors(t, e, 2, 64, 64)
		wide := tensors(t, e, 1, 4096, 7)[0]
		before := e.Stats().LiveTensors
		v := ok(ops.Add(in[0], in[1]))
		for range 30 { // longer than the longest chain
			w := ok(ops.Mul(v, in[1]))
			v.Release()
			v = ok(ops.Tanh(w))
			w.Release()
			_, err := ops.Add(v, wide)
			require.ErrorIs(t, err, ops.ErrShape)
			require.LessOrEqual(t, e.Stats().LiveTensors, before+2)
		}
		v.Release()
		require.Equal(t, before, e.Stats().LiveTensors)
		_, err := ops.ReLU(v)
		require.ErrorIs(t, err, ops.ErrReleased)
	})
}

// TestFusedReplay records a chain and runs it again.
func TestFusedReplay(t *testing.T) {
	enginetest.Each(t, func(t *testing.T, e *ops.Engine) {
		ok := must(t)
		in := tensors(t, e, 3, 2, 3, 8, 8)
		net := func(x []*ops.Tensor) ([]*ops.Tensor, error) {
			h := x[0]
			for range 3 {
				a := ok(ops.Add(h, in[1]))
				b := ok(ops.SiLU(a))
				a.Release()
				c := ok(ops.Softmax(b, 1))
				b.Release()
				if h != x[0] {
					h.Release()
				}
				h = c
			}
			return []*ops.Tensor{h}, nil
		}
		e.Force("fused", "apart")
		want, err := ok(one(net([]*ops.Tensor{in[2]}))).Data()
		require.NoError(t, err)
		e.Force("fused", "")
		replay, err := e.Record(in[:1], net)
		require.NoError(t, err)
		defer replay.Release()
		y := ok(one(replay.Run(in[2])))
		z := ok(ops.Neg(y)) // waits, and reads what the next run overwrites
		_, err = replay.Run(in[0])
		require.NoError(t, err)
		negative, err := z.Data()
		require.NoError(t, err)
		for i := range negative {
			negative[i] = -negative[i]
		}
		requireBits(t, want, negative)
	})
}

func one(ts []*ops.Tensor, err error) (*ops.Tensor, error) {
	if err != nil {
		return nil, err
	}
	return ts[0], nil
}

// TestFusedByMany makes chains on several goroutines, which also read each
// other's values.
func TestFusedByMany(t *testing.T) {
	enginetest.Each(t, func(t *testing.T, e *ops.Engine) {
		ok := must(t)
		in := tensors(t, e, 2, 7, 33)
		apart := ok(ops.ReLU(ok(ops.Sub(in[0], in[1]))))
		want, err := apart.Data()
		require.NoError(t, err)
		passed := make(chan *ops.Tensor, 64)
		var readers, makers sync.WaitGroup
		for range 4 {
			readers.Go(func() {
				for y := range passed {
					got, err := y.Data()
					if err != nil || len(got) != len(want) {
						t.Errorf("%d values: %v", len(got), err)
						continue
					}
					for i := range got {
						if got[i] != want[i] {
							t.Errorf("element %d is %v, want %v", i, got[i], want[i])
							break
						}
					}
					y.Release()
				}
			})
			makers.Go(func() {
				for i := range 200 {
					d, err := ops.Sub(in[0], in[1])
					if err != nil {
						t.Error(err)
						return
					}
					y, err := ops.ReLU(d)
					if err != nil {
						t.Error(err)
						return
					}
					if i%3 != 0 {
						d.Release()
					}
					passed <- y
				}
			})
		}
		makers.Wait()
		close(passed)
		readers.Wait()
	})
}

// TestFusedClosed closes an engine while a chain waits.
func TestFusedClosed(t *testing.T) {
	enginetest.Each(t, func(t *testing.T, e *ops.Engine) {
		ok := must(t)
		in := tensors(t, e, 1, 8)
		y := ok(ops.ReLU(in[0]))
		require.NoError(t, e.Close())
		_, err := y.Data()
		require.ErrorIs(t, err, ops.ErrClosed)
		_, err = ops.ReLU(y)
		require.ErrorIs(t, err, ops.ErrClosed)
	})
}
