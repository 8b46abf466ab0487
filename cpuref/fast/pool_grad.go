package fast

import (
	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/cpuref/internal/simd"
	"github.com/kansu-dev/kansu/spec"
)

// PoolGrad computes the gradient of a pooling with respect to its input; see
// spec.PoolGrad for the formulas and cpuref.PoolGrad for the arguments.
//
// The gradient of a maximum is put where its index says, plane by plane. That of
// an average or a norm is a sum over windows: rows of outputs become one by
// vector operations, which is then spread along a row of the input.
func PoolGrad(dx, dy []float32, idx []int32, x, y []float32, g spec.PoolGrad) {
	switch {
	case g.Kind == spec.PoolMax:
		maxPoolGrad(dx, dy, idx, &g.Pool)
	case g.Kind == spec.PoolLp && (g.Norm != 1 && g.Norm != 2 || g.Norm == 2 && !moderate(y)):
		planes(g.Planes(), 50*(g.Flops()+float64(len(dx))), func(low, high int) {
			in, out, part := g.InSize(), g.OutSize(), g
			part.N, part.C = 1, high-low
			cpuref.PoolGrad(dx[low*in:high*in], dy[low*out:high*out], nil, x[low*in:high*in], y[low*out:high*out], part)
		})
	case g.Kind == spec.PoolLp:
		// dy*c*(x/y)^(p-1) is dy*c/y^(p-1), spread, times x^(p-1).
		parts := getScratch(len(dy))
		ParallelRange(len(dy), pointwiseChunk, float64(len(dy)), func(low, high int) {
			normParts(parts[low:high], dy[low:high], y[low:high], g.Norm)
		})
		poolGradRows(dx, parts, &g.Pool)
		ParallelRange(len(dx), pointwiseChunk, float64(len(dx)), func(low, high int) {
			normSlopes(dx[low:high], x[low:high], &g.Pool)
		})
		putScratch(parts)
	case g.OutSize() == 1 && !g.Adaptive && g.Kernel == g.In && g.PadBegin == [3]int{} && g.PadEnd == [3]int{} && g.Dilation == [3]int{1, 1, 1}:
		// The window is the plane.
		n := g.InSize()
		factor := float32(1 / float64(n))
		if count, ok := g.FixedCount(); ok {
			factor = float32(1 / float64(count))
		}
		ParallelRange(len(dy), 1+pointwiseChunk/n, 0.3*float64(len(dx)), func(low, high int) {
			for i := low; i < high; i++ {
				splat(dx[i*n:][:n], factor*dy[i])
			}
		})
	default:
		poolGradRows(dx, dy, &g.Pool)
	}
}

// maxPoolGrad adds each gradient to the element it came from. The order within
// a plane is that of the outputs.
func maxPoolGrad(dx, dy []float32, idx []int32, g *spec.Pool) {
	in, out := g.InSize(), g.OutSize()
	planes(g.Planes(), 0.3*float64(len(dx))+1.5*float64(len(dy)), func(low, high int) {
		for p := low; p < high; p++ {
			to, from, places := dx[p*in:][:in], dy[p*out:][:out], idx[p*out:][:out]
			clear(to)
			for o, i := range places {
				if uint(i) < uint(len(to)) { // -1 of an empty window is beyond it
					to[i] += from[o]
				}
			}
		}
	})
}

// moderate reports whether dividing by any of the norms y, and multiplying by a
// number no larger, stays within float32.
func moderate(y []float32) bool {
	for _, v := range y {
		if v = max(v, -v); !(v >= 1e-20 && v <= 1e20) && v != 0 {
			return false
		}
	}
	return true
}

// normParts sets parts = dy/y^(p-1) for a norm p of 1 or 2, 0 where y is.
func normParts(parts, dy, y []float32, norm float32) {
	for i, v := range y {
		d := dy[i]
		switch {
		case v == 0:
			d = 0
		case norm == 2:
			d /= v
		}
		parts[i] = d
	}
}

