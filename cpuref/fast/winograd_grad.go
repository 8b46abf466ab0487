package fast

import (
	"sync"

	"github.com/kansu-dev/kansu/cpuref/internal/simd"
	"github.com/kansu-dev/kansu/spec"
)

// winoGrad is the gradient of a 3x3 kernel by the adjoint of Winograd's
// F(4x4, 3x3) under way. With the matrices of package simd it is
//
//	dw[k,c] = G^T (sum over tiles of (A'^T dy[k] A') * (B' x[c] B'^T)) G
//
// with products element by element: for each of 36 points a product of matrices
// whose sums run over the tiles of all images, a quarter of the multiplications of
// the direct sums.
//
// A task takes some output channels and some input channels through all steps, a
// block of tiles at a time, so that it needs only their sums and the transforms of
// one block. Others transform the same channels again, which is little beside the
// products. How tiles form blocks, and so every bit, depends on the shape alone.
type winoGrad struct {
	g         *spec.Conv
	dw, dy, x []float32
	lanes     int
	workers   int
	gi        int // the group in hand
	cg, kg    int
	th, tw    int // tiles of an image
	segs      int // into which a row of tiles is cut
	units     int // such segments in all images
	block     int // units of a block
	tiles     int // of a block, at most
	rows      int // output channels of a task, a multiple of lanes
	cols      int // input channels of a task, a multiple of two vectors
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
func newWinoGrad(dw, dy, x []float32, g *spec.Conv) *winoGrad {
	forced := forcedConv == convWinograd
	if ts := simd.ActiveTiles(); !winogradGradShape(g) || ts.Alone() && !forced {
		return nil
	}
	p := &winoGrad{g: g, dw: dw, dy: dy, x: x, lanes: simd.WinogradLanes(), cg: g.CG(), kg: g.KG()}
	p.th, p.tw = (g.Out[1]+3)/4, (g.Out[2]+3)/4
	all := g.N * p.th * p.tw
	if all < gradLeast && !forced {
		return nil
	}
	limit := (len(dy)+len(x)+len(dw))/2 - (p.kg+p.cg)*sideFloats
	p.segs = (p.tw + gradSegment - 1) / gradSegment
	p.units = g.N * p.th * p.segs
	width := (p.tw + p.segs - 1) / p.segs
	for _, chain := range gradChains { // the first for which there is room
		p.block = min(p.units, max(1, chain/width))
		p.tiles = p.block * width
		if all >= 2*chain && winogradPair*p.floats(2*p.lanes, 2*p.lanes) <= limit {
			break
		}
	}
	// Whether it pays must not depend on the number of threads: bits would.
	p.workers = winogradPair
	direct := g.Flops() / 2 / float64(g.Groups) / float64(2*p.lanes) * gradDirect / winogradPair
	if cost := p.cut(all, limit); cost > direct && !forced {
		return nil
	}
	p.workers = workersFor(g.Flops() / float64(16*simd.ActiveTiles().Lanes))
	p.cut(all, limit)
	return p
}

// gradDirect is the time of the direct sums in units of that of their
// multiplications, at best.
const gradDirect = 1.6

// cut chooses the size of the tasks, and returns the time of all of one group in
// cycles: the larger they are the less is transformed more than once, but the
// memory of two that are under way may be no more than limit floats.
func (p *winoGrad) cut(all, limit int) float64 {
	best, L := 0.0, p.lanes
	for rows := L; rows < p.kg+L && rows <= 16*L; rows += L {
		for cols := 2 * L; cols < p.cg+2*L && cols <= 16*L; cols += 2 * L {
			tasks := ((p.kg + rows - 1) / rows) * ((p.cg + cols - 1) / cols)
			workers := min(p.workers, tasks)
			size := p.floats(rows, cols)
			fits := min(workers, winogradPair)*size <= limit && size <= gradCache
			if !fits && (rows > L || cols > 2*L) {
				continue
			}
			area := float64(rows * cols)
			one := float64(all)*(36*area/float64(2*L)*1.2+float64(12*rows+16*cols)) + 16*area
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
	_, size := scratchClass(36*(rows*cols+p.tiles*(rows+cols)+gradGap*(1+2*pairs)) + p.lineFloats())
	return size
}

// lineFloats returns what the transforms of a unit take: rows of the input and of
// what becomes of them, or nine taps of some output channels.
func (p *winoGrad) lineFloats() int {
	wide := 4*((p.tw+p.segs-1)/p.segs) + 2
	return max(12*wide, 9*gradOutputs+18) * p.lanes
}

// gradOutputs is how many output channels are transformed back at once.
const gradOutputs = 8

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
		down, across := (p.kg+p.rows-1)/p.rows, (p.cg+p.cols-1)/p.cols
		parallel(p.workers, down*across, func(_, i int) { p.task(i%down*p.rows, i/down*p.cols) })
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
	width := 2 * L
	kn, cn := min(p.rows, p.kg-k0), min(p.cols, p.cg-c0)
	rows := (kn + L - 1) / L * L
	pairs := (cn + width - 1) / width
	aPos, bPos := p.tiles*rows+gradGap, p.tiles*width+gradGap
	mPos := rows*width + gradGap
	size := 36*(mPos*pairs+aPos+bPos*pairs) + p.lineFloats()
	buf := getScratchWithin(size, 5*size/2) // such as that of the input's gradient before
	defer putScratch(buf)
	m, rest := buf[:36*mPos*pairs], buf[36*mPos*pairs:]
	a, b, lines := rest[:36*aPos], rest[36*aPos:][:36*bPos*pairs], rest[36*(aPos+bPos*pairs):]
	if last := cn - (pairs-1)*width; last <= L { // half a pair has no channels
		clear(b[36*bPos*(pairs-1):])
	}
	o := winogradOuters.Get().(*simd.WinogradOuter)
	for u0 := 0; u0 < p.units; u0 += p.block {
		at := 0 // tiles so far
		for u := u0; u < min(p.units, u0+p.block); u++ {
			t0, t1 := u%p.segs*p.tw/p.segs, (u%p.segs+1)*p.tw/p.segs
			row := u / p.segs
			for k := 0; k < kn; k += L {
				p.gradient(a[at*rows+k:], lines, k0+k, min(L, kn-k), row, t0, t1, aPos, rows)
			}
			for c := 0; c < cn; c += L {
				p.input(b[c/width*36*bPos+at*width+c%width:], lines, c0+c, min(L, cn-c), row, t0, t1, bPos)
			}
			at += t1 - t0
		}
		for i := range pairs {
			*o = simd.WinogradOuter{M: &m[36*mPos*i], A: &a[0], B: &b[36*bPos*i], Panels: rows / simd.WinogradOuterRows(), Tiles: at, Add: min(u0, 1)}
			o.Run(aPos, bPos, mPos, rows)
		}
	}
	*o = simd.WinogradOuter{}
	winogradOuters.Put(o)
	taps, tmp := lines[:9*gradOutputs*L], lines[9*gradOutputs*L:]
	for c := 0; c < cn; c += L {
		from := m[c/width*36*mPos+c%width:]
		for k := 0; k < kn; k += gradOutputs {
			n := min(gradOutputs, kn-k)
			simd.WinogradGradOutput(&taps[0], &from[k*width], &tmp[0], n, mPos, width)
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
	wide := 4 * (t1 - t0)
	after := lines[4*wide*L:]
	h0, w0 := row%p.th*4, 4*t0
	src := p.dy[(row/p.th*g.K+p.gi*p.kg+k)*g.OutSize():]
	cols := min(wide, g.Out[2]-w0)
	for r := range 4 {
		line := lines[r*wide*L:][:wide*L]
		if h0+r >= g.Out[1] {
			clear(line)
			continue
		}
		simd.Transpose(&line[0], &src[(h0+r)*g.Out[2]+w0], L, g.OutSize(), cols, n, L)
		clear(line[cols*L:])
	}
	simd.WinogradGradRows(&after[0], &lines[0], wide, wide*L, wide*L)
	simd.WinogradGradCols(&dst[0], &after[0], t1-t0, pos, tile, wide*L)
}

// input transforms the inputs of tiles t0 to t1 of a row of tiles of n channels.
func (p *winoGrad) input(dst, lines []float32, c, n, row, t0, t1, pos int) {
	g, L := p.g, p.lanes
	wide := 4*(t1-t0) + 2
	after := lines[6*wide*L:]
	h0, w0 := row%p.th*4-g.PadBegin[1], 4*t0-g.PadBegin[2]
	src := p.x[(row/p.th*g.C+p.gi*p.cg+c)*g.InSize():]
	left := min(wide, max(0, -w0))
	right := max(left, min(wide, g.In[2]-w0))
	for r := range 6 {
		line := lines[r*wide*L:][:wide*L]
		if h0+r < 0 || h0+r >= g.In[1] || left == right {
			clear(line)
			continue
		}
		clear(line[:left*L])
		simd.Transpose(&line[left*L], &src[(h0+r)*g.In[2]+w0+left], L, g.InSize(), right-left, n, L)
		clear(line[right*L:])
	}
	simd.WinogradRows(&after[0], &lines[0], wide, wide*L, wide*L)
	simd.WinogradCols(&dst[0], &after[0], t1-t0, pos, 2*L, wide*L)
}
