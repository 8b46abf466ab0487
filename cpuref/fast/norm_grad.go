package fast

import (
	"math"
	"sync/atomic"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/cpuref/internal/simd"
	"github.com/kansu-dev/kansu/spec"
)

// NormGrad computes the gradient of a normalization with the statistics of x
// itself; see spec.NormGrad. scale is nil where g has none.
func NormGrad(d cpuref.NormGrads[float32], dy, x, scale []float32, g spec.NormGrad) {
	p := newNormGradient(d, dy, x, scale, g)
	if !p.run() {
		cpuref.NormGrad(d, dy, x, scale, g)
	}
}

// BatchNormTrainGrad computes the gradient of a batch normalization given the
// statistics that it returned. What rounding took from the mean is put back.
func BatchNormTrainGrad(d cpuref.NormGrads[float32], dy, x, scale, mean, invStd []float32, g spec.NormGrad) {
	p := newNormGradient(d, dy, x, scale, g)
	p.mean, p.inv = widened(mean), widened(invStd)
	if !p.run() {
		cpuref.BatchNormTrainGrad(d, dy, x, scale, mean, invStd, g)
	}
}

// BatchNormGrad computes the gradient of a batch normalization with constant
// statistics.
func BatchNormGrad(d cpuref.NormGrads[float32], dy, x, mean, variance, scale []float32, g spec.NormGrad) {
	p := newNormGradient(d, dy, x, scale, g)
	p.mean, p.inv = widened(mean), cpuref.InvStd(widened(variance), &g.Norm)
	if !p.run() {
		cpuref.BatchNormGrad(d, dy, x, mean, variance, scale, g)
	}
}

func widened(v []float32) []float64 {
	out := make([]float64, len(v))
	for i := range v {
		out[i] = float64(v[i])
	}
	return out
}

// normGradient is a gradient of a normalization under way. Its normalization has
// the geometry, x, scale and the moments, and writes to dx.
//
// Sums of dy and dy*(x-mean) are in float64, of a few terms in float32 first where
// those keep their digits; see sums. What is summed in pieces is put together in the order
// of the pieces, which depend on the shapes alone.
type normGradient struct {
	*normalization
	fixed, given bool
	dy           []float32
	inv          []float64 // 1/deviation of each group
	dscale       []float32 // nil without a scale
	dshift       []float32
	near         int         // how many bytes ahead sums ask for memory: see simd.SumGradsNear
	extreme      atomic.Bool // a coefficient left float32: the plain loops compute again
}

func newNormGradient(d cpuref.NormGrads[float32], dy, x, scale []float32, g spec.NormGrad) *normGradient {
	p := &normGradient{
		normalization: newNormalization(d.X, x, scale, nil, &g.Norm),
		fixed:         g.Fixed, given: g.Given, dy: dy, dscale: d.Scale, dshift: d.Shift,
	}
	if !g.Scale {
		p.scale = nil
		p.last.affine = 0
		for _, axes := range [][]axis{p.kept, p.averaged} {
			for i := range axes {
				axes[i].affine = 0
			}
		}
	}
	return p
}

// moments computes the moments of all groups where they are those of x.
func (p *normGradient) moments() {
	if p.given || p.fixed {
		return
	}
	p.normalization.moments()
	p.inv = cpuref.InvStd(p.variance, p.g)
}

// ownMoments makes room for moments that the groups' own tasks compute together
// with the sums.
func (p *normGradient) ownMoments() {
	if !p.given && !p.fixed {
		p.mean, p.variance = make([]float64, p.g.Groups), make([]float64, p.g.Groups)
		p.inv = make([]float64, p.g.Groups)
	}
}

// groupMoments takes the moments of a group from its sums around the pivot, which
// it makes sums around the mean. It returns by how much the mean has moved, and
// again where the sums have to be computed again, around the mean as it is now.
func (p *normGradient) groupMoments(group int, s *simd.GradSums) (off float64, again bool) {
	if off = p.settle(group, s); !p.given && !p.fixed {
		if again = off*off*float64(p.g.Count) > pivotFar*s.Squares; !again {
			p.variance[group] = max(s.Squares, 0) / float64(p.g.Count)
			p.inv[group] = invStd(p.variance[group], p.g)
		}
	}
	return off, again
}

// ns is a guess at the time of the whole on one core.
func (p *normGradient) ns() float64 { return 2.5 * p.normalization.ns() }

