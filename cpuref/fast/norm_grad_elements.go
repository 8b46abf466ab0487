package fast

import "github.com/kansu-dev/kansu/cpuref/internal/simd"

// The most affine elements, and tasks, for which each task has sums of its own.
const (
	mostAffineSums  = 1 << 16
	mostAffineTasks = 32
)

// flushEvery is after how many terms float32 sums are put into float64 ones: few
// enough for their roundings to stay within the budget.
const flushEvery = 16

// elements is run where the elements of a run have one group, and an affine
// element each, side by side. It reports whether it can serve.
func (p *normGradient) elements() bool {
	if p.last.affine != 1 || p.given || p.fixed {
		return false
	}
	p.stream = streams(len(p.y)) && &p.y[0] != &p.x[0] && &p.y[0] != &p.dy[0] // measured: earlier than for planes
	switch few := p.g.Affine <= mostAffineSums; {
	case p.ownElements() && (!few || p.sets < manyGroups):
		p.elementStrips()
	case few:
		p.elementGroups()
	default:
		return false
	}
	return true
}

// ownElements reports whether each element of a group has an affine element of
// its own, which the groups have in common.
func (p *normGradient) ownElements() bool {
	for _, a := range p.kept {
		if a.affine != 0 {
			return false
		}
	}
	for _, a := range p.averaged {
		if a.affine == 0 {
			return false
		}
	}
	return true
}

// affineSums are sums of dy*xhat and of dy for the affine elements of some task.
type affineSums struct {
	buf, product, sum        []float32 // of the last few terms
	whole                    []float64
	wholeProduct, wholeShift []float64 // its halves
	terms                    int
}

func newAffineSums(n int) *affineSums {
	buf := getScratch(2 * n)
	clear(buf)
	whole := getDoubles(2 * n)
	return &affineSums{buf: buf, product: buf[:n:n], sum: buf[n:], whole: whole, wholeProduct: whole[:n:n], wholeShift: whole[n:]}
}

// added says that up to so many terms more are in each sum.
func (s *affineSums) added(terms int) {
	if s.terms += terms; s.terms >= flushEvery {
		s.flush()
	}
}

func (s *affineSums) flush() {
	simd.WidenAdd(s.wholeProduct, s.product)
	simd.WidenAdd(s.wholeShift, s.sum)
	s.terms = 0
}

// free gives the memory of the sums back.
func (s *affineSums) free() {
	putDoubles(s.whole)
	s.whole, s.wholeProduct, s.wholeShift = nil, nil, nil
}

// close gives the memory of the float32 sums back.
func (s *affineSums) close() {
	s.flush()
	putScratch(s.buf)
	s.buf, s.product, s.sum = nil, nil, nil
}

// elementGroups has tasks of some groups, each with affine sums of its own.
func (p *normGradient) elementGroups() {
	p.ownMoments()
	tasks := max(1, min(mostAffineTasks, 16*mostAffineSums/p.g.Affine, p.sets*p.g.Count/normTask))
	per := (p.sets + tasks - 1) / tasks
	sums := make([]*affineSums, (p.sets+per-1)/per)
	repeats := 1 // runs of a group that may have an affine element in common
	if !p.ownElements() {
		repeats = p.rows
	}
	ParallelRange(p.sets, per, p.ns(), func(low, high int) {
		s := newAffineSums(p.g.Affine)
		for set := low; set < high; set++ {
			x, group, _ := p.normalization.run(set, 0)
			p.pivot(group, p.x[x:][:p.last.size])
			var whole simd.GradSums
			for again := true; again; {
				whole = simd.GradSums{}
				for row := range p.rows {
					whole.Add(p.sumElements(set, row, 0, p.last.size))
				}
				_, again = p.groupMoments(group, &whole)
			}
			ahead := p.aheadBoth(set)
			for row := range p.rows {
				p.applyElements(set, row, 0, p.last.size, whole, s, 0, ahead)
				if repeats > 1 {
					s.added(1)
				}
			}
			if repeats == 1 {
				s.added(1)
			}
		}
		s.close()
		sums[low/per] = s
	})
	p.finishAffine(sums)
	for _, s := range sums {
		s.free()
	}
}

// finishAffine adds up the sums of tasks, in their order.
func (p *normGradient) finishAffine(sums []*affineSums) {
	n := p.g.Affine
	ParallelRange(n, 1024, float64(n*len(sums)), func(low, high int) {
		for a := low; a < high; a++ {
			product, sum := 0.0, 0.0
			for _, s := range sums {
				product += s.wholeProduct[a]
				sum += s.wholeShift[a]
			}
			p.dscale[a], p.dshift[a] = float32(product), float32(sum)
		}
	})
}

// elementStrips has tasks of pieces of the groups, for the sums, and then of the
// same stretch of all groups.
func (p *normGradient) elementStrips() {
	p.moments()
	perRun := (p.last.size + gradPiece - 1) / gradPiece
	parts := make([]simd.GradSums, p.sets*p.rows*perRun)
	ParallelRange(len(parts), max(1, normTask/p.last.size), p.ns(), func(low, high int) {
		for i := low; i < high; i++ {
			run, lo := i/perRun, i%perRun*gradPiece
			parts[i] = p.sumElements(run/p.rows, run%p.rows, lo, min(p.last.size, lo+gradPiece))
		}
	})
	whole := make([]simd.GradSums, p.sets)
	for i, s := range parts {
		whole[i/(p.rows*perRun)].Add(s)
	}
	const strip = 2048
	strips := (p.last.size + strip - 1) / strip
	ParallelRange(p.rows*strips, max(1, normTask/(p.sets*min(strip, p.last.size))), p.ns(), func(low, high int) {
		for i := low; i < high; i++ {
			row, lo := i/strips, i%strips*strip
			hi := min(p.last.size, lo+strip)
			s := newAffineSums(hi - lo)
			_, _, a := p.normalization.run(0, row)
			for set := range p.sets {
				p.applyElements(set, row, lo, hi, whole[set], s, a+lo, 0)
				s.added(1)
			}
			s.close()
			narrow(p.dscale[a+lo:a+hi], s.wholeProduct)
			narrow(p.dshift[a+lo:a+hi], s.wholeShift)
			s.free()
		}
	})
}

// sumElements returns the sums over elements lo to hi of a run.
func (p *normGradient) sumElements(set, row, lo, hi int) simd.GradSums {
	x, group, a := p.normalization.run(set, row)
	return p.sums(p.dy[x+lo:x+hi], p.x[x+lo:x+hi], p.scale[a+lo:a+hi], p.mean[group])
}

// applyElements computes dx for elements lo to hi of a run and adds to the affine
// sums, which begin at affine element first. What lies ahead, in bytes, is asked for.
func (p *normGradient) applyElements(set, row, lo, hi int, whole simd.GradSums, s *affineSums, first, ahead int) {
	x, group, a := p.normalization.run(set, row)
	l := p.line(group, whole)
	l.Ahead = ahead
	at, end := a+lo-first, a+hi-first
	l.ApplyAffine(p.y[x+lo:x+hi], p.dy[x+lo:x+hi], p.x[x+lo:x+hi], p.scale[a+lo:a+hi], s.product[at:end], s.sum[at:end], p.stream)
}
