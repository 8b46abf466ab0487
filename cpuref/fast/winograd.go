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

// winogradMin is from how many channels on the transforms are paid for by the sums,
// and the guard has something to work with: the budget grows with their number.
const winogradMin = 32

// kernels3 are the 3x3 kernels of a convolution: that of output channel k and
// input channel c of a group starts k*out + c*in floats behind the group's first.
// Where flip is set, their taps stand in reverse.
type kernels3 struct {
	w       []float32
	out, in int
	flip    bool
}

// kernelsOf returns the kernels of a convolution's weight.
func kernelsOf(w []float32, g *spec.Conv) kernels3 { return kernels3{w: w, out: 9 * g.CG(), in: 9} }

// group returns the kernels of group i.
func (k kernels3) group(i int, g *spec.Conv) kernels3 {
	k.w = k.w[i*g.KG()*g.CG()*9:]
	return k
}

// wino is a convolution by Winograd's method under way. Per group of channels the
// input is transformed to V and the weights to U, each in the layout of
// simd.WinogradProduct, for a strip of output channels at a time; their products
// are the sums M, and these are transformed back.
//
// Neither V nor M is ever whole, nor is U where it would be large. Where there are
// many tiles and few weights, all weights are transformed first, and each task
// takes a block of tiles through all steps. Otherwise the input of as many tiles
// as memory allows is transformed first, and each task takes a strip of output
// channels through the rest: it has the taps of a chunk of input channels in hand,
// and transforms them for six points and a few channels at a time, which the
// product finds in the first-level cache.
//
// All scratch memory is taken at once: a part that all workers share, and one for
// each of them, whose uses follow each other.
type wino struct {
	g       *spec.Conv
	y, x, b []float32
	kernels kernels3 // of the group in hand
	lanes   int      // channels of a vector
	width   int      // output channels of a strip
	gi      int      // the group in hand
	cg, kg  int
	vectors int // of input channels
	chain   int // of them whose products are summed by themselves
	piece   int // input channels whose weights are transformed at once
	chunk   int // input channels whose taps are in hand at once
	strips  int
	th, tw  int // tiles of an image
	rows    int // of tiles, in all images
	workers int

	held   bool // all weights are transformed before
	block  int  // rows of tiles that are in hand at once
	cols   int  // tiles of each: all of them where there is more than one row
	act    spec.Activation
	lo, hi float32
	guard  *guard
	tail   *Tail
	shared []float32   // V, or U where it is held
	own    []float32   // what the workers have for themselves
	each   int         // floats of a worker
	bad    atomic.Bool // too many tiles failed, or something was not finite
}

const (
	winogradBand = 4         // rows of tiles that are transformed from one copy
	winogradFew  = 14        // tiles of a task where weights stay in the second-level cache
	winogradMany = 56        // tiles of a task where they do not
	winogradU    = 256 << 10 // floats of weights that stay there
	winogradPair = 2         // workers for whose memory there is room
	winogradGap  = 16        // floats behind the weights of a point, which would meet in few sets of the cache
)

// winogradTrace is set by tests, to see how many tiles were computed and how many
// of them once more.
var winogradTrace func(tiles, repaired int)

func newWino(y, x, b []float32, k kernels3, g *spec.Conv) *wino {
	p := &wino{g: g, y: y, x: x, b: b, kernels: k, lanes: simd.WinogradLanes(), act: g.Act}
	p.lo, p.hi, p.act = clampOrAll(g.Act)
	p.width, p.cg, p.kg = 2*p.lanes, g.CG(), g.KG()
	p.vectors = (p.cg + p.lanes - 1) / p.lanes
	p.strips = (p.kg + p.width - 1) / p.width
	chain := winogradBlock(p.cg)
	p.chain = chain / p.lanes
	p.piece = max(16, chain)
	p.th, p.tw = (g.Out[1]+3)/4, (g.Out[2]+3)/4
	p.rows = g.N * p.th
	lanes := simd.ActiveTiles().Lanes
	p.workers = workersFor(g.Flops() / 3 / float64(8*lanes))
	p.guard = newGuard(p)
	p.plan()
	return p
}