// normSlopes multiplies dx by x^(p-1) for a norm p of 1 or 2: by x, or where the
// norm is plain by its sign.
func normSlopes(dx, x []float32, g *spec.Pool) {
	switch {
	case g.Norm == 2:
		simd.BinMul.Apply(dx, dx, x, 0, 0, 0, false)
	case g.PlainNorm:
		for i, v := range x {
			switch {
			case v > 0:
			case v < 0:
				dx[i] = -dx[i]
			default:
				dx[i] *= v // 0 or NaN
			}
		}
	}
}

// poolGradRows spreads the gradients of sums over their windows. A task is a
// range of rows of the input.
func poolGradRows(dx, dy []float32, g *spec.Pool) {
	if factor, fixed := poolFactor(g); fixed {
		switch {
		case sideBySide(g):
			poolGrad2x2(dx, dy, g, factor)
			return
		case threeByTwo(g):
			poolGrad3x3(dx, dy, g, factor)
			return
		}
	}
	rows := g.Planes() * g.In[0] * g.In[1]
	ns := float64(rows) * (40 + 0.12*float64(g.Out[2]*g.Windows()) + 0.15*float64(g.In[2]*g.Kernel[2]))
	ParallelRange(rows, max(1, int(float64(rows)*50e3/ns)), ns, func(low, high int) {
		p := newRowPoolGrad(g)
		for r := low; r < high; r++ {
			p.next(dx[r*g.In[2]:high*g.In[2]], dy, r, r > low)
		}
		putScratch(p.memory)
	})
}

// rowPoolGrad is the state of one task.
type rowPoolGrad struct {
	g       *spec.Pool
	memory  []float32
	row     []float32 // the sum of rows of outputs
	line    []float32 // it, a stride apart, with zeros between and around
	squeeze []float32 // a row of the input, rounded up to whole vectors
	width   []float32 // 1 over what sums are divided by along the row
	factor  float32   // 1 over the rest, or over all where it is fixed
	fixed   bool
	form    spreadForm
	at      *float32                   // where the row's first element stands in the line
	last    []float32                  // the row before
	over    [4]int                     // the outputs along depth and height that it was made of
	dense   bool                       // windows have no gaps along height
	ranges  func(i int) (first, n int) // the outputs over each element of a row, if adaptive
	table   *simd.Gathering            // the same, where they are few
}

// spreadForm is how a row of outputs is spread along a row of the input.
type spreadForm uint8

const (
	spreadSlide  spreadForm = iota // by sliding a window over the line
	spreadCopy                     // each output has its element
	spreadRepeat                   // each output has Kernel elements, side by side
	spreadRanges                   // by ranges
)

func newRowPoolGrad(g *spec.Pool) *rowPoolGrad {
	in, out := g.In[2], g.Out[2]
	whole := (in + vectorLanes - 1) / vectorLanes * vectorLanes
	lead := (g.Kernel[2] - 1) * g.Dilation[2]
	line := max(lead+(out-1)*g.Stride[2]+1, g.PadBegin[2]+whole+lead)
	p := &rowPoolGrad{g: g, factor: 1, dense: g.Adaptive || g.Dilation[1] == 1}
	tiles := g.Kernel[2] == g.Stride[2] && g.PadBegin[2] == 0 && g.Dilation[2] == 1
	switch {
	case g.Adaptive:
		p.form, line = spreadRanges, 0
		p.ranges = func(i int) (first, n int) {
			first, last := g.Over(2, i)
			return first, last + 1 - first
		}
		if out <= mostGathered*in {
			p.table = gatherRanges(in, p.ranges)
		}
	case tiles && g.Kernel[2] == 1 && in == out:
		p.form, line = spreadCopy, 0
	case tiles:
		p.form, line = spreadRepeat, 0
	}
	p.memory = getScratch(2*out + whole + line)
	m := p.memory
	p.row, p.width, m = m[:out], m[out:2*out], m[2*out:]
	p.squeeze, p.line = m[:whole], m[whole:]
	if p.form == spreadSlide {
		clear(p.line)
		p.at = &p.line[lead]
	}
	if p.factor, p.fixed = poolFactor(g); !p.fixed {
		for o := range p.width {
			p.width[o] = float32(1 / float64(max(1, p.count(2, o))))
		}
	}
	return p
}

// count is what the outputs o along an axis are divided by.
func (p *rowPoolGrad) count(axis, o int) int {
	if p.g.ExcludePad {
		_, n := p.g.Inside(axis, o)
		return n
	}
	return p.g.Padded(axis, o)
}