// run computes the gradient; it reports whether it can serve the layout.
func (p *normGradient) run() bool {
	p.stream = p.stream && &p.y[0] != &p.dy[0]
	served := true
	switch {
	case p.g.Count == 1 && !p.fixed:
		return false // nothing is left of dy less its mean, but for the rounding of the coefficients
	case !p.inRows():
		served = p.columns()
	case p.last.affine == 0:
		p.planes()
	default:
		served = p.elements()
	}
	return served && !p.extreme.Load()
}

// outside reports whether float32 cannot hold v with its digits.
func outside(v float64) bool {
	a := math.Abs(v)
	return a != 0 && a < 0x1p-120 || a > 0x1p120
}

// settle corrects the mean of a group, where it was given with its rounding or
// guessed, and with it the sums. It returns by how much the mean has moved.
func (p *normGradient) settle(group int, s *simd.GradSums) (off float64) {
	if !p.g.RMS && !p.fixed {
		off = s.Off / float64(p.g.Count)
		p.mean[group] += off
		s.Product -= off * s.D
		s.Squares -= off * s.Off
		s.Off = 0
	}
	return off
}

// line returns what the elements of a group need, given the sums over it of
// d = dy*scale. The mean is settled.
func (p *normGradient) line(group int, s simd.GradSums) simd.NormLine {
	inv, mean := p.inv[group], p.mean[group]
	// dx = inv*(d - average - (x-mean)*slope), the mean being hi and a rest.
	n := float64(p.g.Count)
	slope := inv * inv
	if p.g.EpsOnStd {
		slope = 0
		if v := p.variance[group]; v != 0 || p.g.Eps == 0 {
			slope = inv / math.Sqrt(v)
		}
	}
	average := s.D / n
	if p.g.RMS {
		average = 0
	}
	hi := float32(mean)
	rest := mean - float64(hi)
	b := -inv * slope * s.Product / n
	if outside(b) || outside(inv) {
		p.extreme.Store(true)
	}
	return simd.NormLine{
		A: hi, B: float32(b), C: float32(-inv*average - rest*b), K: float32(inv),
		Inv: float32(inv), Rest: float32(-rest * inv),
	}
}

// gradPiece is how many floats of a run a task takes at most.
const gradPiece = 16 << 10

// gradNear is of how many floats dy, x and dx are in the first-level cache at once.
const gradNear = 3 << 10

// planes is run where each run has one group and one affine element.
func (p *normGradient) planes() {
	whole, cells := make([]simd.GradSums, p.sets), make([]simd.GradSums, p.sets*p.rows)
	switch {
	case p.fixed:
		p.fixedPlanes(cells)
	case p.sets >= manyGroups:
		p.ownMoments()
		if p.aheadBoth(0) > 0 {
			p.near = 4096 // the pass before has brought it to the second-level cache
		}
		ParallelRange(p.sets, max(1, normTask/p.g.Count), p.ns(), func(low, high int) {
			for set := low; set < high; set++ {
				x, group, _ := p.normalization.run(set, 0)
				p.pivot(group, p.x[x:][:p.last.size])
				for again := true; again; {
					for row := range p.rows {
						cells[set*p.rows+row] = p.sumRun(set, row, 0, p.last.size)
					}
					whole[set], again = p.planeGroup(set, cells[set*p.rows:][:p.rows])
				}
				ahead := p.aheadBoth(set)
				for row := range p.rows {
					p.applyRun(set, row, 0, p.last.size, whole[set], ahead)
				}
			}
		})
	default:
		p.moments() // again with the sums: the same to a rounding
		nearest(p.mean)
		perRun := (p.last.size + gradPiece - 1) / gradPiece
		each := func(f func(i, set, row, lo, hi int)) {
			ParallelRange(len(cells)*perRun, max(1, normTask/p.last.size), p.ns(), func(low, high int) {
				for i := low; i < high; i++ {
					run, lo := i/perRun, i%perRun*gradPiece
					f(i, run/p.rows, run%p.rows, lo, min(p.last.size, lo+gradPiece))
				}
			})
		}
		pieces := make([]simd.GradSums, len(cells)*perRun)
		each(func(i, set, row, lo, hi int) { pieces[i] = p.sumRun(set, row, lo, hi) })
		for i, s := range pieces {
			cells[i/perRun].Add(s)
		}
		for set := range p.sets {
			whole[set], _ = p.planeGroup(set, cells[set*p.rows:][:p.rows])
		}
		each(func(_, set, row, lo, hi int) { p.applyRun(set, row, lo, hi, whole[set], 0) })
	}
	if p.scale != nil {
		dscale, dshift := make([]float64, p.g.Affine), make([]float64, p.g.Affine)
		for i, s := range cells {
			_, _, a := p.normalization.run(i/p.rows, i%p.rows)
			dscale[a] += s.Product
			dshift[a] += s.D
		}
		narrow(p.dscale, dscale)
		narrow(p.dshift, dshift)
	}
}