// winograd computes a convolution for which winogradPays. It returns false, and
// leaves y undefined, where the guard refuses too many tiles, or where a result
// was not finite: the transforms would spread a NaN or an infinity over its whole
// tile.
func winograd(y, x, b []float32, k kernels3, g *spec.Conv, t *Tail) bool {
	p := newWino(y, x, b, k, g)
	p.tail = t
	p.each = (p.eachLen() + 15) &^ 15
	arena := getScratch(p.sharedLen() + p.workers*p.each)
	defer putScratch(arena)
	p.shared, p.own = arena[:p.sharedLen()], arena[p.sharedLen():]
	for p.gi = range g.Groups {
		p.kernels = k.group(p.gi, g)
		p.guard.begin()
		band := p.guard.band()
		p.spread((p.rows+band-1)/band, func(worker, i int) { p.guard.measure(i*band, band, p.mine(worker)) })
		if forcedConv == convAuto && !p.guard.expect() {
			return false
		}
		p.guard.setShare()
		if p.held {
			p.byTiles()
		} else {
			p.byChannels()
		}
		if p.bad.Load() {
			return false
		}
		p.guard.repair()
	}
	if winogradTrace != nil {
		winogradTrace(p.guard.tiles, p.guard.repaired)
	}
	return true
}

// byTiles transforms all weights, and then has each task take a block of tiles
// through all steps.
func (p *wino) byTiles() {
	u, point := p.shared, p.stripPoint()
	p.spread(p.strips, func(worker, s int) {
		a := p.mine(worker)
		w := p.newWeights(s, true, unitCount, &a)
		for c := 0; c < p.cg; c += unitCount {
			n := w.gather(c, min(p.cg, c+unitCount))
			for i := range 6 {
				simd.WinogradWeights(&u[(36*s+6*i)*point+c*p.width], &w.taps[0], i, n, point)
			}
		}
		w.finish()
	})
	if !p.guard.check() {
		p.bad.Store(true)
		return
	}
	across := (p.tw + p.cols - 1) / p.cols
	p.spread((p.rows+p.block-1)/p.block*across, func(worker, i int) {
		row, col := i/across*p.block, i%across*p.cols
		at := tileBlock{row, min(p.rows, row+p.block), col, min(p.tw, col+p.cols)}
		n := at.tiles()
		a := p.mine(worker)
		v := a.take(36 * n * p.vectors * p.lanes)
		rest := a
		m := a.take(36 * n * p.width)
		for c := range p.vectors {
			p.input(v, c, at, at.row0, at.row1, rest)
		}
		q := p.newProduct(36, point)
		for s := range p.strips {
			p.product(q, m, v, u[36*s*point:], n, 0, p.cg)
			p.back(s, at, m, a)
		}
		releaseProduct(q)
	})
}

