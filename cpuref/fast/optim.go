package fast

import (
	"math"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/cpuref/internal/simd"
	"github.com/kansu-dev/kansu/spec"
)

// elementPiece is how many elements pass through several vector functions before
// the next ones do: few enough to stay in the first-level cache.
const elementPiece = 1024

// elementTask is how many elements a task has.
const elementTask = 16 << 10

// pieces calls f for pieces of n elements, on all cores.
func pieces(n int, ns float64, f func(low, high int)) {
	if simd.Active() == simd.Portable {
		ns *= 10
	}
	ParallelRange(n, elementTask, ns*float64(n), func(low, high int) {
		for ; low < high; low += elementPiece {
			f(low, min(high, low+elementPiece))
		}
	})
}

// part is a piece of an array that may be absent.
func part(v []float32, low, high int) []float32 {
	if v == nil {
		return nil
	}
	return v[low:high]
}

// SGD makes one step of stochastic gradient descent; see cpuref.SGD.
func SGD(newP, newM, p, grad, m, scale []float32, o spec.SGDParams) {
	s := float32(1)
	if scale != nil {
		s = scale[0]
	}
	lr, momentum, decay := float32(o.LR), float32(o.Momentum), float32(o.WeightDecay)
	pieces(len(p), 0.7, func(low, high int) {
		p, g := p[low:high], grad[low:high]
		to, toM, fromM := newP[low:high], part(newM, low, high), part(m, low, high)
		if simd.Active() == simd.Portable {
			cpuref.SGD(to, toM, p, g, fromM, scale, o)
			return
		}
		t := getScratch(elementPiece)
		defer putScratch(t)
		if t = t[:len(p)]; scale != nil {
			simd.Affine.Apply(t, g, s, 0, 0, false)
			g = t
		}
		if decay != 0 {
			simd.BinAxpy.Apply(t, p, g, decay, 0, 0, false)
			g = t
		}
		step := g
		if o.Momentum != 0 {
			if o.First {
				copy(toM, g)
			} else {
				simd.Affine.Apply(toM, g, float32(1-o.Dampening), 0, 0, false)
				simd.BinAxpy.Apply(toM, fromM, toM, momentum, 0, 0, false)
			}
			if step = toM; o.Nesterov {
				simd.BinAxpy.Apply(t, toM, g, momentum, 0, 0, false)
				step = t
			}
		}
		simd.BinAxpy.Apply(to, step, p, -lr, 0, 0, false)
	})
}

// Adam makes one step of Adam or AdamW; see cpuref.Adam.
func Adam(newP, newM, newV, p, grad, m, v, scale []float32, o spec.AdamParams) {
	s := float32(1)
	if scale != nil {
		s = scale[0]
	}
	decay := float32(o.WeightDecay)
	if o.Decoupled {
		decay = float32(o.LR * o.WeightDecay)
	}
	rate, eps, inverse := float32(o.StepSize()), float32(o.Eps), float32(1/float64(float32(o.RootBias())))
	ordinary := !math.IsInf(float64(inverse), 0)
	pieces(len(p), 1.5, func(low, high int) {
		p, g := p[low:high], grad[low:high]
		to, toM, toV := newP[low:high], newM[low:high], newV[low:high]
		if simd.Active() == simd.Portable || !ordinary {
			cpuref.Adam(to, toM, toV, p, g, m[low:high], v[low:high], scale, o)
			return
		}
		buf := getScratch(2 * elementPiece)
		defer putScratch(buf)
		n := len(p)
		t, w := buf[:n], buf[n:2*n]
		if scale != nil {
			simd.Affine.Apply(t, g, s, 0, 0, false)
			g = t
		}
		if decay != 0 && o.Decoupled {
			simd.BinAxpy.Apply(w, p, p, -decay, 0, 0, false)
			p = w
		} else if decay != 0 {
			simd.BinAxpy.Apply(t, p, g, decay, 0, 0, false)
			g = t
		}
		simd.Affine.Apply(toM, g, float32(1-o.Beta1), 0, 0, false)
		simd.BinAxpy.Apply(toM, m[low:high], toM, float32(o.Beta1), 0, 0, false)
		simd.Square.Apply(t, g, 0, 0, 0, false)
		simd.Affine.Apply(toV, t, float32(1-o.Beta2), 0, 0, false)
		simd.BinAxpy.Apply(toV, v[low:high], toV, float32(o.Beta2), 0, 0, false)
		simd.Sqrt.Apply(t, toV, 0, 0, 0, false)
		simd.Affine.Apply(t, t, inverse, eps, 0, false)
		simd.BinDiv.Apply(t, toM, t, 0, 0, 0, false)
		simd.BinAxpy.Apply(to, t, p, -rate, 0, 0, false)
	})
}
