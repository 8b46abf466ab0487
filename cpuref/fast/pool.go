package fast

import (
	"math"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/cpuref/internal/simd"
	"github.com/kansu-dev/kansu/spec"
)

// Pool computes a max, average or Lp pooling; see spec.Pool for the formulas and
// the shapes. With idx, which is nil or has y's length, a max pooling also gives
// the place of each maximum in its plane.
//
// Windows are taken apart into rows: the rows of the input under a row of
// outputs become one by vector operations, along which the window then slides.
func Pool(y []float32, idx []int32, x []float32, g spec.Pool) {
	switch {
	case idx != nil:
		poolIndices(y, idx, x, &g)
	case g.Kind == spec.PoolLp && g.Norm != 1 && g.Norm != 2:
		planes(g.Planes(), g.Flops()*40, func(low, high int) {
			in, out, part := g.InSize(), g.OutSize(), g
			part.N, part.C = 1, high-low
			cpuref.Pool(y[low*out:high*out], nil, x[low*in:high*in], part)
		})
	case g.Whole() && !(g.Kind == spec.PoolLp && !g.PlainNorm):
		poolWhole(y, x, &g)
	case sideBySide(&g):
		pool2x2(y, x, &g)
	default:
		poolRows(y, x, &g)
	}
}

// planes calls f for ranges of planes, in parallel where ns nanoseconds of work
// make that worthwhile.
func planes(n int, ns float64, f func(low, high int)) {
	ParallelRange(n, max(1, int(float64(n)*50e3/ns)), ns, f)
}

// poolWhole pools whole planes, with sums in float64.
func poolWhole(y, x []float32, g *spec.Pool) {
	n := g.InSize()
	count := float64(n)
	if g.Divisor != 0 {
		count = float64(g.Divisor)
	} else if !g.ExcludePad {
		count = float64(g.Padded(0, 0) * g.Padded(1, 0) * g.Padded(2, 0))
	}
	planes(g.Planes(), 0.2*float64(len(x)), func(low, high int) {
		for p := low; p < high; p++ {
			xp := x[p*n:][:n]
			switch {
			case g.Kind == spec.PoolMax:
				y[p] = simd.Max(xp)
			case g.Kind == spec.PoolAvg:
				y[p] = float32(simd.Sum(xp) / count)
			case g.Norm == 2:
				y[p] = float32(math.Sqrt(simd.Dot(xp, xp)))
			default:
				sum := 0.0
				for _, v := range xp {
					sum += math.Abs(float64(v))
				}
				y[p] = float32(sum)
			}
		}
	})
}

// poolRows pools row by row of the output. A task is a range of them.
func poolRows(y, x []float32, g *spec.Pool) {
	rows := g.Planes() * g.Out[0] * g.Out[1]
	// An element takes part in a vector operation for each window above it, and
	// a row has its own cost.
	ns := float64(rows) * (40 + 0.12*float64(g.In[2]*g.Kernel[0]*g.Kernel[1]) + 0.15*float64(g.Out[2]*g.Kernel[2]))
	ParallelRange(rows, max(1, int(float64(rows)*50e3/ns)), ns, func(low, high int) {
		p := newRowPool(g)
		for r := low; r < high; r++ {
			p.row(y[r*g.Out[2]:high*g.Out[2]], x, r)
		}
		putScratch(p.memory)
	})
}

// rowPool is the state of one task.
type rowPool struct {
	g       *spec.Pool
	memory  []float32
	line    []float32       // a row of the padded input, over all layers and rows of a window
	inside  []float32       // its part on the input
	layer   []float32       // likewise, of one layer
	squeeze []float32       // the outputs, rounded up to whole vectors
	factor  []float32       // what sums are multiplied by
	fixed   bool            // factor is the same for all outputs
	counted int             // the rows times layers that factor is for
	sums    *simd.Gathering // of adaptive windows along the row; nil for maxima and long ones
}

// vectorLanes is what simd.WindowMax and WindowSum round lengths up to.
const vectorLanes = 16

