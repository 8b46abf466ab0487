package fast

import (
	"github.com/kansu-dev/kansu/cpuref/internal/simd"
	"github.com/kansu-dev/kansu/spec"
)

// The gradient of a weight with few input channels per group, such as that of a
// network's first layer, is small beside the tensors, so what is copied of them
// has to pay for itself soon. Here the roles are exchanged: the rows of a tile are
// taps and channels, whose elements under the positions of a line of outputs are
// read from rows of the input as they stand, and its columns are output channels,
// for which dy is transposed. The input is copied but to bring the elements that a
// stride picks together, and the padding to where it belongs: its rows lie in the
// order of height, channel, so that those under all channels and all taps along the
// height are the same distance apart.

// rowsPackFloats bounds what is packed of dy at once.
const rowsPackFloats = 64 << 10

// rowsGrad is such a gradient under way. Its sums are, for each group, in the order
// of taps along the depth and the height, channels, taps along the width, output
// channels.
type rowsGrad struct {
	g      *spec.Conv
	dy, x  []float32
	ts     simd.Tiles
	fill   *lattice // knows the padding
	chunks int      // parts of the lines of outputs that are summed apart
	lines  int      // in a round; the last may have fewer
	height int      // taps along the height in the rows of a tile: all, unless they are dilated
	phases []int    // of the stride along the width, those that occur
	q      int      // elements of a phase
	width  int      // of a row of the copy: all phases
	high   int      // rows of the copy for one channel and one tap along the depth
	taps   []int    // where each tap along the width starts in a row
	strips int      // of output channels
	each   int      // floats of a chunk's sums
}

// newRowsGrad returns nil where the method does not pay.
func newRowsGrad(dy, x []float32, g *spec.Conv) *rowsGrad {
	p := &rowsGrad{g: g, dy: dy, x: x, ts: simd.ActiveTiles(), each: g.K * g.Terms()}
	if p.height = g.Kernel[1]; g.Dilation[1] > 1 {
		p.height = 1
	}
	wide := 2 * p.ts.Lanes
	p.strips = (g.KG() + wide - 1) / wide
	if !forcedRows && (p.ts.Alone() || !p.pays()) {
		return nil
	}
	lines, tensors := g.N*g.Out[0]*g.Out[1], g.N*(g.C*g.InSize()+g.K*g.OutSize())
	for n := 16; n >= 4 && p.chunks == 0; n /= 2 {
		if n*p.each <= tensors/8 && (lines%n == 0 || lines >= 4*n) {
			p.chunks = n
		}
	}
	if p.chunks == 0 && !forcedRows {
		return nil
	}
	p.chunks = max(p.chunks, 1)
	p.fill = &lattice{win: &g.Window, mode: g.PadMode}
	s, d := g.Stride[2], g.Dilation[2]
	at := map[int]int{}
	p.q = g.Out[2] + (g.Kernel[2]-1)*d/s
	for t := range g.Kernel[2] {
		phase := t * d % s
		if _, ok := at[phase]; !ok {
			at[phase] = len(p.phases)
			p.phases = append(p.phases, phase)
		}
		p.taps = append(p.taps, at[phase]*p.q+t*d/s)
	}
	p.width = len(p.phases) * p.q
	p.lines = max(1, min(min(rowsPackFloats, tensors/32)/(p.strips*wide*g.Out[2]), (lines+p.chunks-1)/p.chunks))
	p.lines = min(p.lines, g.Out[1])
	p.high = (p.lines-1)*g.Stride[1] + g.Extent(1)
	return p
}

// forcedRows is set by tests to have the method for any convolution.
var forcedRows bool

// pays says whether the method is the faster one. In portable Go what it saves in
// copies goes into the tiles.
func (p *rowsGrad) pays() bool {
	g := p.g
	return simd.Active() != simd.Portable && g.Flops() > 4e6 && g.Taps() > 1 &&
		g.CG() <= 8 && g.KG() >= p.ts.Lanes && g.Stride[2] <= 2 && g.Out[2] >= 24
}

// run sets dw.
func (p *rowsGrad) run(dw []float32) {
	g := p.g
	acc := getScratch(p.chunks * p.each)
	defer putScratch(acc)
	lines := g.N * g.Out[0] * g.Out[1]
	ns := g.Flops() / 6
	if simd.Active() != simd.Portable {
		ns = g.Flops() / float64(p.ts.Lanes*8)
	}
	parallel(workersFor(ns), p.chunks, func(_, i int) {
		p.chunk(acc[i*p.each:][:p.each], i*lines/p.chunks, (i+1)*lines/p.chunks)
	})
	// The sums of the chunks are added, and brought into the order of the weight.
	cg, kg := g.CG(), g.KG()
	rows := g.Terms()
	const block = 16 // output channels
	blocks := (kg + block - 1) / block
	Parallel(g.Groups*blocks, float64(p.chunks*p.each)/4, func(i int) {
		gi, k0 := i/blocks, i%blocks*block
		n := min(block, kg-k0)
		t := getScratch(2 * n * rows)
		defer putScratch(t)
		sum, turned := t[:n*rows], t[n*rows:]
		for r := range rows {
			to := sum[r*n:][:n]
			copy(to, acc[(gi*rows+r)*kg+k0:])
			for c := 1; c < p.chunks; c++ {
				for j, v := range acc[c*p.each+(gi*rows+r)*kg+k0:][:n] {
					to[j] += v
				}
			}
		}
		transposeRows(turned, sum, rows, n, n, rows, rows)
		for k := range n {
			from, to := turned[k*rows:][:rows], dw[(gi*kg+k0+k)*rows:][:rows]
			for d := range g.Kernel[0] {
				for h := range g.Kernel[1] {
					for c := range cg {
						copy(to[((c*g.Kernel[0]+d)*g.Kernel[1]+h)*g.Kernel[2]:][:g.Kernel[2]], from)
						from = from[g.Kernel[2]:]
					}
				}
			}
		}
	})
}

