package fast

import (
	"github.com/kansu-dev/kansu/cpuref/internal/simd"
	"github.com/kansu-dev/kansu/spec"
)

// Where a transposed convolution has few output channels, such as the gradient of
// a network's first layer, one phase's product has too few rows to fill a tile.
// Here all phases are rows of one product: output u*stride + r - pad of phase r
// meets the inputs u, u-1, ... as those of the other phases do, the last of them
// only in the full phases r < (kernel-1) mod stride + 1. So the taps come in up to
// four classes, by whether they are of full phases alone along either axis, and
// each class has the rows of its phases, which lie side by side.

// mergeMost is up to how many output channels of a group phases are merged.
const mergeMost = 8

// mergedRow is one output channel of one phase.
type mergedRow struct {
	channel int    // of the group
	phase   [2]int // along height and width
	at      int    // of its weight, from the channel's first phase on
}

// mergedClass is a set of taps and of the rows that meet them.
type mergedClass struct {
	from, to int   // rows
	taps     int   // of a channel
	under    []int // where they stand in a kernel, but for the phase
	offs     []int // where what they see of a block of channels starts in its copy
	weights  int   // where a group's packed ones start
	panels   []int // the first row of each panel, and the end
}

// merged is such a transposed convolution under way.
type merged struct {
	*transposed
	ts      simd.Tiles
	l       *lattice
	block   int    // channels that are copied and summed at a time
	first   [2]int // the least u along height and width
	rows    []mergedRow
	classes []mergedClass
	each    int       // packed weights of a group
	packed  []float32 // panel by panel in each class
	bias    []float32 // of the rows of all groups; nil for none
}

// mergePays says whether phases are to be merged.
func mergePays(g *spec.ConvTranspose) bool {
	kg := g.KG()
	return kg <= mergeMost && g.CG() > 1 && g.Stride[1]*g.Stride[2] > 1 && g.Stride[1]*g.Stride[2]*kg <= 64 &&
		g.In[0] == 1 && g.Out[0] == 1 && g.Kernel[0] == 1 && g.Stride[0] == 1 && g.PadBegin[0] == 0 &&
		g.Dilation == [3]int{1, 1, 1} && g.Kernel[1] >= g.Stride[1] && g.Kernel[2] >= g.Stride[2] &&
		g.PadBegin[1] >= 0 && g.PadBegin[2] >= 0 && g.N > 0 && g.OutSize() > 0
}

// convTransposeMerged computes a transposed convolution for which mergePays.
func convTransposeMerged(t *transposed) {
	p := &merged{transposed: t, ts: simd.ActiveTiles()}
	g := t.g
	win := spec.Window{Rank: 3, In: g.In, Out: [3]int{1, 1, 1}, Kernel: [3]int{1, 1, 1}, Stride: [3]int{1, 1, 1}, Dilation: [3]int{1, 1, 1}}
	for i := range p.first {
		a, s := i+1, g.Stride[i+1]
		win.Kernel[a] = (g.Kernel[a] + s - 1) / s
		p.first[i] = g.PadBegin[a] / s
		win.Out[a] = (g.Out[a]-1+g.PadBegin[a])/s + 1 - p.first[i]
		win.PadBegin[a] = win.Kernel[a] - 1 - p.first[i]
	}
	ns := g.Flops() / 6
	if simd.Active() != simd.Portable {
		ns = g.Flops() / float64(p.ts.Lanes*8)
	}
	workers := workersFor(ns)
	cols := 4096
	if workers > 1 {
		// More boxes copy more for two of them; fewer leave a worker idle at the end.
		cols = min(cols, max(boxCols/2, win.OutSize()*g.N*g.Groups/(4*workers)))
	}
	p.l = newLattice(&win, spec.PadZeros, cols)
	p.block = min(g.CG(), max(1, gemmK/win.Taps()))
	p.setRows()
	p.pack()
	parallel(workers, g.N*g.Groups*p.l.boxes(), func(_, i int) { p.task(i) })
	putScratch(p.packed)
}

// full returns how many phases along an axis meet every input that any meets.
func (p *merged) full(axis int) int { return (p.g.Kernel[axis]-1)%p.g.Stride[axis] + 1 }

// setRows lists the rows and the classes.
func (p *merged) setRows() {
	g, win := p.g, p.l.win
	fullH, fullW := p.full(1), p.full(2)
	add := func(h0, h1, w0, w1 int) {
		for h := h0; h < h1; h++ {
			for w := w0; w < w1; w++ {
				for k := range g.KG() {
					p.rows = append(p.rows, mergedRow{k, [2]int{h, w}, k*g.Taps() + h*g.Kernel[2] + w})
				}
			}
		}
	}
	add(0, fullH, fullW, g.Stride[2])
	first := len(p.rows) // of those that are full along the width
	add(0, fullH, 0, fullW)
	both := len(p.rows)
	add(fullH, g.Stride[1], 0, fullW)
	last := len(p.rows)
	add(fullH, g.Stride[1], fullW, g.Stride[2])

	fromH, fromW := min(1, g.Stride[1]-fullH), min(1, g.Stride[2]-fullW) // the first tap that all phases meet
	class := func(from, to, h0, h1, w0, w1 int) {
		c := mergedClass{from: from, to: to, weights: p.each}
		c.offs = make([]int, 0, p.block*(h1-h0)*(w1-w0))
		for channel := range p.block {
			for h := h0; h < h1; h++ {
				for w := w0; w < w1; w++ {
					c.offs = append(c.offs, channel*p.l.channel()+p.l.tapAt[h*win.Kernel[2]+w])
					if channel == 0 {
						c.under = append(c.under, (win.Kernel[1]-1-h)*g.Stride[1]*g.Kernel[2]+(win.Kernel[2]-1-w)*g.Stride[2])
					}
				}
			}
		}
		if c.taps = len(c.under); c.taps > 0 && from < to {
			n := to - from
			np := (n + p.ts.Rows - 1) / p.ts.Rows
			for i := range np + 1 {
				c.panels = append(c.panels, from+panelRow(i, np, n))
			}
			p.classes = append(p.classes, c)
			p.each += c.taps * g.CG() * (to - from)
		}
	}
	class(0, len(p.rows), fromH, win.Kernel[1], fromW, win.Kernel[2])
	class(0, both, 0, fromH, fromW, win.Kernel[2])
	class(first, last, fromH, win.Kernel[1], 0, fromW)
	class(first, both, 0, fromH, 0, fromW)
}

