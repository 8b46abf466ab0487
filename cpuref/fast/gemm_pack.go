package fast

import "github.com/kansu-dev/kansu/cpuref/internal/simd"

// panelRow returns the first row, within the block, of panel i of np.
func panelRow(i, np, rows int) int { return i * rows / np }

func (p *product) doPackA(_, i int) { p.packPanel(p.packedA, i) }

// packPanel packs a panel of A for one block of k: the blocks lie one after the
// other, and the panels of a block likewise.
func (p *product) packPanel(dst []float32, i int) {
	np := p.np
	k0 := i / np * gemmDepth
	kb := min(p.k-k0, gemmDepth)
	r0, r1 := panelRow(i%np, np, p.m), panelRow(i%np+1, np, p.m)
	packRows(dst[k0*p.m+r0*kb:k0*p.m+r1*kb], p.a, p.lda, p.transA, r0, r1-r0, k0, kb)
}

// packRows packs rows r0 to r0+n and columns k0 to k0+kn of a, or of its
// transpose, column by column.
func packRows(dst, a []float32, lda int, trans bool, r0, n, k0, kn int) {
	if kn == 0 {
		return
	}
	if trans {
		simd.CopyRows(&dst[0], &a[k0*lda+r0], n, lda, kn, n, n)
	} else {
		transposeRows(dst, a[r0*lda+k0:], n, lda, kn, n, n)
	}
}

// transposeRows is simd.Transpose for any number of rows n and width w >= n.
func transposeRows(dst, src []float32, dstStride, srcStride, cols, n, w int) {
	lanes := max(simd.Active().Lanes(), 4)
	for i := 0; i < w; i += lanes {
		wi := min(w-i, lanes)
		if ni := min(n-i, wi); ni > 0 {
			simd.Transpose(&dst[i], &src[i*srcStride], dstStride, srcStride, cols, ni, wi)
		} else {
			simd.CopyRows(&dst[i], &dst[i], dstStride, dstStride, cols, 0, wi)
		}
	}
}

// packTasks returns the number of tasks that pack the block of B.
func (p *product) packTasks() int {
	if p.byRows() {
		return p.parts * p.rowTasks()
	}
	return p.stripsOf(p.nb) * depthsOf(p.kb)
}

// rowTasks returns the number of tasks that pack a part of the block by rows.
func (p *product) rowTasks() int { return (p.kb + packRowsAtOnce - 1) / packRowsAtOnce }

// byRows reports whether B is packed some rows at a time over many columns, as
// memory likes to be read, rather than strip by strip.
func (p *product) byRows() bool { return p.pack == nil && !p.transB }

// partStrips returns the strips of a part of the block's columns.
func (p *product) partStrips(part int) (from, to int) {
	strips := p.stripsOf(p.nb)
	return part * strips / p.parts, (part + 1) * strips / p.parts
}

// doPackB packs a strip of the block of B for one block of k, or some rows of a
// part.
func (p *product) doPackB(_, i int) {
	w := p.ts.Cols
	if !p.byRows() {
		depths := depthsOf(p.kb)
		s, k := i/depths, i%depths*gemmDepth
		kb := min(p.kb-k, gemmDepth)
		p.packStrip(p.packedStrip(k, kb, s), p.k0+k, kb, p.j0+s*w, min(w, p.nb-s*w))
		return
	}
	from, to := p.partStrips(i / p.rowTasks())
	r := i % p.rowTasks() * packRowsAtOnce
	k, n := r/gemmDepth*gemmDepth, min(packRowsAtOnce, p.kb-r)
	kb := min(p.kb-k, gemmDepth)
	for s := from; s < to; s++ {
		p.packStrip(p.packedStrip(k, kb, s)[(r-k)*w:], p.k0+r, n, p.j0+s*w, min(w, p.nb-s*w))
	}
}

// packedStrip returns the part of the packed block of B that holds strip i of
// the block of k that starts at k0 in it.
func (p *product) packedStrip(k0, kb, i int) []float32 {
	w := p.ts.Cols
	return p.packedB[k0*p.stripsOf(p.nb)*w+i*w*kb:][:w*kb]
}

// packStrip packs rows k0 to k0+kn and columns j0 to j0+nj of B, nj at most the
// width of a tile.
func (p *product) packStrip(dst []float32, k0, kn, j0, nj int) {
	w := p.ts.Cols
	switch {
	case kn == 0:
	case p.pack != nil:
		p.pack(dst, k0, kn, j0, nj, w)
	case p.transB:
		transposeRows(dst, p.b[j0*p.ldb+k0:], w, p.ldb, kn, nj, w)
	default:
		simd.CopyRows(&dst[0], &p.b[k0*p.ldb+j0], w, p.ldb, kn, nj, w)
	}
}
