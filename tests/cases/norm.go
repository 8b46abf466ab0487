package cases

import (
	"math"
	"math/rand/v2"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/spec"
)

// normKernels are the variants of a normalization that computes statistics.
var normKernels = []string{"naive", "split", "tree", "columns", "rows", "group"}

// Spread says how the elements of a normalization are drawn: normally, around
// Mean with deviation Std, which is 1 where it is 0. First, where it is not 0, is
// the first element; NaN puts a NaN in about one in 50.
type Spread struct {
	Mean, Std, First float32 `json:",omitempty"`
	NaN              bool    `json:",omitempty"`
}

// draw returns a function that draws the elements of one tensor.
func (s Spread) draw() Draw {
	std := s.Std
	if std == 0 {
		std = 1
	}
	first := s.First
	return func(r *rand.Rand) float32 {
		if first != 0 {
			v := first
			first = 0
			return v
		}
		v := s.Mean + std*float32(r.NormFloat64())
		if s.NaN && r.IntN(50) == 0 {
			return float32(math.NaN())
		}
		return v
	}
}

// freedom is what ranges may make of these values in a function that squares
// them and adds eps, of which a negative one is none: the squares must be numbers
// that float32 has.
func (s Spread) freedom(eps float32) freedom {
	f := free
	if s != (Spread{}) {
		f |= noLarge
	}
	if eps < 0 {
		f |= noTiny
	}
	return f
}

// randomSpread draws a spread: ordinary, far from zero, small, large, with one
// element far off, with NaN.
func randomSpread(r *rand.Rand) Spread {
	switch r.IntN(9) {
	case 8:
		return Spread{First: 1e6}
	case 0, 1:
		return Spread{Mean: 1e4}
	case 2:
		return Spread{Mean: -3e5, Std: 30}
	case 3:
		return Spread{Mean: 1, Std: 1e-4}
	case 4:
		return Spread{Std: 1e6}
	case 5:
		return Spread{NaN: true}
	}
	return Spread{}
}

// randomEps draws an eps: the default, large, or none.
func randomEps(r *rand.Rand) float32 { return pick[float32](r, 0, 0, 1e-3, 0.1, -1) }

// scaleShift are the inputs scale and shift, each there or not.
func scaleShift(shape []int, scale, shift bool) []Input {
	in := make([]Input, 2)
	if scale {
		in[0].Shape = shape
	}
	if shift {
		in[1].Shape = shape
	}
	return in
}

// shapes returns the shape where there is one.
func optional(shape []int, there bool) []int {
	if there {
		return shape
	}
	return nil
}

// normWant is the oracle's y, with the magnitude that spec.Norm.Budget takes.
// least is the least |x-m|/std that counts in it: 1 where the statistics are
// computed, 0 where they are given.
func normWant(x, scale, shift, mean, variance []float64, g *spec.Norm, budget spec.Budget, least float64) Want {
	y := make([]float64, len(x))
	cpuref.Normalize(y, x, scale, shift, mean, variance, g)
	mag := make([]float64, len(x))
	inv := cpuref.InvStd(variance, g)
	g.Runs(func(first, n, group, groupStep, affine, affineStep int) {
		for i := range n {
			at, a := group+i*groupStep, affine+i*affineStep
			m := math.Max(math.Abs((x[first+i]-mean[at])*inv[at]), least)
			if scale != nil {
				m *= math.Abs(scale[a])
			}
			if shift != nil {
				m += math.Abs(shift[a])
			}
			mag[first+i] = m
		}
	})
	return Want{Shape: g.OutShape(), Value: y, Magnitude: mag, Budget: budget}
}

// statWants are the oracle's mean, variance and inverse standard deviation.
func statWants(mean, variance []float64, g *spec.Norm, shape []int) (m, v, inv Want) {
	std := make([]float64, len(variance))
	for i := range std {
		std[i] = math.Sqrt(variance[i])
	}
	return Want{Shape: shape, Value: mean, Magnitude: std, Budget: g.MeanBudget()},
		Want{Shape: shape, Value: variance, Budget: g.SpreadBudget()},
		Want{Shape: shape, Value: cpuref.InvStd(variance, g), Budget: g.SpreadBudget()}
}

// runningWant is the oracle's updated running statistic; slack is the error
// that value has besides what is relative to it, in units of the budget.
func runningWant(old, value, slack []float64, momentum float32, g *spec.Norm) Want {
	w := Want{Shape: []int{len(old)}, Budget: g.RunningBudget()}
	m := float64(momentum)
	for i := range old {
		w.Value = append(w.Value, cpuref.Running(old[i], value[i], momentum))
		w.Magnitude = append(w.Magnitude, (1-m)*math.Abs(old[i])+m*(math.Abs(value[i])+slack[i]))
	}
	return w
}

// randomImage draws a shape [n c spatial...] of up to three spatial axes.
func randomImage(r *rand.Rand, channels int) []int {
	x := []int{pick(r, 1, 1, 2, 3, 5), channels}
	for rank := r.IntN(4); rank > 0; rank-- {
		x = append(x, pick(r, 1, 2, 3, 4, 5, 8, 12, 13, 16, 31))
	}
	return small(x)
}

// small halves the largest axes until a case takes little time.
func small(x []int) []int {
	for spec.Count(x) > 1<<17 {
		most := 0
		for i := range x {
			if x[i] > x[most] {
				most = i
			}
		}
		x[most] = (x[most] + 1) / 2
	}
	return x
}

// channelsLast moves the channel axis to the end.
func channelsLast(x []int) []int {
	return append(append([]int{x[0]}, x[2:]...), x[1])
}
