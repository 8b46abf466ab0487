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
// takes some rows of tiles through all steps. Otherwise the input of as many tiles
// as memory allows is transformed first, and each task takes a strip of output
// channels through the rest, a chunk of input channels at a time. What a task needs
// stays in the second-level cache.
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
	chunk   int // input channels whose weights are transformed at once
	strips  int
	th, tw  int // tiles of an image
	rows    int // of tiles, in all images
	workers int

	held   bool // all weights are transformed before
	block  int  // rows of tiles that are in hand at once
	act    spec.Activation
	lo, hi float32
	guard  *guard
	tail   *Tail
	bad    atomic.Bool // too many tiles failed, or something was not finite
}

const (
	winogradBand = 4         // rows of tiles that are transformed from one copy
	winogradFew  = 14        // tiles of a task where weights stay in the second-level cache
	winogradMany = 56        // tiles of a task where they do not
	winogradU    = 256 << 10 // floats of weights that stay there
	winogradFree = 192 << 10 // floats that any convolution may take
	winogradPair = 2         // workers for whose memory there is room
)

// plan decides how the work is cut, from the shape alone: beside a constant, no
// more than half of the tensors' size may be taken.
func (p *wino) plan() {
	limit := (len(p.x)+len(p.y)+p.g.K*p.cg*9)/2 + winogradFree
	all, channels := p.strips*p.uFloats(p.cg), p.vectors*p.lanes
	tiles := winogradFew
	if all > winogradU {
		tiles = winogradMany
	}
	p.block = (tiles + p.tw - 1) / p.tw
	each := 36 * p.tw * (channels + p.width) // of a row
	if p.held = p.rows >= 2*p.block && all+winogradPair*p.block*each <= limit; p.held {
		return
	}
	each = 36 * p.tw * (channels + winogradPair*p.width)
	fit := (limit - winogradPair*p.uFloats(p.chunk)) / each
	p.block = min(p.rows, max(fit, (2*winogradFew+p.tw-1)/p.tw))
	blocks := (p.rows + p.block - 1) / p.block
	p.block = (p.rows + blocks - 1) / blocks
}