// byChannels transforms the input of as many tiles as plan says, and then has
// each task take a strip of output channels through the rest.
func (p *wino) byChannels() {
	v, point := p.shared, p.piecePoint()
	for row0 := 0; row0 < p.rows && !p.bad.Load(); row0 += p.block {
		at := tileBlock{row0, min(p.rows, row0+p.block), 0, p.tw}
		n := at.tiles()
		bands := (at.row1 - row0 + winogradBand - 1) / winogradBand
		p.spread(p.vectors*bands, func(worker, i int) {
			from := row0 + i%bands*winogradBand
			p.input(v, i/bands, at, from, min(at.row1, from+winogradBand), p.mine(worker))
		})
		p.spread(p.strips, func(worker, s int) {
			if p.bad.Load() {
				return
			}
			a := p.mine(worker)
			m, u := a.take(36*n*p.width), a.take(6*point)
			rest := a
			w := p.newWeights(s, row0 == 0, p.chunk, &a)
			first := -1 // the worker's first strip
			if p.workers > 1 {
				first = worker * p.strips / min(p.workers, p.strips)
			}
			q := p.newProduct(6, point)
			for c0 := 0; c0 < p.cg; c0 += p.chunk {
				c1 := min(p.cg, c0+p.chunk)
				w.gather(c0, c1)
				turn := 0
				for i := range 6 {
					for c := c0; c < c1; c += p.piece {
						if next := 36*n*(c+p.piece) + 6*i*n*p.lanes; s == first && c+p.piece < c1 {
							q.Fetch(&v[next], 36*16) // much of it is in other cores' caches
						} else {
							p.fetch(q, s, c1, turn)
						}
						turn++
						end := min(c1, c+p.piece)
						simd.WinogradWeights(&u[0], &w.taps[(c-c0)*9*p.width], i, p.padded(end-c), point)
						p.product(q, m[6*i*n*p.width:], v[6*i*n*p.lanes:], u, n, c, end)
					}
				}
			}
			releaseProduct(q)
			w.finish()
			p.back(s, at, m, rest)
		})
		if row0 == 0 && !p.guard.check() {
			p.bad.Store(true)
		}
	}
}

// fetch has a product fetch what it can of the kernels that come after those of
// strip s up to channel c: two of the rows that they are in with each turn.
func (p *wino) fetch(q *simd.WinogradProduct, s, c, turn int) {
	k := &p.kernels
	if c >= p.cg {
		s, c = s+1, 0
	}
	apart, rows := k.out, p.width
	if k.in > k.out {
		apart, rows = k.in, p.chunk
	}
	if at := s*p.width*k.out + c*k.in + 2*turn*apart; 2*turn < rows && s < p.strips && at < len(k.w) {
		q.Fetch(&k.w[at], apart)
	}
}

// padded returns n input channels rounded up to whole vectors.
func (p *wino) padded(n int) int { return (n + p.lanes - 1) / p.lanes * p.lanes }

// spread calls f(worker, i) for each i in [0, n). Each worker begins with a range
// of its own, so that from call to call a core finds in its cache much of what it
// wrote, and then helps the others.
func (p *wino) spread(n int, f func(worker, i int)) {
	workers := min(p.workers, n)
	if workers <= 1 {
		for i := range n {
			f(0, i)
		}
		return
	}
	next := make([]atomic.Int64, workers)
	parallel(workers, workers, func(_, own int) {
		for j := range workers {
			r := (own + j) % workers
			low, high := r*n/workers, (r+1)*n/workers
			for i := low + int(next[r].Add(1)) - 1; i < high; i = low + int(next[r].Add(1)) - 1 {
				f(own, i)
			}
		}
	})
}

// input transforms vector i of the channels for rows first to last of tiles, which
// are some of those of the block that v holds. At most winogradBand rows are
// copied at once, into (4*rows+8)*(4*tiles+2) vectors of the memory given.
func (p *wino) input(v []float32, i int, at tileBlock, first, last int, band []float32) {
	g, L := p.g, p.lanes
	cols := at.col1 - at.col0
	n, c := at.tiles(), i*L
	v = v[i*36*n*L:]
	wide := 4*cols + 2
	rows := band[(4*min(winogradBand, last-first)+2)*wide*L:]
	plane := g.InSize()
	start := max(0, 4*at.col0-g.PadBegin[2])
	left := min(wide, max(0, g.PadBegin[2]-4*at.col0))
	width := max(0, min(g.In[2]-start, wide-left))
	for row := first; row < last; {
		n0, top := row/p.th, row%p.th
		count := min(last-row, p.th-top, winogradBand) // of the same image, and of one band
		x := p.x[(n0*g.C+p.gi*p.cg+c)*plane:]
		for r := range 4*count + 2 {
			line := band[r*wide*L:][:wide*L]
			h := 4*top + r - g.PadBegin[1]
			if h < 0 || h >= g.In[1] || width == 0 {
				clear(line)
				continue
			}
			clear(line[:left*L])
			simd.Transpose(&line[left*L], &x[h*g.In[2]+start], L, plane, width, min(L, p.cg-c), L)
			clear(line[(left+width)*L:])
		}
		for r := range count {
			simd.WinogradRows(&rows[0], &band[4*r*wide*L], wide, wide*L, wide*L)
			simd.WinogradCols(&v[(row+r-at.row0)*cols*L], &rows[0], cols, n*L, L, wide*L)
		}
		row += count
	}
}

