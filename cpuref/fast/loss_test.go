package fast

import (
	"fmt"
	"math"
	"testing"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/spec"
	"github.com/stretchr/testify/require"
)

// nearly compares with the plain loops, NaN with NaN.
func nearly(t *testing.T, what string, want, got []float32) {
	t.Helper()
	for i, w := range want {
		v := got[i]
		if w == v || w != w && v != v || math.Abs(float64(v)-float64(w)) <= 2e-6*(1+math.Abs(float64(w))) {
			continue
		}
		require.Fail(t, "differs from the plain loops", "%s: element %d is %v, not %v", what, i, v, w)
	}
}

// TestLosses compares the losses and their gradients with the plain loops.
func TestLosses(t *testing.T) {
	onEach(t, func(t *testing.T) {
		r := newRand(t)
		for _, n := range []int{1, 7, 1025, 40000} {
			x, y, dy := random(r, n), random(r, n), random(r, n)
			x[n/2] = float32(math.NaN())
			for _, l := range spec.Losses() {
				for _, reduction := range []spec.Reduction{spec.ReduceToMean, spec.NoReduction} {
					g, err := spec.NewLoss(l, []int{n}, []int{n}, spec.LossParams{Reduction: reduction, Beta: 0.3})
					require.NoError(t, err)
					what := fmt.Sprintf("%v of %d", l, n)
					want := make([]float32, n)
					cpuref.Loss(want, x, y, g)
					nearly(t, what, want, repeatable(t, what, func() []float32 {
						out := newGuarded(n)
						Loss(out.s, x, y, g)
						out.check(t, what)
						return out.s
					}))
					d := dy[:1]
					if reduction == spec.NoReduction {
						d = dy
					}
					cpuref.LossGrad(want, d, x, y, g)
					nearly(t, what+" gradient", want, repeatable(t, what, func() []float32 {
						out := newGuarded(n)
						LossGrad(out.s, d, x, y, g)
						out.check(t, what)
						return out.s
					}))
				}
			}
		}
	})
}

// TestCrossEntropy compares with the plain loops, labels out of range and
// infinite logits among them.
func TestCrossEntropy(t *testing.T) {
	onEach(t, func(t *testing.T) {
		r := newRand(t)
		for _, s := range [][]int{{5, 3}, {40, 10}, {3, 1000}, {2, 7, 5, 9}, {1, 19, 40}, {2, 11, 33, 32}} {
			for _, smoothing := range []float32{0, 0.1} {
				for _, weighted := range []bool{false, true} {
					labels := append([]int{s[0]}, s[2:]...)
					var weights []float32
					var shape []int
					if weighted {
						weights, shape = random(r, s[1]), s[1:2]
						for i := range weights {
							weights[i] += 1.5
						}
					}
					g, err := spec.NewCrossEntropy(s, labels, shape, spec.CrossEntropyParams{LabelSmoothing: smoothing})
					require.NoError(t, err)
					x, dy := random(r, spec.Count(s)), random(r, g.Samples())
					x[len(x)-1] = float32(math.Inf(1))
					x[0] = float32(math.Inf(-1))
					ys := make([]int32, g.Samples())
					for i := range ys {
						ys[i] = int32(r.IntN(g.C))
					}
					ys[1], ys[2] = g.Ignore, int32(g.C)
					what := fmt.Sprintf("%v smoothing %v weighted %v", s, smoothing, weighted)
					n := len(ys)
					want := make([]float32, 2*n)
					cpuref.CrossEntropy(want[:n], want[n:], x, ys, weights, g)
					nearly(t, what, want, repeatable(t, what, func() []float32 {
						out := make([]float32, 2*n)
						CrossEntropy(out[:n], out[n:], x, ys, weights, g)
						return out
					}))
					for _, d := range [][]float32{dy, dy[:1]} {
						want := make([]float32, len(x))
						cpuref.CrossEntropyGrad(want, d, x, ys, weights, g)
						nearly(t, what+" gradient", want, repeatable(t, what, func() []float32 {
							out := newGuarded(len(x))
							CrossEntropyGrad(out.s, d, x, ys, weights, g)
							out.check(t, what)
							return out.s
						}))
					}
				}
			}
		}
	})
}

// TestOptim compares the optimisers' steps with the plain loops.
func TestOptim(t *testing.T) {
	onEach(t, func(t *testing.T) {
		r := newRand(t)
		for _, n := range []int{1, 7, 1025, 40000} {
			p, grad, m, v := random(r, n), random(r, n), random(r, n), random(r, n)
			for i := range v {
				v[i] *= v[i]
			}
			steps := map[string]func(newP, newM, newV []float32, plain bool){}
			for _, scale := range [][]float32{nil, {0.7}} {
				for _, o := range []spec.SGDParams{{LR: 0.1}, {LR: 0.1, Momentum: 0.9, First: true}, {LR: 0.1, Momentum: 0.9, Dampening: 0.2, WeightDecay: 0.01}, {LR: 0.1, Momentum: 0.9, Nesterov: true}} {
					steps[fmt.Sprintf("sgd %+v %v %d", o, scale, n)] = func(newP, newM, _ []float32, plain bool) {
						if o.Momentum == 0 {
							newM = nil
						}
						if plain {
							cpuref.SGD(newP, newM, p, grad, m, scale, o)
						} else {
							SGD(newP, newM, p, grad, m, scale, o)
						}
					}
				}
				for _, o := range []spec.AdamParams{{LR: 0.1, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Step: 3}, {LR: 0.1, Beta1: 0.9, Beta2: 0.99, Eps: 1e-8, Step: 1, WeightDecay: 0.1}, {LR: 0.1, Beta1: 0.9, Beta2: 0.99, Eps: 1e-8, Step: 5, WeightDecay: 0.1, Decoupled: true}} {
					steps[fmt.Sprintf("adam %+v %v %d", o, scale, n)] = func(newP, newM, newV []float32, plain bool) {
						if plain {
							cpuref.Adam(newP, newM, newV, p, grad, m, v, scale, o)
						} else {
							Adam(newP, newM, newV, p, grad, m, v, scale, o)
						}
					}
				}
			}
			for what, step := range steps {
				want := make([]float32, 3*n)
				step(want[:n], want[n:2*n], want[2*n:], true)
				nearly(t, what, want, repeatable(t, what, func() []float32 {
					out := newGuarded(3 * n)
					clear(out.s) // not every step has every output
					step(out.s[:n], out.s[n:2*n], out.s[2*n:], false)
					out.check(t, what)
					return out.s
				}))
			}
		}
	})
}