// fixedPlanes is planes with constant statistics, where dx needs no sums: elements are
// read once, in the order in which they lie in memory. It sets the runs' parts of
// dscale and dshift.
func (p *normGradient) fixedPlanes(cells []simd.GradSums) {
	perRun := (p.last.size + gradPiece - 1) / gradPiece
	pieces := make([]simd.GradSums, len(cells)*perRun)
	ParallelRange(len(pieces), max(1, normTask/p.last.size), p.ns(), func(low, high int) {
		for i := low; i < high; i++ {
			x, group, affine := at(p.outer, i/perRun)
			k := p.inv[group]
			if p.scale != nil {
				k *= float64(p.scale[affine])
			}
			end := min(p.last.size, i%perRun*gradPiece+gradPiece)
			for lo := i % perRun * gradPiece; lo < end; lo += gradNear {
				hi := min(end, lo+gradNear)
				pieces[i].Add(p.scaleAndSum(p.y[x+lo:x+hi], p.dy[x+lo:x+hi], p.x[x+lo:x+hi], p.mean[group], float32(k)))
			}
		}
	})
	if p.scale == nil {
		return
	}
	for i := range cells {
		x, group, _ := p.normalization.run(i/p.rows, i%p.rows)
		c := &cells[i]
		for _, s := range pieces[x/p.last.size*perRun:][:perRun] {
			c.Add(s)
		}
		c.Product *= p.inv[group]
	}
}

// aheadBoth is ahead for a group of which two sources are read.
func (p *normGradient) aheadBoth(set int) int {
	const most = 512 << 10
	if 8*p.g.Count > most {
		return 0
	}
	return p.ahead(set)
}

// nearest rounds means to float32, where the sums make up for it.
func nearest(mean []float64) {
	for i, m := range mean {
		if r := float64(float32(m)); !math.IsInf(r, 0) {
			mean[i] = r
		}
	}
}

// sumRun returns the sums over elements lo to hi of a run.
func (p *normGradient) sumRun(set, row, lo, hi int) simd.GradSums {
	x, group, _ := p.normalization.run(set, row)
	return p.sums(p.dy[x+lo:x+hi], p.x[x+lo:x+hi], nil, p.mean[group])
}

// planeGroup returns the sums of a group, given those of its runs, and makes
// these the runs' parts of dscale and dshift: Product and D. For again see
// groupMoments.
func (p *normGradient) planeGroup(set int, cells []simd.GradSums) (whole simd.GradSums, again bool) {
	for row, s := range cells {
		if p.scale != nil {
			_, _, a := p.normalization.run(set, row)
			w := float64(p.scale[a])
			s.D *= w
			s.Product *= w
		}
		whole.Add(s)
	}
	_, group, _ := p.normalization.run(set, 0)
	off, again := p.groupMoments(group, &whole)
	for row := range cells {
		c := &cells[row]
		c.Product = (c.Product - off*c.D) * p.inv[group]
	}
	return whole, again
}

// applyRun computes dx for elements lo to hi of a run. What lies ahead, in bytes, is
// asked for.
func (p *normGradient) applyRun(set, row, lo, hi int, whole simd.GradSums, ahead int) {
	x, group, affine := p.normalization.run(set, row)
	dx, dy := p.y[x+lo:x+hi], p.dy[x+lo:x+hi]
	k := p.inv[group]
	if p.scale != nil {
		k *= float64(p.scale[affine])
	}
	l := p.line(group, whole)
	l.K, l.Ahead = float32(k), ahead
	l.Apply(dx, dy, p.x[x+lo:x+hi], p.stream)
}

// scaleAndSum sets dx to k*dy, and returns D and Product where there is a scale.
func (p *normGradient) scaleAndSum(dx, dy, x []float32, mean float64, k float32) (s simd.GradSums) {
	m := float32(mean)
	apart := &dx[0] != &dy[0]
	switch {
	case p.scale == nil:
	case apart && float64(m) == mean && len(x) >= pivotSample:
		if s = simd.ScaleSums(dx, dy, x, m, k, p.stream); !exactProduct(&s, len(x)) {
			s = simd.SumGrads(dy, x, nil, mean)
		}
		return s
	default:
		s = p.sums(dy, x, nil, mean)
	}
	scaleStream(dx, dy, k, p.stream)
	return s
}

// scaleStream is scale with stores that may bypass the cache.
func scaleStream(dst, x []float32, a float32, stream bool) {
	if !simd.Affine.Apply(dst, x, a, 0, 0, stream) {
		scale(dst, x, a)
	}
}
