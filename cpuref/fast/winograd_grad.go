package fast

import (
	"sync"

	"github.com/kansu-dev/kansu/cpuref/internal/simd"
	"github.com/kansu-dev/kansu/spec"
)

// winoGrad is the gradient of a 3x3 kernel by the adjoint of Winograd's
// F(4x4, 3x3), or F(2x2, 3x3), under way. With the matrices of package simd it is
//
//	dw[k,c] = G^T (sum over tiles of (A'^T dy[k] A') * (B' x[c] B'^T)) G
//
// with products element by element: for each of 36 (or 16) points a product of
// matrices whose sums run over the tiles of all images, a quarter (or four ninths)
// of the multiplications of the direct sums.
//
// A task takes some output channels and some input channels through all steps. Where
// there is room, it transforms all tiles of its input channels first, and then takes a
// panel of output channels after the other, and two vectors of input channels at a
// time, so that the sums are few. Else it goes on by blocks of tiles, so that it needs
// the sums of all its channels, but the transforms of one block only. Others transform
// the same channels again, which is little beside the products, and nothing goes from
// one processor to another. How tiles form blocks, and so every bit, depends on the
// shape alone.
type winoGrad struct {
	*gradForm
	g         *spec.Conv
	dw, dy, x []float32
	lanes     int
	workers   int
	gi        int // the group in hand
	cg, kg    int
	th, tw    int  // tiles of an image
	segs      int  // into which a row of tiles is cut
	units     int  // such segments in all images
	block     int  // units of a block
	tiles     int  // of a block, at most
	rows      int  // output channels of a task, a multiple of lanes
	cols      int  // input channels of a task, a multiple of two vectors
	once      bool // all tiles of a task's input channels are transformed first
	failed    [2][]int
}

const (
	gradLeast   = 32        // tiles at least: with fewer, normal data hardly pass the guard
	gradSegment = 8         // tiles that are transformed at once: their rows stay in the first-level cache
	gradMost    = 1 << 16   // tiles at most, for the sake of the guard's sums
	gradGap     = 16        // floats behind each point, so that points do not meet in few sets of the cache
	gradCache   = 320 << 10 // floats of a task, so that it stays in the second-level cache
)

// gradChains are the numbers of tiles that a block may have, whose products are
// summed by themselves.
var gradChains = [...]int{32, 24, 16, 8}

// winogradGradShape says whether the method computes the gradient of a
// convolution's weight.
func winogradGradShape(g *spec.Conv) bool {
	if g.Kernel != [3]int{1, 3, 3} || g.Stride != [3]int{1, 1, 1} || g.Dilation != [3]int{1, 1, 1} ||
		g.In[0] != 1 || g.Out[0] != 1 || g.PadMode != spec.PadZeros || g.PadBegin[0] != 0 || g.PadEnd[0] != 0 || g.Direct {
		return false
	}
	for i := 1; i < 3; i++ {
		if g.PadBegin[i] < 0 || g.PadBegin[i] > 2 || g.PadEnd[i] < 0 || g.PadEnd[i] > 2 {
			return false
		}
	}
	return g.N*((g.Out[1]+3)/4)*((g.Out[2]+3)/4) <= gradMost
}

// newWinoGrad plans a gradient, or returns nil where the method has no advantage.
// Where there are too few large tiles, small ones may do.
func newWinoGrad(dw, dy, x []float32, g *spec.Conv) *winoGrad {
	forced := forcedConv == convWinograd
	if ts := simd.ActiveTiles(); !winogradGradShape(g) || ts.Alone() && !forced {
		return nil
	}
	p := &winoGrad{g: g, dw: dw, dy: dy, x: x, lanes: simd.WinogradLanes(), cg: g.CG(), kg: g.KG()}
	all := p.use(&gradQuads)
	if forced && forcedPairs || !forced && all < gradLeast {
		all = p.use(&gradPairs)
	}
	if all < gradLeast && !forced {
		return nil
	}
	limit := (len(dy)+len(x)+len(dw))/2 - (p.kg+p.cg)*sideFloats
	p.segs = (p.tw + gradSegment - 1) / gradSegment
	p.units = g.N * p.th * p.segs
	width := (p.tw + p.segs - 1) / p.segs
	// Whether it pays must not depend on the number of threads: bits would.
	p.workers = winogradPair
	direct := g.Flops() / 2 / float64(g.Groups) / float64(2*p.lanes) * gradDirect / winogradPair
	blocks := (all + gradChains[0] - 1) / gradChains[0] // equal ones
	p.setBlock((p.units + blocks - 1) / blocks)
	p.once = true
	cost := p.cut(all, limit)
	if p.cols == 0 {
		p.once = false
		for _, chain := range gradChains { // the first for which there is room
			p.setBlock(chain / width)
			if all >= 2*chain && winogradPair*p.floats(2*p.lanes, 2*p.lanes) <= limit {
				break
			}
		}
		cost = p.cut(all, limit)
	}
	if cost > direct && !forced {
		return nil
	}
	p.workers = workersFor(g.Flops() / float64(16*simd.ActiveTiles().Lanes))
	p.cut(all, limit)
	return p
}

