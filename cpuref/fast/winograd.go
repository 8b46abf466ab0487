package fast

import (
	"sync"
	"sync/atomic"

	"github.com/kansu-dev/kansu/cpuref/internal/simd"
	"github.com/kansu-dev/kansu/spec"
)

// winogradPays says whether Winograd's F(4x4, 3x3) computes a convolution, and
// faster than an implicit product. The costs are in cycles of a core with two
// 512-bit multipliers, per channel of input and output.
func winogradPays(g *spec.Conv) bool {
	if g.Kernel != [3]int{1, 3, 3} || g.Stride != [3]int{1, 1, 1} || g.Dilation != [3]int{1, 1, 1} ||
		g.In[0] != 1 || g.Out[0] != 1 || g.PadMode != spec.PadZeros || g.PadBegin[0] != 0 || g.PadEnd[0] != 0 ||
		g.PadBegin[1] < 0 || g.PadBegin[2] < 0 { // a transposed convolution's may be
		return false
	}
	if g.Direct || g.CG() < winogradMin || g.KG() < winogradMin {
		return false
	}
	tiles := float64(g.N * ((g.Out[1] + 3) / 4) * ((g.Out[2] + 3) / 4))
	direct := 9 * float64(g.N*g.OutSize()) / 32 * 1.15
	transforms := tiles * 10 * (1/float64(g.KG()) + 1/float64(g.CG()))
	return 36*tiles/32*1.1+13+transforms < direct
}

var winogradTiles = sync.Pool{New: func() any { return new(simd.WinogradTile) }}

// winogradMin is from how many channels on the transforms are paid for by the sums,
// and the guard has something to work with: the budget grows with their number.
const winogradMin = 32

const (
	winogradV    = 160 << 10 // floats of transformed input that are made at once, about
	winogradSub  = 196       // tiles whose sums a task holds at once, at most
	winogradBand = 4         // rows of tiles that are transformed from one copy
)

// wino is a convolution by Winograd's method under way. Per group of channels
// and block of tiles there are two steps: the input is transformed to V[36]
// [tile][channel]; then, for a strip of output channels at a time, the weights
// are transformed to U[36][channel][strip], 36 products V·U make the sums, and
// these are transformed back. Where there are several blocks, each is one task,
// and the weights are transformed before. A single block is worked on by all, and
// each task transforms the weights that it needs, which never leave the cache.
type wino struct {
	g          *spec.Conv
	y, x, w, b []float32
	ts         simd.Tiles
	lanes      int // channels of a vector
	width      int // output channels of a strip
	gi         int // the group in hand
	cg, kg     int
	stride     int // floats from tile to tile in V
	strips     int
	th, tw     int // tiles of an image
	rows       int // of tiles, in all images
	pos        int // floats from one of the 36 to the next in V

	u      []float32 // all transformed weights, or nil
	upos   int       // floats from one of the 36 to the next in U
	stats  []float32 // of all strips and chunks of channels, where u is
	act    spec.Activation
	lo, hi float32
	guard  *guard
	bad    atomic.Bool // too many tiles failed, or something was not finite
}

// winoBlock is some rows of tiles and their transformed input.
type winoBlock struct {
	row0, row1 int
	v          []float32
}

// winogradTrace is set by tests, to see how many tiles were computed and how many
// of them once more.
var winogradTrace func(tiles, repaired int)