var winogradProducts = sync.Pool{New: func() any { return new(simd.WinogradProduct) }}

// newProduct returns a product at so many points, whose weights are so far apart.
func (p *wino) newProduct(points, apart int) *simd.WinogradProduct {
	q := winogradProducts.Get().(*simd.WinogradProduct)
	*q = simd.WinogradProduct{Points: points, UPoint: apart, Chain: p.chain}
	return q
}

func releaseProduct(q *simd.WinogradProduct) {
	*q = simd.WinogradProduct{}
	winogradProducts.Put(q)
}

// product multiplies n transformed tiles with the transformed weights u of a strip
// for channels c0 to c1, at points where m and v begin; the sums over those before
// are in m.
func (p *wino) product(q *simd.WinogradProduct, m, v, u []float32, n, c0, c1 int) {
	q.M, q.V, q.U = &m[0], &v[36*n*c0], &u[0]
	q.Groups, q.Add = (c1-c0+p.lanes-1)/p.lanes, min(c0, 1)
	q.Run(n, n)
}

var winogradTiles = sync.Pool{New: func() any { return new(simd.WinogradTile) }}

// backLen returns the floats of memory for rows of so many tiles.
func (p *wino) backLen(cols int) int { return (32*cols + 24 + 2 + 1) * p.lanes }

// back transforms the sums of a strip and puts them into y.
func (p *wino) back(s int, at tileBlock, m []float32, a scratchArena) {
	g, L, cols := p.g, p.lanes, at.col1-at.col0
	line := 4 * cols * L
	out, tmp, bias, flags := a.take(8*line), a.take(24*L), a.take(2*L), a.take(L)
	k0 := s * p.width
	clear(bias)
	clear(flags)
	if p.b != nil {
		copy(bias, p.b[p.gi*p.kg+k0:][:min(p.width, p.kg-k0)])
	}
	w := winogradTiles.Get().(*simd.WinogradTile)
	*w = simd.WinogradTile{Dst: &out[0], Tmp: &tmp[0], Bias: &bias[0], Flags: &flags[0], N: cols, Pos: at.tiles() * p.width,
		DstRow: line, DstHalf: 4 * line, Lo: p.lo, Hi: p.hi}
	plane := g.OutSize()
	width := min(4*cols, g.Out[2]-4*at.col0)
	for row := at.row0; row < at.row1; row++ {
		w.Src = &m[(row-at.row0)*cols*p.width]
		w.Run()
		n, h := row/p.th, row%p.th*4
		for half := range 2 {
			k := k0 + half*L
			count := min(L, p.kg-k)
			if count <= 0 {
				break
			}
			first := (n*g.K+p.gi*p.kg+k)*plane + h*g.Out[2] + 4*at.col0
			rows := min(4, g.Out[1]-h)
			for i := range rows {
				simd.TransposeTall(&p.y[first+i*g.Out[2]], &out[half*4*line+i*line], plane, L, width, count)
			}
			// Rows that are whole stand side by side.
			size, step := rows*width, rows*width
			if width < g.Out[2] {
				size, step = width, g.Out[2]
			}
			for lo := first; lo < first+rows*g.Out[2]; lo += step {
				if p.act.Func != spec.Identity {
					for c := range count {
						part := p.y[lo+c*plane:][:size]
						pointwise(p.act, part, part)
					}
				}
				p.tail.rows(lo, plane, count, size)
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