// forcedPairs is set by tests that force the method, to have the small tiles.
var forcedPairs bool

// use chooses the form, and returns the number of tiles.
func (p *winoGrad) use(f *gradForm) int {
	p.gradForm = f
	p.th, p.tw = (p.g.Out[1]+f.tile-1)/f.tile, (p.g.Out[2]+f.tile-1)/f.tile
	return p.g.N * p.th * p.tw
}

// setBlock sets the number of units of a block.
func (p *winoGrad) setBlock(units int) {
	p.block = min(p.units, max(1, units))
	p.tiles = p.block * ((p.tw + p.segs - 1) / p.segs)
}

// onceStep returns how far apart the points of some channels of all tiles are.
func (p *winoGrad) onceStep(channels int) int { return p.tilesOf(0, p.units)*channels + gradGap }

// gradDirect is the time of the direct sums in units of that of their
// multiplications, at best.
const gradDirect = 1.6

// cut chooses the size of the tasks, and returns the time of all of one group in
// cycles: the larger they are the less is transformed more than once, but the
// memory of two that are under way may be no more than limit floats.
func (p *winoGrad) cut(all, limit int) float64 {
	best, L := 0.0, p.lanes
	p.rows, p.cols = 0, 0
	most := 16 * L // the sums of all channels of a task take much
	if p.once {
		most = 64 * L
	}
	for rows := L; rows < p.kg+L && rows <= most; rows += L {
		for cols := 2 * L; cols < p.cg+2*L && cols <= most; cols += 2 * L {
			tasks := ((p.kg + rows - 1) / rows) * ((p.cg + cols - 1) / cols)
			workers := min(p.workers, tasks)
			size := p.floats(rows, cols)
			fits := min(workers, winogradPair)*size <= limit && size <= gradCache
			if !fits && (p.once || rows > L || cols > 2*L) {
				continue // the smallest has to do, but where there is another way
			}
			area := float64(rows * cols)
			one := float64(all)*(float64(p.points)*area/float64(2*L)*1.2+p.cost[0]*float64(rows)+p.cost[1]*float64(cols)) + p.cost[2]*area
			cost := one * float64((tasks+workers-1)/workers)
			if !fits {
				cost *= 1e3 // if nothing better can be had
			}
			if best == 0 || cost < best {
				best, p.rows, p.cols = cost, rows, cols
			}
		}
	}
	return best
}

// floats returns what a task takes.
func (p *winoGrad) floats(rows, cols int) int {
	pairs := cols / (2 * p.lanes)
	n := p.points * (rows*cols + p.tiles*(rows+cols) + gradGap*(1+2*pairs))
	if p.once {
		rows = min(rows, gradPanel*p.lanes)
		n = p.points * (rows*2*p.lanes + gradGap + p.onceStep(rows) + pairs*p.onceStep(2*p.lanes))
	}
	_, size := scratchClass(n + p.lineFloats())
	return size
}

// lineFloats returns what the transforms of a unit take: rows of the input and of
// what becomes of them, or nine taps of some output channels.
func (p *winoGrad) lineFloats() int {
	wide := p.tile*((p.tw+p.segs-1)/p.segs) + 2
	return max(2*p.patch*wide, 9*gradOutputs+p.spare) * p.lanes
}

// gradOutputs is how many output channels are transformed back at once, and gradPanel
// how many vectors of them a task takes through all steps where it has all tiles.
const (
	gradOutputs = 8
	gradPanel   = 2
)

// winogradGradTrace is set by tests, to see how many channels were computed and how
// many of them directly.
var winogradGradTrace func(channels, direct int)

// run computes the gradient. It returns false, and leaves dw undefined, where the
// guard refuses.
func (p *winoGrad) run() bool {
	g := p.g
	for p.gi = range g.Groups {
		if !p.guard() {
			return false
		}
		down, across, task := (p.kg+p.rows-1)/p.rows, (p.cg+p.cols-1)/p.cols, p.task
		if p.once {
			task = p.taskOnce
		}
		parallel(p.workers, down*across, func(_, i int) { task(i%down*p.rows, i/down*p.cols) })
		p.repair()
		if winogradGradTrace != nil {
			winogradGradTrace(p.kg+p.cg, len(p.failed[0])+len(p.failed[1]))
		}
	}
	return true
}