// winograd computes a convolution for which winogradPays. It returns false, and
// leaves y undefined, where the guard refuses too many tiles, or where a result
// was not finite: the transforms would spread a NaN or an infinity over its whole
// tile.
func winograd(y, x, w, b []float32, g *spec.Conv) bool {
	p := &wino{g: g, y: y, x: x, w: w, b: b, ts: simd.ActiveTiles(), lanes: simd.WinogradLanes(), act: g.Act}
	p.lo, p.hi, p.act = clampOrAll(g.Act)
	p.width, p.cg, p.kg = 2*p.lanes, g.CG(), g.KG()
	p.stride = (p.cg+p.lanes-1)/p.lanes*p.lanes + p.lanes // rows of A should not share sets of the cache
	p.strips = (p.kg + p.width - 1) / p.width
	p.th, p.tw = (g.Out[1]+3)/4, (g.Out[2]+3)/4
	p.upos = p.cg*p.width + 16
	p.rows = g.N * p.th
	workers := workersFor(g.Flops() / 3 / float64(8*p.ts.Lanes))
	perBlock := max(winogradV/(36*p.stride), p.stride*3/4)
	blocks := (p.rows + max(1, perBlock/p.tw) - 1) / max(1, perBlock/p.tw)
	if workers > 1 && blocks > 1 {
		blocks = min(p.rows, (blocks+workers-1)/workers*workers) // as many for each
	}
	p.pos = (p.rows+blocks-1)/blocks*p.tw*p.stride + 16
	p.guard = newGuard(p)
	chunks := (p.cg + weightChunk - 1) / weightChunk
	size := chunks * p.statFloats()
	if blocks > 1 {
		p.u = getScratch(p.strips * 36 * p.upos)
		defer putScratch(p.u)
		p.stats = getScratch(p.strips * size)
		defer putScratch(p.stats)
	}
	for p.gi = range g.Groups {
		p.guard.measureWeights()
		bands := (p.rows + winogradBand - 1) / winogradBand
		Parallel(bands, float64(p.rows*p.tw*(p.cg*2+50)), func(i int) { p.guard.measure(i * winogradBand) })
		if forcedConv == convAuto && !p.guard.expect() {
			return false
		}
		if blocks == 1 {
			p.together(workers)
		} else {
			parallel(workers, p.strips*chunks, func(_, i int) {
				s, c := i/chunks, i%chunks*weightChunk
				p.weights(p.u[s*36*p.upos:], p.stats[i*p.statFloats():], s, c, min(c+weightChunk, p.cg))
			})
			Parallel(p.strips, float64(p.strips)*(3000+20*float64(p.rows*p.tw)), func(s int) {
				p.guard.summarize(s, p.stats[s*size:][:size])
				p.check(s)
			})
			if p.bad.Load() {
				return false
			}
			parallel(workers, blocks, func(_, i int) { p.alone(i*p.rows/blocks, (i+1)*p.rows/blocks) })
		}
		if p.bad.Load() || !p.guard.repair() {
			return false
		}
	}
	if winogradTrace != nil {
		winogradTrace(p.guard.tiles, p.guard.repaired)
	}
	return true
}

// block returns a block of the rows of tiles row0 to row1; give v back.
func (p *wino) block(row0, row1 int) *winoBlock {
	return &winoBlock{row0, row1, getScratch(36 * p.pos)}
}

// alone computes a block, one of several.
func (p *wino) alone(row0, row1 int) {
	b := p.block(row0, row1)
	defer putScratch(b.v)
	for c := 0; c < p.cg; c += p.lanes {
		for row := row0; row < row1; row += winogradBand {
			p.input(b, c, row)
		}
	}
	subs := (row1 - row0) * p.tw / winogradSub
	for s := range p.strips {
		for i := range subs + 1 {
			p.output(b, s, row0+i*(row1-row0)/(subs+1), row0+(i+1)*(row1-row0)/(subs+1))
		}
	}
}

// together computes all tiles as one block, with all workers.
func (p *wino) together(workers int) {
	b := p.block(0, p.rows)
	defer putScratch(b.v)
	bands := (p.rows + winogradBand - 1) / winogradBand
	parallel(workers, (p.stride/p.lanes-1)*bands, func(_, i int) {
		p.input(b, i/bands*p.lanes, i%bands*winogradBand)
	})
	parallel(workers, p.strips, func(_, s int) { p.output(b, s, 0, p.rows) })
}

// check has the guard look at strip s of the block.
func (p *wino) check(s int) {
	if tooMany(p.guard.check(s), p.rows*p.tw) {
		p.bad.Store(true)
	}
}

// input transforms the channels from c on of a band of rows of tiles.
func (p *wino) input(b *winoBlock, c, row int) {
	g, L := p.g, p.lanes
	in, wide := g.In[2], 4*p.tw+2
	last := min(b.row1, row+winogradBand)
	band := getScratch((4*winogradBand + 2) * wide * L)
	rows := getScratch(6 * wide * L)
	plane := g.InSize()
	for row < last {
		n, first := row/p.th, row%p.th
		count := min(last-row, p.th-first) // of the same image
		x := p.x[(n*g.C+p.gi*p.cg+c)*plane:]
		left := g.PadBegin[2]
		for r := range 4*count + 2 {
			line := band[r*wide*L:][:wide*L]
			h := 4*first + r - g.PadBegin[1]
			if h < 0 || h >= g.In[1] {
				clear(line)
				continue
			}
			cols := max(0, min(in, wide-left))
			clear(line[:min(left, wide)*L])
			if cols > 0 {
				simd.Transpose(&line[left*L], &x[h*in], L, plane, cols, min(L, p.cg-c), L)
				clear(line[(left+cols)*L:])
			}
		}
		for r := range count {
			simd.WinogradRows(&rows[0], &band[4*r*wide*L], wide, wide*L, wide*L)
			tile := (row + r - b.row0) * p.tw
			simd.WinogradCols(&b.v[tile*p.stride+c], &rows[0], p.tw, p.pos, p.stride, wide*L)
		}
		row += count
	}
	putScratch(rows)
	putScratch(band)
}

// weightChunk is how many input channels' weights are transformed at once.
const weightChunk = 32