// uFloats returns the size of a strip's transformed weights for n input channels.
func (p *wino) uFloats(n int) int {
	return simd.WinogradWeightsLen((n + p.lanes - 1) / p.lanes * p.lanes)
}

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
	p.chunk = max(64, chain)
	p.th, p.tw = (g.Out[1]+3)/4, (g.Out[2]+3)/4
	p.rows = g.N * p.th
	lanes := simd.ActiveTiles().Lanes
	p.workers = workersFor(g.Flops() / 3 / float64(8*lanes))
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
	p.guard = newGuard(p)
	for p.gi = range g.Groups {
		p.kernels = k.group(p.gi, g)
		p.guard.begin()
		bands := (p.rows + winogradBand - 1) / winogradBand
		p.spread(bands, func(i int) { p.guard.measure(i * winogradBand) })
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

// byTiles transforms all weights, and then has each task take some rows of tiles
// through all steps.
func (p *wino) byTiles() {
	strip := p.uFloats(p.cg)
	u := getScratch(p.strips * strip)
	defer putScratch(u)
	p.spread(p.strips, func(s int) {
		w := p.newWeights(s, true)
		for c := 0; c < p.cg; c += p.chunk {
			w.transform(u[s*strip+p.uFloats(c):], c)
		}
		w.release()
	})
	if !p.guard.check() {
		p.bad.Store(true)
		return
	}
	p.spread((p.rows+p.block-1)/p.block, func(i int) {
		row0 := i * p.block
		row1 := min(p.rows, row0+p.block)
		n := (row1 - row0) * p.tw
		v := getScratch(36 * n * (p.vectors*p.lanes + p.width))
		m := v[36*n*p.vectors*p.lanes:]
		for c := range p.vectors {
			p.input(v, c, row0, row1, row0, row1)
		}
		for s := range p.strips {
			p.product(m, v, u[s*strip:], n, 0, p.cg)
			p.back(s, row0, row1, m)
		}
		putScratch(v)
	})
}

// byChannels transforms the input of as many tiles as plan says, and then has
// each task take a strip of output channels through the rest.
func (p *wino) byChannels() {
	v := getScratch(36 * p.block * p.tw * p.vectors * p.lanes)
	defer putScratch(v)
	for row0 := 0; row0 < p.rows && !p.bad.Load(); row0 += p.block {
		row1 := min(p.rows, row0+p.block)
		n := (row1 - row0) * p.tw
		bands := (row1 - row0 + winogradBand - 1) / winogradBand
		p.spread(p.vectors*bands, func(i int) {
			from := row0 + i%bands*winogradBand
			p.input(v, i/bands, from, min(row1, from+winogradBand), row0, row1)
		})
		p.spread(p.strips, func(s int) {
			if p.bad.Load() {
				return
			}
			m := getScratch(36 * n * p.width)
			u := getScratch(p.uFloats(min(p.chunk, p.cg)))
			w := p.newWeights(s, row0 == 0)
			for c := 0; c < p.cg; c += p.chunk {
				w.transform(u, c)
				p.product(m, v, u, n, c, min(p.cg, c+p.chunk))
			}
			w.release()
			putScratch(u)
			p.back(s, row0, row1, m)
			putScratch(m)
		})
		if row0 == 0 && !p.guard.check() {
			p.bad.Store(true)
		}
	}
}

// spread calls f(i) for each i in [0, n). Each worker begins with a range of its
// own, so that from call to call a core finds in its cache much of what it wrote,
// and then helps the others.
func (p *wino) spread(n int, f func(i int)) {
	workers := min(p.workers, n)
	if workers <= 1 {
		for i := range n {
			f(i)
		}
		return
	}
	next := make([]atomic.Int64, workers)
	parallel(workers, workers, func(_, own int) {
		for j := range workers {
			r := (own + j) % workers
			low, high := r*n/workers, (r+1)*n/workers
			for i := low + int(next[r].Add(1)) - 1; i < high; i = low + int(next[r].Add(1)) - 1 {
				f(i)
			}
		}
	})
}

// input transforms vector i of the channels for rows first to last of tiles, which
// are some of those from row0 to row1 that v holds.
func (p *wino) input(v []float32, i, first, last, row0, row1 int) {
	g, L := p.g, p.lanes
	n, c := (row1-row0)*p.tw, i*L
	v = v[i*36*n*L:]
	in, wide := g.In[2], 4*p.tw+2
	lines := 4*min(winogradBand, last-first) + 2
	band := getScratch((lines + 6) * wide * L)
	rows := band[lines*wide*L:]
	plane := g.InSize()
	for row := first; row < last; {
		n0, top := row/p.th, row%p.th
		count := min(last-row, p.th-top, winogradBand) // of the same image, and of one band
		x := p.x[(n0*g.C+p.gi*p.cg+c)*plane:]
		left := g.PadBegin[2]
		for r := range 4*count + 2 {
			line := band[r*wide*L:][:wide*L]
			h := 4*top + r - g.PadBegin[1]
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
			simd.WinogradCols(&v[(row+r-row0)*p.tw*L], &rows[0], p.tw, n*L, L, wide*L)
		}
		row += count
	}
	putScratch(band)
}

var winogradProducts = sync.Pool{New: func() any { return new(simd.WinogradProduct) }}

// product multiplies n transformed tiles with the transformed weights u of a strip
// for channels c0 to c1; the sums over those before are in m.
func (p *wino) product(m, v, u []float32, n, c0, c1 int) {
	q := winogradProducts.Get().(*simd.WinogradProduct)
	*q = simd.WinogradProduct{M: &m[0], V: &v[36*n*c0], U: &u[0], Groups: (c1 - c0 + p.lanes - 1) / p.lanes, Chain: p.chain, Add: min(c0, 1)}
	q.Run(n, n)
	*q = simd.WinogradProduct{}
	winogradProducts.Put(q)
}

var winogradTiles = sync.Pool{New: func() any { return new(simd.WinogradTile) }}

// back transforms the sums of a strip and puts them into y.
func (p *wino) back(s, row0, row1 int, m []float32) {
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
	*w = simd.WinogradTile{Dst: &out[0], Tmp: &tmp[0], Bias: &bias[0], Flags: &flags[0], N: p.tw, Pos: (row1 - row0) * p.tw * p.width,
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
			at := (n*g.K + p.gi*p.kg + k) * plane
			y := p.y[at:]
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
			p.tail.rows(at+h*g.Out[2], plane, count, rows*g.Out[2])
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