// chunk sets acc to the sums over a range of the lines of all images.
func (p *rowsGrad) chunk(acc []float32, from, to int) {
	g := p.g
	cg, kg, w := g.CG(), g.KG(), 2*p.ts.Lanes
	copied := getScratch(g.Kernel[0] * p.high * cg * p.width)
	packed := getScratch(p.strips * p.lines * g.Out[2] * w)
	t := tiles.Get().(*simd.Tile)
	for start := from; from < to; {
		h, d, image := from%g.Out[1], from/g.Out[1]%g.Out[0], from/(g.Out[1]*g.Out[0])
		n := min(p.lines, to-from, g.Out[1]-h)
		positions := n * g.Out[2]
		for gi := range g.Groups {
			p.copy(copied, p.x[(image*g.Groups+gi)*cg*g.InSize():], d, h, n)
			for s := range p.strips {
				dy := p.dy[(image*g.K+gi*kg+s*w)*g.OutSize()+(d*g.Out[1]+h)*g.Out[2]:]
				transposeRows(packed[s*positions*w:], dy, w, g.OutSize(), positions, min(w, kg-s*w), w)
			}
			for line := range n {
				for s := range p.strips {
					t.N, t.Mode = min(w, kg-s*w), simd.FromC
					if from == start && line == 0 {
						t.Mode = simd.FromZero
					}
					p.line(t, acc[gi*kg*g.Terms()+s*w:], packed[(s*positions+line*g.Out[2])*w:], copied[line*g.Stride[1]*cg*p.width:])
				}
			}
		}
		from += n
	}
	*t = simd.Tile{}
	tiles.Put(t)
	putScratch(copied)
	putScratch(packed)
}

// line adds the products of a line of positions, of which x holds the rows below
// the first taps, for a strip of output channels.
func (p *rowsGrad) line(t *simd.Tile, acc, dy, x []float32) {
	g := p.g
	cg, kg := g.CG(), g.KG()
	rows := p.height * cg
	np := (rows + p.ts.Rows - 1) / p.ts.Rows
	across := g.Kernel[2] * kg // from one row of a tile to the next
	t.LDB, t.LDC = p.width, across
	for q := 0; q < g.Out[2]; q += gemmK {
		t.K, t.B = min(gemmK, g.Out[2]-q), &dy[q*2*p.ts.Lanes]
		for h := range g.Kernel[0] * g.Kernel[1] / p.height {
			at := h * p.high // row of the copy
			if p.height < g.Kernel[1] {
				at = h/g.Kernel[1]*p.high + h%g.Kernel[1]*g.Dilation[1]
			}
			from := x[at*cg*p.width+q:]
			for i := range np {
				a, z := panelRow(i, np, rows), panelRow(i+1, np, rows)
				for w, tap := range p.taps {
					t.A, t.C = &from[a*p.width+tap], &acc[(h*rows+a)*across+w*kg]
					p.ts.RunRows(t, z-a)
				}
			}
		}
		t.Mode = simd.FromC
	}
}

// copy brings the rows of a group of channels x that n lines of outputs from h on
// need, at depth d, to where the tiles look for them.
func (p *rowsGrad) copy(dst, x []float32, d, h, n int) {
	g, cg := p.g, p.g.CG()
	rows := (n-1)*g.Stride[1] + g.Extent(1)
	s, top := g.Stride[2], h*g.Stride[1]-g.PadBegin[1]
	for t := range g.Kernel[0] {
		block := dst[t*p.high*cg*p.width:][:rows*cg*p.width]
		depth, ok := padIndex(d*g.Stride[0]+t*g.Dilation[0]-g.PadBegin[0], g.In[0], g.PadMode)
		if !ok {
			clear(block)
			continue
		}
		x := x[depth*g.In[1]*g.In[2]:]
		if g.PadMode != spec.PadZeros || s > 2 {
			p.copyRows(block, x, top, rows)
			continue
		}
		clear(block)
		h0, h1 := max(0, -top), min(rows, g.In[1]-top)
		for i, phase := range p.phases {
			start := phase - g.PadBegin[2] // what element 0 is
			q0 := max(0, (-start+s-1)/s)
			q1 := min(p.q, (g.In[2]-start+s-1)/s)
			if h0 >= h1 || q0 >= q1 {
				continue
			}
			for c := range cg {
				simd.CopyPlane(&block[(h0*cg+c)*p.width+i*p.q+q0], &x[c*g.InSize()+(top+h0)*g.In[2]+start+q0*s],
					cg*p.width, g.In[2], h1-h0, q1-q0, s)
			}
		}
	}
}

// copyRows is copy for a depth with any padding and stride.
func (p *rowsGrad) copyRows(dst, x []float32, top, rows int) {
	g, cg := p.g, p.g.CG()
	for i := range rows * cg {
		row := dst[i*p.width:][:p.width]
		at, ok := padIndex(top+i/cg, g.In[1], g.PadMode)
		if !ok {
			clear(row)
			continue
		}
		for j, phase := range p.phases {
			p.fill.fillRow(row[j*p.q:][:p.q], x[i%cg*g.InSize()+at*g.In[2]:][:g.In[2]], 0, phase)
		}
	}
}
