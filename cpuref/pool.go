package cpuref

import (
	"math"

	"github.com/kansu-dev/kansu/spec"
)

// Pool computes a max, average or Lp pooling, windowed, global or adaptive; see
// spec.Pool for the formulas and the shapes. With idx, which is nil or has y's
// length, a max pooling also gives the place of each maximum in its plane.
func Pool[T Float](y []T, idx []int32, x []T, g spec.Pool) {
	inSize, outSize := g.InSize(), g.OutSize()
	for plane := range g.Planes() {
		xp := x[plane*inSize:][:inSize]
		for o := range outSize {
			w := windowAt(&g, o)
			at := plane*outSize + o
			switch g.Kind {
			case spec.PoolMax:
				v, i := maxOf(xp, &w)
				y[at] = v
				if idx != nil {
					idx[at] = int32(i)
				}
			case spec.PoolAvg:
				y[at] = T(meanOf(xp, &w, &g))
			case spec.PoolLp:
				y[at] = T(normOf(xp, &w, &g))
			}
		}
	}
}

// window is the part of a pooling window that lies on the input.
type window struct {
	first, count, step [3]int // along each axis: position, elements, distance
	in                 [3]int // the plane
	padded             int    // taps on the input or its padding
}

// windowAt returns the window of output element o of a plane.
func windowAt(g *spec.Pool, o int) window {
	w := window{step: g.Dilation, in: g.In, padded: 1}
	at := [3]int{o / (g.Out[1] * g.Out[2]), o / g.Out[2] % g.Out[1], o % g.Out[2]}
	for i := range at {
		w.first[i], w.count[i] = g.Inside(i, at[i])
		w.padded *= g.Padded(i, at[i])
	}
	return w
}

// elements returns how many elements of the input the window has.
func (w *window) elements() int { return w.count[0] * w.count[1] * w.count[2] }

// each calls f with the place in the plane of every element, in order.
func (w *window) each(f func(i int)) {
	for d := range w.count[0] {
		for h := range w.count[1] {
			row := (w.first[0]+d*w.step[0])*w.in[1] + w.first[1] + h*w.step[1]
			for v := range w.count[2] {
				f(row*w.in[2] + w.first[2] + v*w.step[2])
			}
		}
	}
}

// maxOf returns the largest element and its place: the first of equal ones, the
// last NaN, or -Inf and -1 where there is none.
func maxOf[T Float](x []T, w *window) (largest T, at int) {
	largest, at = T(math.Inf(-1)), -1
	w.each(func(i int) {
		if v := x[i]; at < 0 || v > largest || v != v {
			largest, at = v, i
		}
	})
	return largest, at
}

// meanOf returns the average.
func meanOf[T Float](x []T, w *window, g *spec.Pool) float64 {
	count := w.padded
	switch {
	case g.Divisor != 0:
		count = g.Divisor
	case g.ExcludePad:
		count = w.elements()
	}
	if w.elements() == 0 {
		return 0
	}
	sum := 0.0
	w.each(func(i int) { sum += float64(x[i]) })
	return sum / float64(count)
}

// normOf returns the p-norm. The elements are divided by the largest magnitude
// first, so that no power overflows.
func normOf[T Float](x []T, w *window, g *spec.Pool) float64 {
	p, scale := float64(g.Norm), 0.0
	w.each(func(i int) {
		if v := math.Abs(float64(x[i])); v > scale { // never true for NaN
			scale = v
		}
	})
	if scale == 0 || math.IsInf(scale, 1) {
		scale = 1
	}
	sum := 0.0
	w.each(func(i int) {
		v := float64(x[i]) / scale
		if g.PlainNorm {
			v = math.Abs(v)
		}
		sum += math.Pow(v, p)
	})
	if !g.PlainNorm && w.elements() > 0 {
		sum *= float64(g.Taps()) / float64(w.padded)
	}
	if sum < 0 && p != 1 {
		return math.NaN()
	}
	return scale * math.Pow(sum, 1/p)
}
