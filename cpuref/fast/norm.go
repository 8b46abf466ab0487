package fast

import (
	"math"

	"github.com/kansu-dev/kansu/cpuref/internal/simd"
	"github.com/kansu-dev/kansu/spec"
)

// Moments returns the mean and the population variance of each group of x; see
// spec.Norm. Under g.RMS the mean is 0 and the variance the mean of the squares.
//
// A group is read in pieces: long ones in one pass around a guess at their mean,
// short ones, and those where the guess was bad, in two, the mean and the squares of
// the deviations from that in float64. Pieces are merged in their order (Chan, Golub
// and LeVeque, 1979).
func Moments(x []float32, g *spec.Norm) (mean, variance []float64) {
	p := newNormalization(nil, x, nil, nil, g)
	p.moments()
	return p.mean, p.variance
}

// Normalize computes y from x and the mean and variance of each group; see
// spec.Norm. scale and shift are nil where g has none; y may be x.
func Normalize(y, x, scale, shift []float32, mean, variance []float64, g *spec.Norm) {
	p := newNormalization(y, x, scale, shift, g)
	p.mean, p.variance = mean, variance
	p.normalize()
}

// normalizeWhole is Moments and Normalize; where a group's elements lie in rows
// they are normalized while they are still in the cache.
func normalizeWhole(y, x, scale, shift []float32, g *spec.Norm) (mean, variance []float64) {
	p := newNormalization(y, x, scale, shift, g)
	if p.inRows() && g.Groups >= manyGroups {
		p.mean, p.variance = make([]float64, g.Groups), make([]float64, g.Groups)
		per := max(1, normTask/g.Count)
		ParallelRange(g.Groups, per, p.ns(), func(low, high int) {
			for i := low; i < high; i++ {
				ahead := p.ahead(i)
				p.rowMoments(i, 4*g.Count <= 256<<10 && !p.stream)
				for j := range p.rows {
					x, group, affine := p.run(i, j)
					p.normalizeRow(x, group, affine, 0, p.last.size, ahead)
				}
			}
		})
		return p.mean, p.variance
	}
	p.moments()
	p.normalize()
	return p.mean, p.variance
}

const (
	momentPiece = 16 << 10 // floats of a piece of a group
	normTask    = 16 << 10 // least floats of a task
	normPiece   = 32 << 10 // floats of a row that a task normalizes, at most
	manyGroups  = 16       // from here on groups are tasks
)

// axis is a merged axis of x with its strides.
type axis struct{ size, x, group, affine int }

// normalization is one under way. The elements along the last merged axis, a
// run, belong to one group (inRows) or to a group each.
type normalization struct {
	g                  *spec.Norm
	y, x, scale, shift []float32
	mean, variance     []float64
	last               axis
	kept, averaged     []axis // the other axes
	outer              []axis // both
	sets               int    // combinations of the kept axes
	rows               int    // combinations of the averaged axes: runs of a set
	stream             bool
}

func newNormalization(y, x, scale, shift []float32, g *spec.Norm) *normalization {
	p := &normalization{g: g, y: y, x: x, scale: scale, shift: shift, last: axis{size: 1}, sets: 1, rows: 1}
	p.stream = streamsOne(len(y)) && &y[0] != &x[0]
	stride := 1
	for i := len(g.Dims) - 1; i >= 0; i-- {
		d := g.Dims[i]
		a := axis{d.Size, stride, d.Group, d.Affine}
		stride *= d.Size
		if i < len(g.Dims)-1 {
			p.outer = append(p.outer, a)
		}
		switch {
		case i == len(g.Dims)-1:
			p.last = a
		case d.Group != 0:
			p.kept = append(p.kept, a)
			p.sets *= d.Size
		default:
			p.averaged = append(p.averaged, a)
			p.rows *= d.Size
		}
	}
	return p
}

// inRows reports whether a run belongs to one group.
func (p *normalization) inRows() bool { return p.last.group == 0 }

// ns is a guess at the time that a pass takes on one core.
func (p *normalization) ns() float64 {
	per := 0.4
	if simd.Active() == simd.Portable {
		per = 3
	}
	return per * float64(len(p.x))
}

// ahead returns how many bytes the next group lies behind group i, 0 where it is
// too large for both to be in a second-level cache, or there is none.
func (p *normalization) ahead(i int) int {
	const most = 512 << 10
	if i+1 >= p.g.Groups || 4*p.g.Count > most {
		return 0
	}
	now, _, _ := p.run(i, 0)
	next, _, _ := p.run(i+1, 0)
	return 4 * (next - now)
}

// at returns where combination i of some axes is: the sums of the strides.
// Axes are stored innermost first.
func at(axes []axis, i int) (x, group, affine int) {
	for _, a := range axes {
		j := i % a.size
		i /= a.size
		x, group, affine = x+j*a.x, group+j*a.group, affine+j*a.affine
	}
	return x, group, affine
}

// run returns where run row of a set starts, its first group and affine element.
func (p *normalization) run(set, row int) (x, group, affine int) {
	x, group, affine = at(p.kept, set)
	rx, _, ra := at(p.averaged, row)
	return x + rx, group, affine + ra
}

// moment is the count, mean and sum of squared deviations of some elements.
type moment struct{ n, mean, m2 float64 }

// merge adds the elements of another.
func (m *moment) merge(o moment) {
	if o.n == 0 {
		return
	}
	n := m.n + o.n
	d := o.mean - m.mean
	m.mean += d * (o.n / n)
	m.m2 += o.m2 + d*d*(m.n*o.n/n)
	m.n = n
}

