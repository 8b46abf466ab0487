package fast

// How the work of Winograd's method is cut, and what memory it takes.

// tileBlock is a block of tiles: rows row0 to row1, of all images, and in each of
// them tiles col0 to col1.
type tileBlock struct{ row0, row1, col0, col1 int }

func (b tileBlock) tiles() int { return (b.row1 - b.row0) * (b.col1 - b.col0) }

// plan decides how the work is cut, so that scratch memory comes to less than half
// of the tensors' size. The bits do not depend on it, but for activations that are
// computed otherwise where they stand at the end of a line.
func (p *wino) plan() {
	workers := min(p.workers, winogradPair)
	if _, partial := partialOf(p.act.Func); partial {
		workers = winogradPair
	}
	limit := (len(p.x) + len(p.y) + p.g.K*p.cg*9) * 47 / 100
	total := func() int { return p.sharedLen() + workers*p.eachLen() }
	most := winogradFew
	if 36*p.strips*p.stripPoint() > winogradU {
		most = winogradMany
	}
	for p.held = true; most >= winogradFew/2; most /= 2 {
		p.cut(most)
		if p.rows*p.tw >= 2*p.block*p.cols && total() <= limit {
			return
		}
	}
	// One more row at a time, as long as there is memory.
	p.held, p.cols, p.block = false, p.tw, p.rows
	for p.chunk = 2 * unitCount; p.chunk > unitCount && total() > limit; p.chunk /= 2 {
	}
	least := min(p.rows, (2*winogradFew+p.tw-1)/p.tw)
	for p.block > least && total() > limit {
		p.block--
	}
	blocks := (p.rows + p.block - 1) / p.block
	p.block = (p.rows + blocks - 1) / blocks
}

// cut sets the blocks to about so many tiles.
func (p *wino) cut(most int) {
	p.block, p.cols = max(1, most/p.tw), p.tw
	if p.tw > most {
		pieces := (p.tw + most - 1) / most
		p.cols = (p.tw + pieces - 1) / pieces
	}
}

// stripPoint returns how many floats apart the points of a strip's weights are,
// where they are held.
func (p *wino) stripPoint() int { return p.width*p.vectors*p.lanes + winogradGap }

// piecePoint returns the same of a piece.
func (p *wino) piecePoint() int { return p.width*p.piece + winogradGap }

// sharedLen returns the floats of the memory that all workers share.
func (p *wino) sharedLen() int {
	if p.held {
		return 36 * p.strips * p.stripPoint()
	}
	return 36 * p.block * p.cols * p.vectors * p.lanes
}

// eachLen returns the floats of a worker's own memory.
func (p *wino) eachLen() int {
	tiles, channels := p.block*p.cols, p.vectors*p.lanes
	// The copy of the input's rows is no larger than the sums, which come later.
	each := 36*tiles*p.width + p.backLen(p.cols)
	if p.held {
		each = max(each+36*tiles*channels, p.weightsLen(unitCount))
	} else {
		each += p.weightsLen(p.chunk) + 6*p.piecePoint()
	}
	return max(each, p.guard.measureLen())
}

// mine returns the memory of a worker.
func (p *wino) mine(worker int) scratchArena {
	return scratchArena(p.own[worker*p.each:][:p.each])
}

// scratchArena is memory that is handed out piece by piece.
type scratchArena []float32

func (a *scratchArena) take(n int) []float32 {
	s := (*a)[:n:n]
	*a = (*a)[n:]
	return s
}
