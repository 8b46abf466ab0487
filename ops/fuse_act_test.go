package ops_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/kansu-dev/kansu/internal/enginetest"
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
	"github.com/stretchr/testify/require"
)

// clamps are the activations that a chain's source may take over on a GPU.
var clamps = []spec.Activation{{Func: spec.ReLU}, spec.ReLU6.Default(), {Func: spec.HardTanh, A: -0.25, B: 0.5}, {Func: spec.HardTanh, A: 0, B: 0.5}}

// TestActOfSources has every kernel of convolution and of matrix product end with
// a clamp, and compares the bits with those of the clamp by itself. Some sums are
// -0, infinite and NaN. Pure Go has ends of another kind, which TestTailConv and
// TestTailMatMul of cpuref/fast compare.
func TestActOfSources(t *testing.T) {
	enginetest.GPU(t, func(t *testing.T, e *ops.Engine) {
		ok := must(t)
		r := rand.New(rand.NewPCG(5, 6))
		tiny := false
		strange := func(shape ...int) *ops.Tensor {
			v := randoms(r, spec.Count(shape))
			for i := range v {
				switch r.IntN(40) {
				case 0:
					v[i] = []float32{float32(math.Inf(1)), float32(math.NaN()), 1e-41}[r.IntN(3)]
				case 1, 2:
					v[i] = float32(math.Copysign(0, -1))
				}
				if tiny { // products underflow, to a zero of either sign
					v[i] *= 1e-21
					if len(shape) == 1 {
						v[i] = float32(math.Copysign(0, -1))
					}
				}
			}
			x := ok(e.Tensor(v, shape...))
			t.Cleanup(x.Release)
			return x
		}
		compare := func(fn string, variants map[string]bool, call func(act spec.Activation) (*ops.Tensor, error)) {
			for name := range variants {
				for _, act := range clamps {
					e.Force(fn, name)
					plain, err := call(spec.Activation{})
					if errors.Is(err, ops.ErrUnsupported) {
						continue
					}
					require.NoError(t, err)
					own := ok(call(act))
					apart := ok(ops.Pointwise(plain, act))
					want, err := apart.Data()
					require.NoError(t, err)
					got, err := own.Data()
					require.NoError(t, err)
					requireBits(t, want, got, fn, name, act)
					for _, y := range []*ops.Tensor{plain, own, apart} {
						y.Release()
					}
				}
			}
			e.Force(fn, "")
		}
		// variants names all kernels that a call's plan considered.
		variants := func(y *ops.Tensor, err error) map[string]bool {
			require.NoError(t, err)
			all := map[string]bool{y.Plan().Variant: true}
			for _, other := range y.Plan().Rejected {
				all[other.Variant] = true
			}
			y.Release()
			return all
		}
		for _, c := range []struct {
			x, w []int
			p    ops.ConvParams
		}{
			{[]int{1, 3, 4, 8}, []int{5, 3, 1, 1}, ops.ConvParams{}},
			{[]int{1, 4, 7, 9}, []int{9, 4, 3, 3}, ops.ConvParams{Padding: []int{1}}},
			{[]int{2, 4, 8, 16}, []int{8, 4, 3, 3}, ops.ConvParams{Padding: []int{1}}},
			{[]int{2, 4, 6, 12}, []int{4, 1, 3, 3}, ops.ConvParams{Padding: []int{1}, Groups: 4}},
			{[]int{1, 3, 17}, []int{6, 3, 5}, ops.ConvParams{Stride: []int{2}}},
			{[]int{2, 4, 8, 16}, []int{8, 4, 3, 3}, ops.ConvParams{Padding: []int{1}}},
			{[]int{1, 3, 4, 8}, []int{5, 3, 1, 1}, ops.ConvParams{}},
		} {
			tiny = !tiny
			x, w, b := strange(c.x...), strange(c.w...), strange(c.w[0])
			call := func(act spec.Activation) (*ops.Tensor, error) {
				p := c.p
				p.Act = act
				return ops.Conv(x, w, b, p)
			}
			compare("conv", variants(call(spec.Activation{})), call)
		}
		for _, c := range [][3]int{{5, 7, 9}, {16, 32, 64}, {1, 40, 33}, {70, 8, 20}} {
			tiny = !tiny
			x, w, b := strange(c[0], c[1]), strange(c[2], c[1]), strange(c[2])
			call := func(act spec.Activation) (*ops.Tensor, error) {
				return ops.Linear(x, w, b, ops.LinearParams{Act: act})
			}
			compare("linear", variants(call(spec.Activation{})), call)
		}
	})
}