var winogradOuters = sync.Pool{New: func() any { return new(simd.WinogradOuter) }}

// task computes the gradients of p.rows output channels from k0 on and p.cols input
// channels from c0 on, where there are so many.
func (p *winoGrad) task(k0, c0 int) {
	L := p.lanes
	kn, cn := min(p.rows, p.kg-k0), min(p.cols, p.cg-c0)
	rows := (kn + L - 1) / L * L
	pairs := (cn + 2*L - 1) / (2 * L)
	aPos, bPos, mPos := p.tiles*rows+gradGap, p.tiles*2*L+gradGap, rows*2*L+gradGap
	size := p.points*(mPos*pairs+aPos+bPos*pairs) + p.lineFloats()
	buf := getScratchWithin(size, 5*size/2) // such as that of the input's gradient before
	defer putScratch(buf)
	m, rest := buf[:p.points*mPos*pairs], buf[p.points*mPos*pairs:]
	a, b, lines := rest[:p.points*aPos], rest[p.points*aPos:][:p.points*bPos*pairs], rest[p.points*(aPos+bPos*pairs):]
	o := winogradOuters.Get().(*simd.WinogradOuter)
	for u0 := 0; u0 < p.units; u0 += p.block {
		u1 := min(p.units, u0+p.block)
		p.gradients(a, lines, k0, kn, u0, u1, aPos, rows)
		for i := range pairs {
			at := b[p.points*bPos*i:]
			p.inputs(at, lines, c0+2*L*i, min(2*L, cn-2*L*i), u0, u1, bPos)
			*o = simd.WinogradOuter{M: &m[p.points*mPos*i], A: &a[0], B: &at[0], Panels: rows / simd.WinogradOuterRows(), Tiles: p.tilesOf(u0, u1), Add: min(u0, 1), Points: p.points}
			o.Run(aPos, bPos, mPos, rows)
		}
	}
	*o = simd.WinogradOuter{}
	winogradOuters.Put(o)
	for i := range pairs {
		p.output(m[p.points*mPos*i:], lines, k0, kn, c0+2*L*i, min(2*L, cn-2*L*i), mPos)
	}
}

// taskOnce is task where there is room for all tiles.
func (p *winoGrad) taskOnce(k0, c0 int) {
	L := p.lanes
	kn, cn := min(p.rows, p.kg-k0), min(p.cols, p.cg-c0)
	panel := min(gradPanel*L, (kn+L-1)/L*L)
	pairs := (cn + 2*L - 1) / (2 * L)
	aPos, bPos, mPos := p.onceStep(panel), p.onceStep(2*L), panel*2*L+gradGap
	buf := getScratch(p.points*(mPos+aPos+bPos*pairs) + p.lineFloats())
	defer putScratch(buf)
	m, rest := buf[:p.points*mPos], buf[p.points*mPos:]
	a, b, lines := rest[:p.points*aPos], rest[p.points*aPos:][:p.points*bPos*pairs], rest[p.points*(aPos+bPos*pairs):]
	for i := range pairs {
		p.inputs(b[p.points*bPos*i:], lines, c0+2*L*i, min(2*L, cn-2*L*i), 0, p.units, bPos)
	}
	o := winogradOuters.Get().(*simd.WinogradOuter)
	for k := 0; k < kn; k += panel {
		n := min(panel, kn-k)
		rows := (n + L - 1) / L * L
		p.gradients(a, lines, k0+k, n, 0, p.units, aPos, rows)
		for i := range pairs {
			from := b[p.points*bPos*i:]
			for u0 := 0; u0 < p.units; u0 += p.block {
				u1, at := min(p.units, u0+p.block), p.tilesOf(0, u0)
				*o = simd.WinogradOuter{M: &m[0], A: &a[at*rows], B: &from[at*2*L], Panels: rows / simd.WinogradOuterRows(), Tiles: p.tilesOf(u0, u1), Add: min(u0, 1), Points: p.points}
				o.Run(aPos, bPos, mPos, rows)
			}
			p.output(m, lines, k0+k, n, c0+2*L*i, min(2*L, cn-2*L*i), mPos)
		}
	}
	*o = simd.WinogradOuter{}
	winogradOuters.Put(o)
}