// weights transforms the weights of strip s and input channels c0 to c1, and
// makes their statistics.
func (p *wino) weights(u, stats []float32, s, c0, c1 int) {
	k0 := s * p.width
	n := min(p.width, p.kg-k0)
	taps := getScratch((9*weightChunk)*p.width + 18*p.lanes)
	src := p.w[((p.gi*p.kg+k0)*p.cg+c0)*9:]
	transposeRows(taps, src, p.width, p.cg*9, (c1-c0)*9, n, p.width)
	tmp := taps[9*weightChunk*p.width:]
	p.guard.limitsOf(tmp, s)
	p.deficits(stats, taps, tmp, c1-c0)
	simd.WinogradWeights(&u[c0*p.width], &taps[0], &tmp[0], c1-c0, p.upos)
	putScratch(taps)
}

// output computes a strip of output channels for the rows of tiles row0 to row1.
func (p *wino) output(b *winoBlock, s, row0, row1 int) {
	if row0 == row1 {
		return
	}
	u := p.u
	if u == nil {
		if p.bad.Load() {
			return
		}
		size := p.statFloats()
		u = getScratch(36*p.upos + (p.cg+weightChunk-1)/weightChunk*size)
		defer putScratch(u)
		stats := u[36*p.upos:]
		for c := 0; c < p.cg; c += weightChunk {
			p.weights(u, stats[c/weightChunk*size:], s, c, min(c+weightChunk, p.cg))
		}
		p.guard.summarize(s, stats)
		if p.check(s); p.bad.Load() {
			return
		}
	} else {
		u = u[s*36*p.upos:]
	}
	t0, n := (row0-b.row0)*p.tw, (row1-row0)*p.tw
	mpos := n*p.width + 16
	block := winogradBlock(p.cg)
	part := getScratch(36*mpos + n*p.width) // behind the sums, those of one block
	m := part[:36*mpos]
	part = part[36*mpos:]
	defer putScratch(m)
	t := tiles.Get().(*simd.Tile)
	t.Offs, t.LDB, t.LDC, t.N, t.Mode = nil, p.stride, p.width, p.width, simd.FromZero
	np := (n + p.ts.Rows - 1) / p.ts.Rows
	for i := range 36 {
		sums := m[i*mpos:][:n*p.width]
		for k0 := 0; k0 < p.cg; k0 += block {
			dst := sums
			if k0 > 0 {
				dst = part
			}
			t.K, t.B = min(block, p.cg-k0), &u[i*p.upos+k0*p.width]
			for q := range np {
				r0, r1 := panelRow(q, np, n), panelRow(q+1, np, n)
				t.A = &b.v[i*p.pos+(t0+r0)*p.stride+k0]
				t.C = &dst[r0*p.width]
				p.ts.RunRows(t, r1-r0)
			}
			if k0 > 0 {
				addTo(sums, part)
			}
		}
	}
	*t = simd.Tile{}
	tiles.Put(t)
	p.back(s, row0, row1, m, mpos)
}

// back transforms the sums of a strip and puts them into y.
func (p *wino) back(s, row0, row1 int, m []float32, mpos int) {
	g, L := p.g, p.lanes
	line := 4 * p.tw * L
	out := getScratch(8*line + (24+2+1)*L)
	defer putScratch(out)
	tmp, bias, flags := out[8*line:][:24*L], out[8*line+24*L:][:2*L], out[8*line+26*L:][:L]
	k0 := s * p.width
	clear(bias)
	clear(flags)
	if p.b != nil {
		copy(bias, p.b[p.gi*p.kg+k0:][:min(p.width, p.kg-k0)])
	}
	w := winogradTiles.Get().(*simd.WinogradTile)
	*w = simd.WinogradTile{Dst: &out[0], Tmp: &tmp[0], Bias: &bias[0], Flags: &flags[0], N: p.tw, Pos: mpos,
		DstRow: line, DstHalf: 4 * line, Lo: p.lo, Hi: p.hi}
	plane := g.OutSize()
	for row := row0; row < row1; row++ {
		w.Src = &m[(row-row0)*p.tw*p.width]
		w.Run()
		n, h := row/p.th, row%p.th*4
		for half := range 2 {
			k := k0 + half*L
			count := min(L, p.kg-k)
			if count <= 0 {
				break
			}
			y := p.y[(n*g.K+p.gi*p.kg+k)*plane:]
			rows := min(4, g.Out[1]-h)
			for i := range rows {
				simd.TransposeTall(&y[(h+i)*g.Out[2]], &out[half*4*line+i*line], plane, L, g.Out[2], count)
			}
			if p.act.Func != spec.Identity {
				for c := range count {
					part := y[c*plane+h*g.Out[2]:][:rows*g.Out[2]]
					pointwise(p.act, part, part)
				}
			}
		}
	}
	for _, f := range flags {
		if f != f {
			p.bad.Store(true)
		}
	}
	*w = simd.WinogradTile{}
	winogradTiles.Put(w)
}
