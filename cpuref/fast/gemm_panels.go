package fast

import "github.com/kansu-dev/kansu/cpuref/internal/simd"

// panels computes a product of few rows: A is packed whole, by each worker for
// itself if it is small, and each task packs the strips of B that it needs, one at a
// time, and uses them at once.
func (p *product) panels() {
	workers := workersFor(p.ns())
	p.j0, p.nb = 0, p.n
	p.has = p.has[:0]
	if p.m*p.k <= gemmCache/4 {
		for range workers {
			p.has = append(p.has, false)
		}
	}
	p.packedA = getScratch(max(1, len(p.has)) * p.m * p.k)
	if len(p.has) == 0 {
		parallel(workers, p.np*depthsOf(p.k), p.packATask)
	}
	// A task is some microseconds long, and wide enough for the epilogue and for B
	// and C to be read and written in stretches; each worker has a few.
	strip := 2 * p.m * (p.k + 1) * p.ts.Cols
	strips := p.stripsOf(p.n)
	rounds := max(4, (strips+gemmFinish*workers-1)/(gemmFinish*workers))
	p.perTask = max(1, 1000000/strip, (strips+rounds*workers-1)/(rounds*workers))
	p.wide = 1
	if p.byRows() {
		p.wide = min(p.perTask, gemmFinish)
	}
	parallelShares(workers, (strips+p.perTask-1)/p.perTask, p.panelTask)
	putScratch(p.packedA)
}

// doPanel computes the strips of task i, p.wide of them at a time: through all
// of k, or, where A does not stay in the cache, block by block of k.
func (p *product) doPanel(worker, i int) {
	w := p.ts.Cols
	a := p.packedA
	if len(p.has) > 0 {
		a = a[worker*p.m*p.k:][:p.m*p.k]
		if !p.has[worker] {
			p.has[worker] = true
			for j := range p.np * depthsOf(p.k) {
				p.packPanel(a, j)
			}
		}
	}
	t := tiles.Get().(*simd.Tile)
	buf := getScratch(p.wide * min(p.k, gemmDepth) * w)
	s0, s1 := i*p.perTask, min((i+1)*p.perTask, p.stripsOf(p.n))
	if p.m*p.k > gemmCache {
		for k0 := 0; k0 < p.k; k0 += gemmDepth {
			for s := s0; s < s1; s += p.wide {
				p.panelStrips(t, a, buf, s, min(s+p.wide, s1), k0)
			}
		}
	} else {
		for s := s0; s < s1; s += p.wide {
			for k0 := 0; k0 < p.k || k0 == 0; k0 += gemmDepth {
				p.panelStrips(t, a, buf, s, min(s+p.wide, s1), k0)
			}
		}
	}
	putScratch(buf)
	*t = simd.Tile{}
	tiles.Put(t)
	p.finish(0, p.m, s0*w, min(s1*w, p.n))
}

// panelStrips packs strips s to end of B for the block of k that starts at k0, and
// computes with them.
func (p *product) panelStrips(t *simd.Tile, packedA, buf []float32, s, end, k0 int) {
	w, np := p.ts.Cols, p.np
	kb := min(p.k-k0, gemmDepth)
	a := packedA[k0*p.m:]
	if end-s == 1 {
		p.packStrip(buf[:kb*w], k0, kb, s*w, min(w, p.n-s*w))
		var ahead []float32
		if next := (s + 1) * w; p.transB && next < p.n && kb > 0 && p.m*p.k <= gemmCache {
			// All of the next strip is one stretch, more or less.
			t.Step = w
			ahead = p.b[min(len(p.b), next*p.ldb+k0*w):min(len(p.b), (next+w)*p.ldb)]
		}
		p.strip(t, a, buf, ahead, k0, kb, s*w, min(w, p.n-s*w), 0, np)
		return
	}
	for k := 0; k < kb; k += packRowsAtOnce {
		for i := s; i < end; i++ {
			n := min(packRowsAtOnce, kb-k)
			p.packStrip(buf[((i-s)*kb+k)*w:][:n*w], k0+k, n, i*w, min(w, p.n-i*w))
		}
	}
	for q := range np {
		for i := s; i < end; i++ {
			p.strip(t, a[panelRow(q, np, p.m)*kb:], buf[(i-s)*kb*w:], nil, k0, kb, i*w, min(w, p.n-i*w), q, q+1)
		}
	}
}
