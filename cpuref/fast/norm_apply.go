package fast

import (
	"math"

	"github.com/kansu-dev/kansu/cpuref/internal/simd"
	"github.com/kansu-dev/kansu/spec"
)

// invStd returns 1/sqrt(v+eps), or 1/(sqrt(v)+eps) where g.EpsOnStd is set.
func invStd(v float64, g *spec.Norm) float64 {
	if g.EpsOnStd {
		return 1 / (math.Sqrt(v) + float64(g.Eps))
	}
	return 1 / math.Sqrt(v+float64(g.Eps))
}

// normalize computes y from the moments.
func (p *normalization) normalize() {
	if !p.inRows() {
		p.normalizeColumns()
		return
	}
	perRun := (p.last.size + normPiece - 1) / normPiece
	total := p.sets * p.rows * perRun
	ParallelRange(total, max(1, normTask/p.last.size), p.ns(), func(low, high int) {
		for i := low; i < high; i++ {
			// In the order in which they lie in memory: beyond the end of each run
			// lines have been asked for already.
			x, group, affine := at(p.outer, i/perRun)
			lo := i % perRun * normPiece
			p.normalizeRow(x, group, affine, lo, min(p.last.size, lo+normPiece), 0)
		}
	})
}

// normalizeRow normalizes elements lo to hi of a run that belongs to one group; see
// run.
// The mean is a float32 and a rest, which goes into the addend: x minus the
// mean, rounded, would lose digits where the mean is far from 0. What lies ahead, in
// bytes, is asked for where that is not 0.
func (p *normalization) normalizeRow(x, group, affine, lo, hi, ahead int) {
	src, dst := p.x[x+lo:x+hi], p.y[x+lo:x+hi]
	m, inv := p.mean[group], invStd(p.variance[group], p.g)
	high := float32(m)
	rest := m - float64(high)
	if p.last.affine == 0 { // one scale and shift for the run
		b, c := inv, 0.0
		if p.scale != nil {
			b *= float64(p.scale[affine])
		}
		if p.shift != nil {
			c = float64(p.shift[affine])
		}
		if ahead != 0 && !p.stream {
			simd.CenterAhead(dst, src, high, float32(b), float32(c-rest*b), ahead)
		} else {
			centerStream(dst, src, high, float32(b), float32(c-rest*b), p.stream)
		}
	} else {
		a, b, c := high, float32(inv), float32(-rest*inv)
		scale, scaleBuf := p.stretch(p.scale, affine, lo, hi)
		shift, shiftBuf := p.stretch(p.shift, affine, lo, hi)
		switch {
		case scale != nil && shift != nil:
			simd.TerCenterMulAdd.Apply(dst, src, scale, shift, a, b, c)
		case scale != nil:
			simd.BinCenterMul.Apply(dst, src, scale, a, b, c, false)
		default:
			center(dst, src, a, b, c)
			if shift != nil {
				simd.BinAdd.Apply(dst, dst, shift, 0, 0, 0, false)
			}
		}
		putScratch(scaleBuf)
		putScratch(shiftBuf)
	}
	if p.g.Act.Func != spec.Identity {
		pointwise(p.g.Act, dst, dst)
	}
}

// stretch returns the elements of scale or shift, s, for elements lo to hi of a
// run whose first affine element is first, side by side; nil for nil. Where they
// had to be gathered it also returns the memory to be given back.
func (p *normalization) stretch(s []float32, first, lo, hi int) (side, buf []float32) {
	step := p.last.affine
	if s == nil || step == 1 {
		if s != nil {
			s = s[first+lo : first+hi]
		}
		return s, nil
	}
	buf = getScratch(hi - lo)
	for i := range buf {
		buf[i] = s[first+(lo+i)*step]
	}
	return buf, buf
}

// columnFactors are what the elements of a run need where each has a group of
// its own: y = (x-a)*b + c.
type columnFactors struct {
	group, affine int // for which they hold
	a, b, c       []float32
}

// fill computes the factors of elements lo to hi of a run.
func (f *columnFactors) fill(p *normalization, group, affine, lo, hi int) {
	if f.group == group && f.affine == affine {
		return
	}
	f.group, f.affine = group, affine
	for i := lo; i < hi; i++ {
		m, b, c := p.mean[group+i*p.last.group], invStd(p.variance[group+i*p.last.group], p.g), 0.0
		if p.scale != nil {
			b *= float64(p.scale[affine+i*p.last.affine])
		}
		if p.shift != nil {
			c = float64(p.shift[affine+i*p.last.affine])
		}
		high := float32(m)
		f.a[i-lo], f.b[i-lo], f.c[i-lo] = high, float32(b), float32(c-(m-float64(high))*b)
	}
}

// normalizeColumns is normalize where each element of a run has a group of its
// own. A task handles a stretch of columns in many runs, so that their factors
// are computed once.
func (p *normalization) normalizeColumns() {
	const width = 4096
	strips := (p.last.size + width - 1) / width
	n := min(width, p.last.size)
	chunk := max(1, 4*normTask/n) // runs of a set in one task
	chunks := (p.rows + chunk - 1) / chunk
	Parallel(p.sets*strips*chunks, p.ns(), func(i int) {
		set, strip, first := i/(strips*chunks), i/chunks%strips, i%chunks*chunk
		lo := strip * width
		hi := min(p.last.size, lo+width)
		buf := getScratch(3 * n)
		f := columnFactors{group: -1, a: buf[:hi-lo], b: buf[n:][:hi-lo], c: buf[2*n:][:hi-lo]}
		for row := first; row < min(p.rows, first+chunk); row++ {
			x, group, affine := p.run(set, row)
			f.fill(p, group, affine, lo, hi)
			dst := p.y[x+lo : x+hi]
			simd.BinSub.Apply(dst, p.x[x+lo:x+hi], f.a, 0, 0, 0, false)
			simd.TerMulAdd.Apply(dst, dst, f.b, f.c, 0, 0, 0)
			if p.g.Act.Func != spec.Identity {
				pointwise(p.g.Act, dst, dst)
			}
		}
		putScratch(buf)
	})
}