// pack packs the weights of all groups.
func (p *merged) pack() {
	g, taps := p.g, p.g.Taps()
	p.packed = getScratch(g.Groups * p.each)
	if p.b != nil {
		for gi := range g.Groups {
			for _, r := range p.rows {
				p.bias = append(p.bias, p.b[gi*g.KG()+r.channel])
			}
		}
	}
	Parallel(g.Groups*g.CG(), 2*float64(len(p.packed)), func(i int) {
		gi, channel := i/g.CG(), i%g.CG()
		w := p.w[i*g.KG()*taps:]
		for j := range p.classes {
			c := &p.classes[j]
			for q, a := range c.panels[:len(c.panels)-1] {
				rows := p.rows[a:c.panels[q+1]]
				dst := p.packed[p.panelAt(gi, c, a)+channel*c.taps*len(rows):]
				for _, tap := range c.under {
					for k, r := range rows {
						dst[k] = w[tap+r.at]
					}
					dst = dst[len(rows):]
				}
			}
		}
	})
}

// panelAt returns where the packed weights of the panel that begins with row a
// start.
func (p *merged) panelAt(gi int, c *mergedClass, a int) int {
	return gi*p.each + c.weights + c.taps*p.g.CG()*(a-c.from)
}

// task computes one box of one image and group.
func (p *merged) task(i int) {
	g, l := p.g, p.l
	bx := l.box(i % l.boxes())
	i /= l.boxes()
	n, gi := i/g.Groups, i%g.Groups
	cg, channel := g.CG(), l.channel()
	cp := getScratch(p.block*channel + slack)
	clear(cp[p.block*channel:])
	// Flat columns: the rows of the box at the distance that they have in the copy.
	h, w := bx.hi[1]-bx.lo[1], bx.hi[2]-bx.lo[2]
	columns := (h-1)*l.q[2] + w
	ldc := (columns+15)&^15 + 16 // not a power of two
	out := getScratch(len(p.rows) * ldc)
	t := tiles.Get().(*simd.Tile)
	t.LDC = ldc
	for c0 := 0; c0 < cg; c0 += p.block {
		channels := min(p.block, cg-c0)
		for c := range channels {
			l.fill(cp[c*channel:], p.x[(i*cg+c0+c)*g.InSize():][:g.InSize()], &bx)
		}
		for col := 0; col < columns; col += p.ts.Cols {
			t.B, t.N = &cp[col], min(p.ts.Cols, columns-col)
			for j := range p.classes {
				c := &p.classes[j]
				t.Offs, t.K = &c.offs[0], c.taps*channels
				for q, a := range c.panels[:len(c.panels)-1] {
					t.Mode = simd.FromC
					if j == 0 && c0 == 0 {
						t.Mode = simd.FromZero
						if p.bias != nil {
							t.Mode, t.Bias = simd.FromRowBias, &p.bias[gi*len(p.rows)+a]
						}
					}
					z := c.panels[q+1]
					t.A, t.C = &p.packed[p.panelAt(gi, c, a)+c0*c.taps*(z-a)], &out[a*ldc+col]
					p.ts.Run(t, z-a)
				}
			}
		}
	}
	*t = simd.Tile{}
	tiles.Put(t)
	putScratch(cp)
	p.spread(out, ldc, p.y[(n*g.K+gi*g.KG())*g.OutSize():], &bx)
	putScratch(out)
}

// spread applies the activation to the rows of a box and puts them in their
// places in y, where the group's channels start.
func (p *merged) spread(out []float32, ldc int, y []float32, bx *box) {
	g := p.g
	for i, r := range p.rows {
		src := out[i*ldc:][:ldc-16]
		if g.Act.Func != spec.Identity {
			pointwise(g.Act, src, src)
		}
		var lo, hi, at [2]int // outputs of the box that exist, and where the first is in y
		for a := range lo {
			s := g.Stride[a+1]
			o := (p.first[a]+bx.lo[a+1])*s + r.phase[a] - g.PadBegin[a+1]
			lo[a] = max(0, (-o+s-1)/s)
			hi[a] = min(bx.hi[a+1]-bx.lo[a+1], (g.Out[a+1]-o+s-1)/s)
			at[a] = o + lo[a]*s
		}
		if lo[0] < hi[0] && lo[1] < hi[1] {
			dst := y[r.channel*g.OutSize()+at[0]*g.Out[2]+at[1]:]
			simd.SpreadPlane(&dst[0], &src[lo[0]*p.l.q[2]+lo[1]], g.Stride[1]*g.Out[2], p.l.q[2], hi[0]-lo[0], hi[1]-lo[1], g.Stride[2])
		}
	}
}