func newRowPool(g *spec.Pool) *rowPool {
	out := (g.Out[2] + vectorLanes - 1) / vectorLanes * vectorLanes
	lead := g.PadBegin[2]
	line := max(lead+g.In[2], (out-1)*g.Stride[2]+g.Extent(2)+1)
	if g.Adaptive {
		line = g.In[2]
	}
	p := &rowPool{g: g, memory: getScratch(line + g.In[2] + 2*out)}
	m := p.memory
	p.line, m = m[:line], m[line:]
	p.layer, m = m[:g.In[2]], m[g.In[2]:]
	p.squeeze, p.factor = m[:out], m[out:2*out]
	p.inside = p.line[lead:][:g.In[2]]
	fill(p.line, p.outside())
	if g.Adaptive && g.Kind != spec.PoolMax && g.In[2] <= mostGathered*g.Out[2] {
		p.sums = gatherRanges(g.Out[2], func(o int) (first, n int) { return g.Inside(2, o) })
	}
	if n, ok := g.FixedCount(); ok {
		p.fixed = true
		p.factor[0] = 1
		if g.Kind == spec.PoolAvg {
			p.factor[0] = float32(1 / float64(n))
		}
	}
	return p
}

// mostGathered is up to how many elements of a row a window is summed by gathers.
const mostGathered = 6

// gatherRanges returns the table of sums over ranges of a row.
func gatherRanges(n int, of func(i int) (first, n int)) *simd.Gathering {
	most := 0
	for i := range n {
		_, m := of(i)
		most = max(most, m)
	}
	t := simd.NewGathering(n, most)
	for i := range n {
		first, m := of(i)
		for k := range m {
			t.Set(i, k, first+k, 1)
		}
	}
	return t
}

// outside is what stands in the padding.
func (p *rowPool) outside() float32 {
	if p.g.Kind == spec.PoolMax {
		return float32(math.Inf(-1))
	}
	return 0
}

// row computes output row r, counted over all planes and layers. y goes from
// its first element to the end of the task's rows, so that whole vectors may be
// written where later rows are yet to come.
func (p *rowPool) row(y, x []float32, r int) {
	g := p.g
	sums := p.squeeze[:g.Out[2]]
	if len(y) >= len(p.squeeze) {
		sums = y[:g.Out[2]]
	}
	y = y[:g.Out[2]]
	oh := r % g.Out[1]
	od := r / g.Out[1] % g.Out[0]
	plane := x[r/(g.Out[1]*g.Out[0])*g.InSize():][:g.InSize()]
	p.ahead(x, r)
	d0, layers := g.Inside(0, od)
	h0, rows := g.Inside(1, oh)
	if layers*rows == 0 {
		fill(y, p.outside())
		return
	}
	for d := range layers {
		into := p.inside
		if d > 0 {
			into = p.layer
		}
		row := func(h int) []float32 {
			return plane[((d0+d*g.Dilation[0])*g.In[1]+h0+h*g.Dilation[1])*g.In[2]:][:g.In[2]]
		}
		h := 1
		if rows > 1 && g.Kind != spec.PoolLp {
			p.merge(into, row(0), row(1))
			h = 2
		} else {
			p.begin(into, row(0))
		}
		for ; h < rows; h++ {
			p.add(into, row(h))
		}
		if d > 0 {
			p.merge(p.inside, p.inside, p.layer)
		}
	}
	p.slide(sums)
	switch {
	case g.Kind != spec.PoolMax:
		p.scale(y, sums, od, oh)
		if g.Kind == spec.PoolLp && g.Norm == 2 {
			p.roots(y, plane, od, oh)
		}
	case &y[0] != &sums[0]:
		copy(y, sums)
	}
}

// ahead asks for the part of the input that rows some way behind output row r
// will need: the rows of a window are too short for the processor to see by
// itself which memory comes next.
func (p *rowPool) ahead(x []float32, r int) {
	const distance = 2048 // floats
	per := (p.g.InSize() + p.g.Out[0]*p.g.Out[1] - 1) / (p.g.Out[0] * p.g.Out[1])
	at := r*per + distance
	if at < len(x) {
		simd.Prefetch(x[at:min(len(x), at+per)])
	}
}

// begin makes a row of maxima or sums of a row of the input.
func (p *rowPool) begin(into, row []float32) {
	switch {
	case p.g.Kind == spec.PoolLp && p.g.Norm == 2:
		simd.BinMul.Apply(into, row, row, 0, 0, 0, false)
	case p.g.Kind == spec.PoolLp && p.g.PlainNorm:
		for i, v := range row {
			into[i] = max(v, -v)
		}
	default:
		copy(into, row)
	}
}

