package fast

import (
	"github.com/kansu-dev/kansu/cpuref/internal/simd"
	"github.com/kansu-dev/kansu/spec"
)

// ReduceGrad is the gradient of a greatest or least value over axes; see
// cpuref.ReduceGrad.
func ReduceGrad(dx, dy, x, y []float32, g spec.Reduce) {
	const exact = 1 << 24 // counts in float32
	r := reduceGradient{dx, dy, x, y, g}
	switch run := g.Reduced[0]; {
	case g.KeptAxes > 0 && g.Kept[0].Step == 1 && run.Step != 1 && g.Terms() <= exact:
		r.columns()
	case run.Step == 1 && run.Size >= vectorLanes:
		r.rows()
	default:
		ParallelRange(len(y), 1+(1<<14)/g.Terms(), 1.5*float64(len(x)), func(low, high int) {
			for o := low; o < high; o++ {
				r.scattered(o)
			}
		})
	}
}

// reduceGradient is a gradient of a greatest or least value.
type reduceGradient struct {
	dx, dy, x, y []float32
	g            spec.Reduce
}

// share returns what each of the elements that equal output o is given. Where
// none does, that is the NaN that the output is, for all elements: equal is false.
func (r *reduceGradient) share(o int, count float64) (share float32, equal bool) {
	if count == 0 {
		return r.y[o], false
	}
	return float32(float64(r.dy[o]) / count), true
}

// scattered computes the elements of output o one by one.
func (r *reduceGradient) scattered(o int) {
	base, run := stepsTo(o, &r.g.Kept), r.g.Reduced[0]
	v, count := r.y[o], 0
	for i := 0; i < r.g.Terms(); i += run.Size {
		at := base + stepsTo(i, &r.g.Reduced)
		for range run.Size {
			if r.x[at] == v {
				count++
			}
			at += run.Step
		}
	}
	share, equal := r.share(o, float64(count))
	for i := 0; i < r.g.Terms(); i += run.Size {
		at := base + stepsTo(i, &r.g.Reduced)
		for range run.Size {
			if r.dx[at] = 0; r.x[at] == v || !equal {
				r.dx[at] = share
			}
			at += run.Step
		}
	}
}

// rows is ReduceGrad where the elements of an output lie side by side. Few outputs
// of many terms are cut into pieces by their number alone.
func (r *reduceGradient) rows() {
	const piece = 1 << 16
	terms, outputs, stream := r.g.Terms(), len(r.y), streams(len(r.x))
	ns := 0.6 * float64(len(r.x))
	if simd.Active() == simd.Portable {
		ns *= 3
	}
	if outputs >= 64 || terms < 2*piece {
		ParallelRange(outputs, 1+piece/2/terms, ns, func(low, high int) {
			for o := low; o < high; o++ {
				share, equal := r.share(o, r.count(o, 0, terms))
				r.give(o, 0, terms, share, equal, stream)
			}
		})
		return
	}
	pieces := terms / piece
	counts := make([]float64, outputs*pieces)
	each := func(f func(i, o, low, high int)) {
		Parallel(len(counts), ns/2, func(i int) {
			p := i % pieces
			f(i, i/pieces, p*terms/pieces, (p+1)*terms/pieces)
		})
	}
	each(func(i, o, low, high int) { counts[i] = r.count(o, low, high) })
	for o := range outputs {
		of := counts[o*pieces:][:pieces]
		for _, c := range of[1:] {
			of[0] += c
		}
	}
	each(func(_, o, low, high int) {
		share, equal := r.share(o, counts[o*pieces])
		r.give(o, low, high, share, equal, stream)
	})
}

// runs calls f for the rows that hold terms low to high of output o.
func (r *reduceGradient) runs(o, low, high int, f func(at, n int)) {
	base, size := stepsTo(o, &r.g.Kept), r.g.Reduced[0].Size
	for i := low; i < high; {
		n := min(size-i%size, high-i)
		f(base+stepsTo(i, &r.g.Reduced), n)
		i += n
	}
}

// count returns how many of the terms low to high equal output o.
func (r *reduceGradient) count(o, low, high int) (count float64) {
	v := r.y[o]
	r.runs(o, low, high, func(at, n int) { count += float64(simd.CountEqual(r.x[at:][:n], v)) })
	return count
}

// give writes the share to the terms low to high of output o.
func (r *reduceGradient) give(o, low, high int, share float32, equal, stream bool) {
	v := r.y[o]
	r.runs(o, low, high, func(at, n int) {
		to, from := r.dx[at:][:n], r.x[at:][:n]
		if !equal {
			splat(to, share)
			return
		}
		if simd.Equals.Apply(to, from, v, share, 0, stream) {
			return
		}
		for i, u := range from {
			if to[i] = 0; u == v {
				to[i] = share
			}
		}
	})
}

// columns is ReduceGrad where the innermost axis of x is kept: many neighbours at
// once, row after row.
func (r *reduceGradient) columns() {
	g := &r.g
	terms, n, stream := g.Terms(), g.Kept[0].Size, streams(len(r.x))
	width := blockWidth(len(r.y))
	blocks := (n + width - 1) / width
	Parallel(len(r.y)/n*blocks, 0.6*float64(len(r.x)), func(i int) {
		var counts [widestBlock]float32
		o := i/blocks*n + i%blocks*width
		m := min(width, n-i%blocks*width)
		base := stepsTo(o, &g.Kept)
		c, y := counts[:m], r.y[o:][:m]
		for term := range terms {
			simd.TerCountEqual.Apply(c, r.x[base+stepsTo(term, &g.Reduced):][:m], y, c, 0, 0, 0)
		}
		none := false
		for j, count := range c {
			var equal bool
			if c[j], equal = r.share(o+j, float64(count)); !equal {
				none = true
			}
		}
		for term := range terms {
			at := base + stepsTo(term, &g.Reduced)
			to, from := r.dx[at:][:m], r.x[at:][:m]
			if none || !simd.TerGradEqual.Apply(to, c, from, y, stream) {
				for j, v := range y {
					if to[j] = 0; from[j] == v || v != v {
						to[j] = c[j]
					}
				}
			}
		}
	})
}