// momentOf returns the moment of a piece; under RMS the mean is taken as 0. The memory
// of dst is asked for meanwhile, unless it is nil.
func momentOf(x []float32, rms bool, dst []float32) moment {
	m := moment{n: float64(len(x))}
	if m.shifted(x, rms, dst) {
		return m
	}
	if !rms {
		m.mean = simd.Sum(x) / m.n
	}
	m.m2 = simd.SumSquares(x, m.mean)
	return m
}

// shifted computes a moment in one pass, by sums around a guess at the mean, and
// reports whether it could: of short pieces the mean would be less exact, since the
// roundings of few terms cancel less; where the guess is further from the mean than
// the elements are, the variance would be a difference of much larger numbers; and
// squares may be out of the range of float32.
func (m *moment) shifted(x []float32, rms bool, dst []float32) bool {
	const least = 4096
	if len(x) < least {
		return false
	}
	guess := float32(0)
	if !rms {
		guess = guessMean(x)
	}
	s, q := simd.ShiftedSums(x, guess, dst)
	if !(q >= 1e-30*m.n && q <= 1e36) || !rms && s*s > m.n*q/2 {
		return false
	}
	if m.m2 = q; !rms {
		m.mean = float64(guess) + s/m.n
		m.m2 -= s * s / m.n
	}
	return true
}

// guessMean returns about the mean of x. It has few digits: of elements less a number
// of many, all would be rounded alike.
func guessMean(x []float32) float32 {
	const samples = 16
	sum, lo, hi := 0.0, x[0], x[0]
	for i := range samples {
		v := x[(2*i+1)*len(x)/(2*samples)]
		sum, lo, hi = sum+float64(v), min(lo, v), max(hi, v)
	}
	mean := sum / samples
	if spread := float64(hi) - float64(lo); spread > 0 {
		_, e := math.Frexp(spread / 16)
		unit := math.Ldexp(1, e)
		mean = math.RoundToEven(mean/unit) * unit
	}
	return float32(mean)
}

// set stores the result for a group.
func (p *normalization) set(group int, m moment) {
	p.mean[group], p.variance[group] = m.mean, m.m2/float64(p.g.Count)
}

// rowMoments computes the moments of a group that lies in rows. Where the results will
// be written next, and have a place of their own, that is asked for.
func (p *normalization) rowMoments(set int, next bool) {
	var m moment
	_, group, _ := p.run(set, 0)
	for j := range p.rows {
		x, _, _ := p.run(set, j)
		run := p.x[x:][:p.last.size]
		for i := 0; i < len(run); i += momentPiece {
			end := min(len(run), i+momentPiece)
			var dst []float32
			if next {
				dst = p.y[x+i : x+end]
			}
			m.merge(momentOf(run[i:end], p.g.RMS, dst))
		}
	}
	p.set(group, m)
}

// moments computes the moments of all groups.
func (p *normalization) moments() {
	p.mean, p.variance = make([]float64, p.g.Groups), make([]float64, p.g.Groups)
	switch {
	case !p.inRows():
		p.columnMoments()
	case p.sets >= manyGroups || len(p.x) <= normTask:
		ParallelRange(p.sets, max(1, normTask/p.g.Count), p.ns(), func(low, high int) {
			for i := low; i < high; i++ {
				p.rowMoments(i, false)
			}
		})
	default: // few large groups: their pieces are the tasks
		perRun := (p.last.size + momentPiece - 1) / momentPiece
		pieces := p.rows * perRun
		parts := make([]moment, p.sets*pieces)
		ParallelRange(len(parts), max(1, normTask/min(momentPiece, p.last.size)), p.ns(), func(low, high int) {
			for i := low; i < high; i++ {
				x, _, _ := p.run(i/pieces, i%pieces/perRun)
				first := i % perRun * momentPiece
				run := p.x[x:][:p.last.size]
				parts[i] = momentOf(run[first:min(len(run), first+momentPiece)], p.g.RMS, nil)
			}
		})
		for i := range p.sets {
			var m moment
			for _, part := range parts[i*pieces:][:pieces] {
				m.merge(part)
			}
			_, group, _ := p.run(i, 0)
			p.set(group, m)
		}
	}
}

// columnMoments computes the moments where each element of a run has a group of
// its own: columns are made into rows, a few at a time.
func (p *normalization) columnMoments() {
	const cols = 16
	inner := axis{size: 1}
	outer := p.averaged
	if len(outer) > 0 {
		inner, outer = outer[0], outer[1:]
	}
	outerRows := p.rows / inner.size
	strips := (p.last.size + cols - 1) / cols
	tall := min(inner.size, momentPiece/4)
	// Strips side by side share cache lines, so a task takes some of them.
	ParallelRange(p.sets*strips, 4, 2*p.ns(), func(low, high int) {
		t := getScratch(cols * tall)
		for i := low; i < high; i++ {
			set, c := i/strips, i%strips*cols
			n := min(cols, p.last.size-c)
			base, group, _ := at(p.kept, set)
			var ms [cols]moment
			for o := range outerRows {
				off, _, _ := at(outer, o)
				for r := 0; r < inner.size; r += tall {
					h := min(tall, inner.size-r)
					transposeRows(t, p.x[base+off+r*inner.x+c:], tall, inner.x, n, h, h)
					for k := range n {
						ms[k].merge(momentOf(t[k*tall:][:h], p.g.RMS, nil))
					}
				}
			}
			for k := range n {
				p.set(group+c+k, ms[k])
			}
		}
		putScratch(t)
	})
}