// add takes another row of the input in.
func (p *rowPool) add(into, row []float32) {
	switch {
	case p.g.Kind == spec.PoolLp && p.g.Norm == 2:
		simd.TerMulAdd.Apply(into, row, row, into, 0, 0, 0)
	case p.g.Kind == spec.PoolLp && p.g.PlainNorm:
		for i, v := range row {
			into[i] += max(v, -v)
		}
	default:
		p.merge(into, into, row)
	}
}

// merge takes the maxima or sums of two rows.
func (p *rowPool) merge(into, a, b []float32) {
	f := simd.BinAdd
	if p.g.Kind == spec.PoolMax {
		f = simd.BinMax
	}
	f.Apply(into, a, b, 0, 0, 0, false)
}

// slide moves the window along the line. It writes whole vectors.
func (p *rowPool) slide(out []float32) {
	g := p.g
	largest := g.Kind == spec.PoolMax
	switch {
	case p.sums != nil:
		p.sums.Apply(out[:g.Out[2]], p.line)
	case g.Adaptive:
		for o := range g.Out[2] {
			first, n := g.Inside(2, o)
			out[o] = reduceRow(p.line[first:][:n], 1, largest)
		}
	case g.Stride[2] <= 2 && largest:
		simd.WindowMax(&out[0], &p.line[0], g.Out[2], g.Kernel[2], g.Dilation[2], g.Stride[2])
	case g.Stride[2] <= 2:
		simd.WindowSum(&out[0], &p.line[0], g.Out[2], g.Kernel[2], g.Dilation[2], g.Stride[2])
	default:
		for o := range g.Out[2] {
			out[o] = reduceRow(p.line[o*g.Stride[2]:][:g.Extent(2)], g.Dilation[2], largest)
		}
	}
}

// reduceRow returns the maximum or the sum of every step-th element.
func reduceRow(v []float32, step int, largest bool) float32 {
	r := v[0]
	if largest {
		for i := step; i < len(v); i += step {
			r = max(r, v[i])
		}
		return r
	}
	for i := step; i < len(v); i += step {
		r += v[i]
	}
	return r
}

// scale divides the sums by their counts; those of an Lp norm it scales up
// where the window hangs over, as PyTorch does.
func (p *rowPool) scale(y, sums []float32, od, oh int) {
	g := p.g
	if p.fixed || g.Kind == spec.PoolLp && g.PlainNorm {
		f := float32(1)
		if p.fixed {
			f = p.factor[0]
		}
		if f == 1 {
			copy(y, sums)
			return
		}
		pointwise(spec.Activation{Func: spec.Affine, A: f}, y, sums)
		return
	}
	count := g.Padded
	if g.ExcludePad {
		count = func(axis, o int) int { _, n := g.Inside(axis, o); return n }
	}
	if n := count(0, od) * count(1, oh); n != p.counted {
		p.counted = n
		over := 1.0
		if g.Kind == spec.PoolLp {
			over = float64(g.Taps())
		}
		for o := range y {
			p.factor[o] = float32(over / float64(max(1, n*count(2, o))))
		}
	}
	simd.BinMul.Apply(y, sums, p.factor[:len(y)], 0, 0, 0, false)
}

// roots takes the square roots of sums of squares. Where those left the range
// of float32 they are made again in float64.
func (p *rowPool) roots(y, plane []float32, od, oh int) {
	g := p.g
	for o, v := range y {
		s := float64(v)
		if v < 1e-27 || v > 1e36 {
			s = 0
			d0, layers := g.Inside(0, od)
			h0, rows := g.Inside(1, oh)
			w0, n := g.Inside(2, o)
			for d := range layers {
				for h := range rows {
					at := ((d0+d*g.Dilation[0])*g.In[1]+h0+h*g.Dilation[1])*g.In[2] + w0
					for w := range n {
						e := float64(plane[at+w*g.Dilation[2]])
						s += e * e
					}
				}
			}
			if !g.PlainNorm {
				s *= float64(g.Taps()) / float64(g.Padded(0, od)*g.Padded(1, oh)*g.Padded(2, o))
			}
		}
		y[o] = float32(math.Sqrt(s))
	}
}

func fill(v []float32, with float32) {
	for i := range v {
		v[i] = with
	}
}