// tilesOf returns the number of tiles in units u0 to u1.
func (p *winoGrad) tilesOf(u0, u1 int) int {
	return (u1/p.segs-u0/p.segs)*p.tw + u1%p.segs*p.tw/p.segs - u0%p.segs*p.tw/p.segs
}

// gradients transforms the tiles of units u0 to u1 of kn channels of dy, for rows of
// them: the points are pos floats apart.
func (p *winoGrad) gradients(a, lines []float32, k0, kn, u0, u1, pos, rows int) {
	for u := u0; u < u1; u++ {
		t0, t1 := u%p.segs*p.tw/p.segs, (u%p.segs+1)*p.tw/p.segs
		for k := 0; k < kn; k += p.lanes {
			p.gradient(a[p.tilesOf(u0, u)*rows+k:], lines, k0+k, min(p.lanes, kn-k), u/p.segs, t0, t1, pos, rows)
		}
	}
}

// inputs transforms the tiles of units u0 to u1 of cn channels of x, at most two
// vectors of them.
func (p *winoGrad) inputs(b, lines []float32, c0, cn, u0, u1, pos int) {
	if cn <= p.lanes { // the second has no channels
		clear(b[:p.points*pos])
	}
	for u := u0; u < u1; u++ {
		t0, t1 := u%p.segs*p.tw/p.segs, (u%p.segs+1)*p.tw/p.segs
		for c := 0; c < cn; c += p.lanes {
			p.input(b[p.tilesOf(u0, u)*2*p.lanes+c:], lines, c0+c, min(p.lanes, cn-c), u/p.segs, t0, t1, pos)
		}
	}
}

// output transforms the sums of kn output channels and cn input channels, at most
// two vectors of them, to taps.
func (p *winoGrad) output(m, lines []float32, k0, kn, c0, cn, pos int) {
	L := p.lanes
	taps, tmp := lines[:9*gradOutputs*L], lines[9*gradOutputs*L:]
	for c := 0; c < cn; c += L {
		for k := 0; k < kn; k += gradOutputs {
			n := min(gradOutputs, kn-k)
			p.taps(&taps[0], &m[k*2*L+c], &tmp[0], n, pos, 2*L)
			for i := range n {
				at := ((p.gi*p.kg+k0+k+i)*p.cg + c0 + c) * 9
				simd.TransposeTall(&p.dw[at], &taps[9*i*L], 9, L, 9, min(L, cn-c))
			}
		}
	}
}

// gradient transforms tiles t0 to t1 of a row of tiles of n channels of dy.
func (p *winoGrad) gradient(dst, lines []float32, k, n, row, t0, t1, pos, tile int) {
	g, L := p.g, p.lanes
	wide := p.tile * (t1 - t0)
	after := lines[p.tile*wide*L:]
	h0, w0 := row%p.th*p.tile, p.tile*t0
	src := p.dy[(row/p.th*g.K+p.gi*p.kg+k)*g.OutSize():]
	cols := min(wide, g.Out[2]-w0)
	for r := range p.tile {
		line := lines[r*wide*L:][:wide*L]
		if h0+r >= g.Out[1] {
			clear(line)
			continue
		}
		simd.Transpose(&line[0], &src[(h0+r)*g.Out[2]+w0], L, g.OutSize(), cols, n, L)
		clear(line[cols*L:])
	}
	p.dyRows(&after[0], &lines[0], wide, wide*L, wide*L)
	p.dyCols(&dst[0], &after[0], t1-t0, pos, tile, wide*L)
}

// input transforms the inputs of tiles t0 to t1 of a row of tiles of n channels.
func (p *winoGrad) input(dst, lines []float32, c, n, row, t0, t1, pos int) {
	g, L := p.g, p.lanes
	wide := p.tile*(t1-t0) + 2
	after := lines[p.patch*wide*L:]
	h0, w0 := row%p.th*p.tile-g.PadBegin[1], p.tile*t0-g.PadBegin[2]
	src := p.x[(row/p.th*g.C+p.gi*p.cg+c)*g.InSize():]
	left := min(wide, max(0, -w0))
	right := max(left, min(wide, g.In[2]-w0))
	for r := range p.patch {
		line := lines[r*wide*L:][:wide*L]
		if h0+r < 0 || h0+r >= g.In[1] || left == right {
			clear(line)
			continue
		}
		clear(line[:left*L])
		simd.Transpose(&line[left*L], &src[(h0+r)*g.In[2]+w0+left], L, g.InSize(), right-left, n, L)
		clear(line[right*L:])
	}
	p.xRows(&after[0], &lines[0], wide, wide*L, wide*L)
	p.xCols(&dst[0], &after[0], t1-t0, pos, 2*L, wide*L)
}