// next computes row r of dx, counted over all planes and layers; again says that
// the one before was the last call's. dx goes from the row to the end of the
// task's.
func (p *rowPoolGrad) next(dx, dy []float32, r int, again bool) {
	g := p.g
	h, d := r%g.In[1], r/g.In[1]%g.In[0]
	to := dx[:g.In[2]]
	d0, d1 := g.Over(0, d)
	h0, h1 := g.Over(1, h)
	over := [4]int{d0, d1, h0, h1}
	if again && h > 0 && p.dense && over == p.over {
		copy(to, p.last)
		p.last = to
		return
	}
	p.last, p.over = to, over
	row, f := p.gather(dy[r/(g.In[0]*g.In[1])*g.OutSize():][:g.OutSize()], d, h)
	switch {
	case row == nil:
		clear(to)
		return
	case !p.fixed:
		simd.BinMul.Apply(p.row, p.scaled(row, f), p.width, 0, 0, 0, false)
		row, f = p.row, 1
	}
	p.spread(dx, row, f)
}

// scaled returns f*row, which is row itself or in p.row.
func (p *rowPoolGrad) scaled(row []float32, f float32) []float32 {
	if f == 1 {
		return row
	}
	if !simd.Affine.Apply(p.row, row, f, 0, 0, false) {
		for i, v := range row {
			p.row[i] = f * v
		}
	}
	return p.row
}

// gather returns the sum of the rows of outputs whose windows meet row h of layer
// d, each over its count along the other axes, as scale*sum; sum is nil where
// none does.
func (p *rowPoolGrad) gather(dy []float32, d, h int) (sum []float32, scale float32) {
	g := p.g
	d0, d1 := p.over[0], p.over[1]
	h0, h1 := p.over[2], p.over[3]
	for od := d0; od <= d1; od++ {
		if !g.Meets(0, od, d) {
			continue
		}
		for oh := h0; oh <= h1; oh++ {
			if !g.Meets(1, oh, h) {
				continue
			}
			from := dy[(od*g.Out[1]+oh)*g.Out[2]:][:g.Out[2]]
			f := p.factor
			if !p.fixed {
				over := 1.0
				if g.Kind == spec.PoolLp {
					over = float64(g.Taps())
				}
				f = float32(over / float64(max(1, p.count(0, od)*p.count(1, oh))))
			}
			if sum == nil {
				sum, scale = from, f
				continue
			}
			simd.BinAxpy.Apply(p.row, from, p.scaled(sum, scale), f, 0, 0, false)
			sum, scale = p.row, 1
		}
	}
	return sum, scale
}

// spread makes a row of dx of f times a row of outputs. dx may be longer than the
// row: what follows is written later.
func (p *rowPoolGrad) spread(dx, row []float32, f float32) {
	g := p.g
	in, k := g.In[2], g.Kernel[2]
	to := dx[:in]
	if p.form != spreadRepeat {
		row = p.scaled(row, f)
	}
	switch p.form {
	case spreadCopy:
		copy(to, row)
	case spreadRepeat:
		n := min(len(row), in/k)
		if k == 2 {
			simd.RepeatPairs(to, row[:n], f)
		} else {
			for o, v := range row[:n] {
				splat(to[o*k:][:k], f*v)
			}
		}
		rest := to[n*k:] // under a window that hangs over, or none
		clear(rest)
		if n < len(row) {
			splat(rest[:min(k, len(rest))], f*row[n])
		}
	case spreadSlide:
		simd.SpreadPlane(p.at, &row[0], 0, 0, 1, len(row), g.Stride[2])
		out := p.squeeze
		if len(dx) >= len(out) {
			out = dx
		}
		simd.WindowSum(&out[0], &p.line[g.PadBegin[2]], in, k, g.Dilation[2], 1)
		if len(dx) < len(p.squeeze) {
			copy(to, out)
		}
	case spreadRanges:
		if p.table != nil {
			p.table.Apply(to, row)
			return
		}
		for i := range to {
			first, n := p.ranges(i)
			sum := float32(0)
			for _, v := range row[first:][:n] {
				sum += v
			}
			to[i] = sum
		}
	}
}