// poolIndices is a max pooling with the places of the maxima.
func poolIndices(y []float32, idx []int32, x []float32, g *spec.Pool) {
	in, out := g.InSize(), g.Out[2]
	rows := g.Planes() * g.Out[0] * g.Out[1]
	ns := 1.5 * g.Flops()
	columns := make([]span, out)
	for o := range columns {
		columns[o].first, columns[o].count = g.Inside(2, o)
	}
	ParallelRange(rows, max(1, int(float64(rows)*50e3/ns)), ns, func(low, high int) {
		var w poolWindow
		w.rowStep, w.layerStep, w.tapStep = g.Dilation[1]*g.In[2], g.Dilation[0]*g.In[1]*g.In[2], g.Dilation[2]
		for r := low; r < high; r++ {
			d0, layers := g.Inside(0, r/g.Out[1]%g.Out[0])
			h0, height := g.Inside(1, r%g.Out[1])
			w.plane = x[r/(g.Out[1]*g.Out[0])*in:][:in]
			w.layers, w.height = layers, height
			row := (d0*g.In[1] + h0) * g.In[2]
			ys, at := y[r*out:][:out], idx[r*out:][:out]
			for o, c := range columns {
				w.first, w.width = row+c.first, c.count
				if layers*height*c.count == 0 {
					ys[o], at[o] = float32(math.Inf(-1)), -1
					continue
				}
				if layers == 1 && height == 2 && c.count == 2 && w.tapStep == 1 {
					if i, ok := w.largestOfFour(); ok {
						ys[o], at[o] = w.plane[i], i
						continue
					}
				}
				i := w.largest()
				ys[o], at[o] = w.plane[i], i
			}
		}
	})
}

// span is where a window lies along an axis: its first tap on the input, and how
// many do.
type span struct{ first, count int }

// poolWindow is one window of a max pooling: the taps on the input.
type poolWindow struct {
	plane                       []float32
	first                       int // the first tap
	layers, height, width       int
	layerStep, rowStep, tapStep int
}

// largest returns where the largest value is: the first of equal ones, or the
// last NaN. Which tap is larger is a coin toss that no processor predicts, so
// value and place are compared as one integer, without a branch.
func (w *poolWindow) largest() int32 {
	best := int64(math.MinInt64)
	for d := range w.layers {
		for h := range w.height {
			i := w.first + d*w.layerStep + h*w.rowStep
			for range w.width {
				v := w.plane[i]
				if v != v {
					return w.lastNaN()
				}
				b := int32(math.Float32bits(v + 0)) // -0 becomes 0, which equals it
				b ^= b >> 31 & math.MaxInt32        // ordered as the values are
				best = max(best, int64(b)<<32|int64(math.MaxInt32-i))
				i += w.tapStep
			}
		}
	}
	return math.MaxInt32 - int32(best)
}

// largestOfFour is largest for 2x2 windows, but for those with a NaN.
func (w *poolWindow) largestOfFour() (at int32, ok bool) {
	i := w.first
	upper, lower := w.plane[i:i+2], w.plane[i+w.rowStep:][:2]
	a, b, c, d := upper[0], upper[1], lower[0], lower[1]
	m := max(a, b, c, d)
	if m != m {
		return 0, false
	}
	// From the last on, so that the first of equal ones stays.
	at = int32(i + w.rowStep + 1)
	if c == m {
		at = int32(i + w.rowStep)
	}
	if b == m {
		at = int32(i + 1)
	}
	if a == m {
		at = int32(i)
	}
	return at, true
}

func (w *poolWindow) lastNaN() (at int32) {
	for d := range w.layers {
		for h := range w.height {
			i := w.first + d*w.layerStep + h*w.rowStep
			for range w.width {
				if v := w.plane[i]; v != v {
					at = int32(i)
				}
				i += w.tapStep
			}
		}
	}
	return at
}

// Unpool puts each value at its index within the output's plane and zeros
// elsewhere; see spec.Unpool.
func Unpool(y, x []float32, idx []int32, g spec.Unpool) {
	in, out := g.InSize(), g.OutSize()
	planes(g.Planes(), 0.3*float64(len(y))+2*float64(len(x)), func(low, high int) {
		part := g
		part.N, part.C = 1, high-low
		cpuref.Unpool(y[low*out:high*out], x[low*in:high*in], idx[low*in:high*in], part)
	})
}
