package fast

import "github.com/kansu-dev/kansu/cpuref/internal/simd"

// Where the channels fill tiles by themselves, the copy of the input is cut into
// blocks of as many as a tile has columns: the rows of a tile's B, which are places
// of such a block one tap off the positions, then lie one behind the other, and all
// taps find them in the cache, rather than in a few sets of it. One panel of output
// channels and one block of input channels are computed for all taps in turn. Where
// one round has all positions, their sums go to the weight from a small buffer, so
// that the weight is written once.

// blocksPay reports whether blocks of channels fill the tiles hardly less than runs
// of taps, which have cols columns, and their places not much less.
func (p *weightGrad) blocksPay(cols int) bool {
	filled := func(n int) float64 { return float64(n) / float64(p.ts.Columns(n)) }
	cg := p.g.CG()
	return 4*cg >= 3*p.strips(cg)*p.ts.Cols && filled(cg) >= 0.95*filled(cols)
}

// pairs returns the number of pairs of a panel and a block.
func (p *weightGrad) pairs() int { return p.g.Groups * p.blocks * p.panels() }

// once reports whether each sum is complete when its tiles are computed, and goes to
// where it belongs in the weight at once.
func (p *weightGrad) once() bool {
	return p.blocked && p.chunks == 1 && p.images == p.g.N && p.lines == p.g.Out[p.axis]
}

// blockTask adds the round's products for some pairs.
func (r *weightRound) blockTask(i int) {
	p := r.p
	g, np, kg, cg := p.g, p.panels(), p.g.KG(), p.g.CG()
	taps, cols := len(p.runs), p.ts.Cols
	terms := cg * taps
	t := tiles.Get().(*simd.Tile)
	once := p.once() && taps > 1
	var buf []float32
	if once {
		buf = getScratch(p.ts.Rows * taps * cols)
	}
	for pair := i * p.perTask; pair < min((i+1)*p.perTask, p.pairs()); pair++ {
		q, block, gi := pair%np, pair/np%p.blocks, pair/np/p.blocks
		a, z := panelRow(q, np, kg), panelRow(q+1, np, kg)
		c := block * cols
		t.N = min(cols, cg-c)
		dw := r.acc[(gi*kg+a)*terms+c*taps:]
		for tap, at := range p.runs {
			c := dw[tap*t.N:]
			t.LDC = terms
			if once {
				t.Next, t.Step = &c[0], terms // will be written soon
				c, t.LDC = buf[tap*cols:], taps*cols
			}
			t.C = &c[0]
			for k0 := 0; k0 < r.total; k0 += gemmK {
				t.K = min(r.total-k0, gemmK)
				t.Offs = &p.offs[k0]
				t.Mode = simd.FromC
				if k0 == 0 && r.first {
					t.Mode = simd.FromZero
				}
				t.B = &r.copied[gi*p.group+block*p.part+at]
				t.A = &r.packed[(k0*g.Groups+gi*t.K)*kg+a*t.K]
				p.ts.Run(t, z-a)
			}
		}
		if once {
			for k := range z - a {
				turnTaps(dw[k*terms:], buf[k*taps*cols:], taps, cols, t.N)
			}
		}
	}
	*t = simd.Tile{}
	tiles.Put(t)
	putScratch(buf)
}

// turnTaps turns taps rows of n sums, which are w floats apart, into the order of
// the weight: n rows of taps. Whole vectors of src are read.
func turnTaps(dst, src []float32, taps, w, n int) {
	lanes := simd.WinogradLanes()
	for c := 0; c < n; c += lanes {
		simd.TransposeTall(&dst[c*taps], &src[c], taps, w, taps, min(lanes, n-c))
	}
}
