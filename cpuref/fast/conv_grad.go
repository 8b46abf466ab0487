package fast

import (
	"github.com/kansu-dev/kansu/cpuref/internal/simd"
	"github.com/kansu-dev/kansu/spec"
)

// ConvGradWeight computes the gradient of a convolution with respect to its
// weight, of shape [K, C/Groups, kernel...], for a gradient dy of its output and
// its input x; see cpuref.ConvGradWeight for the formula.
//
// One channel per group, and a few with 3x3 windows, are computed plane by plane,
// a 1x1 kernel as a matrix product, few channels of large planes with the rows of
// the input as rows of tiles (see conv_grad_rows.go), a 3x3 kernel of stride 1 over
// enough channels and tiles by the adjoint of Winograd's method where the data allow
// it (see winograd_grad_guard.go), and the rest as a product of dy with a matrix
// that is never made: its row for an output position is, for each run of taps, a
// stretch of a copy of the input whose channels, or as many of them as a tile has
// columns, are the innermost axis. The positions of all images are summed in rising
// order, in blocks of gemmK.
func ConvGradWeight(dw, dy, x []float32, g spec.Conv) {
	if forcedConv == convWinograd { // in tests
		if p := newWinoGrad(dw, dy, x, &g); p != nil && p.run() {
			return
		}
	}
	if g.CG() == 1 && g.KG() <= depthwiseMax || stripsPay(&g) {
		depthwiseGradWeight(dw, dy, x, &g)
		return
	}
	if g.Taps() == 1 && g.In == g.Out && g.PadBegin == [3]int{} && g.OutSize() >= gemmK {
		productGradWeight(dw, dy, x, &g)
		return
	}
	if p := newRowsGrad(dy, x, &g); p != nil {
		p.run(dw)
		return
	}
	if p := newWinoGrad(dw, dy, x, &g); p != nil && p.run() {
		return
	}
	newWeightGrad(dy, x, &g).run(dw)
}

// productGradWeight computes the gradient of a 1x1 convolution's weight: for each
// group, the sum over the images of dy times the transposed channels.
func productGradWeight(dw, dy, x []float32, g *spec.Conv) {
	cg, kg, s := g.CG(), g.KG(), g.OutSize()
	one := func(k int) {
		for n := range g.N {
			i := n*g.Groups + k
			Gemm(kg, cg, s, dy[i*kg*s:], s, false, x[i*cg*s:], s, true, dw[k*kg*cg:], cg, n > 0, Epilogue{})
		}
	}
	each := 2 * float64(kg) * float64(cg) * float64(s) / 100
	if workersFor(each) > 1 { // each product is work for all
		for k := range g.Groups {
			one(k)
		}
		return
	}
	Parallel(g.Groups, each*float64(g.N*g.Groups), one)
}

// weightGrad is the gradient of a weight under way. What is said of a place, a row
// or a run is said of the copy of the input.
type weightGrad struct {
	g        *spec.Conv
	dy, x    []float32
	ts       simd.Tiles
	workers  int
	stacked  bool   // a place has the channels under all rows of taps
	blocked  bool   // a place has a block of the channels, as many as a tile has columns (see conv_grad_blocks.go)
	blocks   int    // of channels, each with a part of the copy for itself; 1 where it is not blocked
	place    int    // floats of a place
	axis     int    // along which an image is cut into lines
	line     int    // positions of a line
	lines    int    // of one image in a round; the last may have fewer
	images   int    // in a round
	padded   [3]int // places of one image along each axis
	part     int    // floats of a block of channels of one image
	group    int    // floats of a group of channels of one image
	runs     []int  // where each run of taps starts in such a part
	cols     int    // columns of a run: its taps times the floats of a place
	perTask  int    // tiles of columns in a task
	parts    int    // into which the output channels are cut
	chunks   int    // parts of the positions that are summed apart
	parallel int    // workers of one chunk
	offs     []int  // where each position of a round starts in its copy
}

const (
	roundFloats = 512 << 10 // bounds what is copied and packed at once, so that it stays in the caches
	chunkFloats = 192 << 10 // likewise where each worker has a chunk of its own
)

func newWeightGrad(dy, x []float32, g *spec.Conv) *weightGrad {
	p := &weightGrad{g: g, dy: dy, x: x, ts: simd.ActiveTiles(), axis: 1, blocks: 1}
	cg := g.CG()
	if g.Out[0] > 1 {
		p.axis = 0
	}
	for i := range p.padded {
		p.padded[i] = (g.Out[i]-1)*g.Stride[i] + g.Extent(i)
	}
	if g.PadMode != spec.PadZeros { // what stands in the padding of a row is taken from its copy
		p.padded[2] = max(p.padded[2], g.PadBegin[2]+g.In[2])
	}
	rows := g.Kernel[0] * g.Kernel[1]
	p.place = cg
	// Taps along a row run on into each other unless they are dilated.
	width, step := g.Kernel[2], 1
	if g.Dilation[2] > 1 {
		width, step = 1, g.Kernel[2]
	}
	perPosition := g.K + g.C*g.Stride[0]*g.Stride[1]*g.Stride[2]
	if p.blocked = p.blocksPay(width * cg); p.blocked {
		p.blocks = p.strips(cg)
		p.place = p.ts.Cols
		width, step = 1, g.Kernel[2]
	} else if p.stacked = p.stackPays(width*cg, rows); p.stacked {
		p.place = rows * cg
		p.padded[0], p.padded[1] = g.Out[0], g.Out[1]
		perPosition = g.K + g.Groups*p.place*g.Stride[2]
		rows = 1
	}
	p.cols = width * p.place
	p.line = g.OutSize() / g.Out[p.axis]
	p.cut(perPosition)
	if p.stacked {
		p.padded[p.axis] = p.lines
	} else {
		p.padded[p.axis] = (p.lines-1)*g.Stride[p.axis] + g.Extent(p.axis)
	}
	p.part = p.padded[0] * p.padded[1] * p.padded[2] * p.place
	p.group = p.blocks * p.part
	for r := range rows {
		d, h := r/g.Kernel[1]*g.Dilation[0], r%g.Kernel[1]*g.Dilation[1]
		for w := range step {
			p.runs = append(p.runs, ((d*p.padded[1]+h)*p.padded[2]+w*g.Dilation[2])*p.place)
		}
	}

	ns := g.Flops() / 6
	if simd.Active() != simd.Portable {
		ns = g.Flops() / float64(p.ts.Lanes*8)
	}
	p.workers = workersFor(ns)
	p.parallel = max(1, p.workers/p.chunks)
	if p.blocked {
		p.parts, p.perTask = 1, p.pairs()
		if p.parallel > 1 {
			p.perTask = max(1, p.perTask/(16*p.parallel))
		}
		return p
	}
	strips := g.Groups * len(p.runs) * p.strips(p.cols)
	p.parts = (g.KG() + gemmRows - 1) / gemmRows
	p.perTask = gemmCols / p.ts.Cols
	if p.parallel > 1 {
		wanted := 16 * p.parallel
		p.perTask = max(1, min(p.perTask, strips*p.parts/wanted))
		if tasks := p.tasks() * p.parts; tasks < wanted {
			p.parts = min(max(p.panels(), 1), p.parts*((wanted+tasks-1)/tasks))
		}
	}
	return p
}

// cut decides on rounds and chunks. Where the weight is small beside the tensors,
// the positions are cut into chunks, each with sums of its own, so that what a
// worker copies no other one needs. That depends on the shape alone. Neither the
// sums nor what is copied and packed may take much memory beside the tensors.
func (p *weightGrad) cut(perPosition int) {
	g := p.g
	weights, tensors := g.K*g.Terms(), g.N*(g.C*g.InSize()+g.K*g.OutSize())
	lines := g.N * g.Out[p.axis]
	p.chunks = 1
	if g.Flops() > 4e6 {
		for n := 16; n >= 4 && p.chunks == 1; n /= 2 {
			if n*weights <= tensors/8 && (lines%n == 0 || lines >= 4*n) {
				p.chunks = n
			}
		}
	}
	positions := max(min(roundFloats, (tensors+weights)/4)/perPosition, gemmK)
	if p.chunks > 1 {
		positions = max(min(min(chunkFloats, tensors/8)/perPosition, (lines+p.chunks-1)/p.chunks*p.line), gemmK)
	}
	p.lines = min(g.Out[p.axis], max(1, positions/p.line))
	p.images = 1
	if p.lines == g.Out[p.axis] && p.chunks == 1 {
		p.images = min(g.N, max(1, positions/g.OutSize()))
	}
}

// stackPays reports whether columns that run over all rows of taps, too, fill
// tiles so much better that a larger copy pays.
func (p *weightGrad) stackPays(cols, rows int) bool {
	filled := func(n int) float64 { return float64(n) / float64((n+p.ts.Cols-1)/p.ts.Cols*p.ts.Cols) }
	return rows > 1 && p.g.K*p.g.Kernel[2] >= 32*p.g.Stride[2] && filled(cols*rows) > 1.2*filled(cols)
}

// strips returns the number of tiles that n columns take.
func (p *weightGrad) strips(n int) int { return (n + p.ts.Cols - 1) / p.ts.Cols }

// panels returns the number of panels of a group's output channels.
func (p *weightGrad) panels() int { return (p.g.KG() + p.ts.Rows - 1) / p.ts.Rows }

// tasks returns into how many tasks the columns of all groups are cut.
func (p *weightGrad) tasks() int {
	if p.blocked {
		return (p.pairs() + p.perTask - 1) / p.perTask
	}
	return (p.g.Groups*len(p.runs)*p.strips(p.cols) + p.perTask - 1) / p.perTask
}

// run sets dw.
func (p *weightGrad) run(dw []float32) {
	g := p.g
	p.setOffsets()
	acc := getScratch((p.chunks - 1) * len(dw)) // of the chunks after the first
	lines := g.N * g.Out[p.axis]
	parallel(p.workers, p.chunks, func(_, i int) {
		sums := dw
		if i > 0 {
			sums = acc[(i-1)*len(dw):][:len(dw)]
		}
		p.chunk(sums, i*lines/p.chunks, (i+1)*lines/p.chunks)
	})
	if p.once() {
		return
	}
	each := g.Terms()
	Parallel(g.K, float64(len(acc)+len(dw)), func(k int) {
		sum := dw[k*each:][:each]
		for i := range p.chunks - 1 {
			simd.BinAdd.Apply(sum, sum, acc[i*len(dw)+k*each:][:each], 0, 0, 0, false)
		}
		if g.Taps() > 1 { // sums by taps and channels change places
			sums := getScratch(each + slack)
			copy(sums, sum)
			p.order(sum, sums)
			putScratch(sums)
		}
	})
	putScratch(acc)
}

// order brings the sums of an output channel into the order of the weight.
func (p *weightGrad) order(dw, acc []float32) {
	g := p.g
	cg, taps := g.CG(), g.Taps()
	if p.blocked { // from [blocks, taps, channels of a block]
		for c := 0; c < cg; c += p.ts.Cols {
			n := min(p.ts.Cols, cg-c)
			turnTaps(dw[c*taps:], acc[c*taps:], taps, n, n)
		}
		return
	}
	if !p.stacked { // from [taps, channels]
		transposeRows(dw, acc, taps, cg, cg, taps, taps)
		return
	}
	// From [columns of taps, rows of taps, channels].
	rows := taps / g.Kernel[2]
	for w := range g.Kernel[2] {
		for row := range rows {
			at := row*g.Kernel[2] + w
			for _, v := range acc[:cg] {
				dw[at] = v
				at += taps
			}
			acc = acc[cg:]
		}
	}
}

// weightRound is what one chunk of the positions needs: the round in hand.
type weightRound struct {
	p              *weightGrad
	acc            []float32
	copied, packed []float32 // the round's parts of x and, in panels, of dy
	firstN, n      int       // images
	firstLine      int       // of each of them
	positions      int       // of each of them
	total          int       // positions of all of them
	first          bool      // nothing is in acc yet
}

// chunk sets acc to the sums over a range of lines, counted through all images.
func (p *weightGrad) chunk(acc []float32, from, to int) {
	g := p.g
	r := &weightRound{p: p, acc: acc, first: true}
	all := p.images * g.Groups * p.group
	r.copied = getScratchWithin(all+slack, 4*all) // such as that of the input's gradient before
	clear(r.copied[all:])
	r.packed = getScratchWithin(g.K*p.images*p.lines*p.line, 4*g.K*p.images*p.lines*p.line)
	for from < to {
		r.firstN, r.firstLine = from/g.Out[p.axis], from%g.Out[p.axis]
		n := min(p.lines, to-from, g.Out[p.axis]-r.firstLine)
		r.n = 1
		if p.images > 1 {
			r.n = min(p.images, g.N-r.firstN)
		}
		r.positions = n * p.line
		r.total = r.n * r.positions
		blocks := (r.total + gemmK - 1) / gemmK
		panels := blocks * g.Groups * p.panels()
		rows := r.n * g.Groups * p.blocks * p.padded[0] * p.padded[1]
		parallelShares(p.parallel, rows, func(_, i int) { r.copyRow(i) })
		parallelShares(p.parallel, panels, func(_, i int) { r.packPanel(i) })
		if p.blocked { // shares: a worker finds what it copied itself in its cache
			parallelShares(p.parallel, p.tasks(), func(_, i int) { r.blockTask(i) })
		} else {
			parallel(p.parallel, p.tasks()*p.parts, func(_, i int) { r.task(i) })
		}
		r.first = false
		from += r.n * n
	}
	putScratch(r.copied)
	putScratch(r.packed)
}

// setOffsets lists where the positions of a round start in the copy. A last round
// may have the first of them only.
func (p *weightGrad) setOffsets() {
	g, steps := p.g, p.g.Stride
	if p.stacked {
		steps[0], steps[1] = 1, 1
	}
	size := g.Out
	size[p.axis] = p.lines
	p.offs = make([]int, 0, p.images*p.lines*p.line)
	for n := range p.images {
		for d := range size[0] {
			for h := range size[1] {
				at := n*g.Groups*p.group + (d*steps[0]*p.padded[1]+h*steps[1])*p.padded[2]*p.place
				for range size[2] {
					p.offs = append(p.offs, at)
					at += steps[2] * p.place
				}
			}
		}
	}
}

// copyRow copies row i of the round's part of the padded input, with the
// channels of its group, or of one block of them, innermost; where it is stacked,
// all the rows that row i of the outputs needs.
func (r *weightRound) copyRow(i int) {
	p := r.p
	g, cg := p.g, p.g.CG()
	h := i % p.padded[1]
	d := i / p.padded[1] % p.padded[0]
	block := i / (p.padded[1] * p.padded[0]) // counted through all groups and images
	c := block % p.blocks * p.place          // its first channel
	plane := block / p.blocks                // image and group
	row := p.padded[2] * p.place
	dst := r.copied[i*row:][:row]
	first := [2]int{-g.PadBegin[0], -g.PadBegin[1]}
	first[p.axis] += r.firstLine * g.Stride[p.axis]
	x := p.x[((r.firstN*g.Groups+plane)*cg+c)*g.InSize():]
	if !p.stacked {
		p.copyTo(dst, x, min(p.place, cg-c), d+first[0], h+first[1])
		return
	}
	for t := range g.Kernel[0] * g.Kernel[1] {
		p.copyTo(dst[t*cg:], x, cg, d*g.Stride[0]+t/g.Kernel[1]*g.Dilation[0]+first[0], h*g.Stride[1]+t%g.Kernel[1]*g.Dilation[1]+first[1])
	}
}

// copyTo copies row (d, h) of the first cg channels of x, which may lie in the
// padding, to the first floats of each place of a row of the copy.
func (p *weightGrad) copyTo(dst, x []float32, cg, d, h int) {
	g, n := p.g, p.padded[2]
	d, okD := padIndex(d, g.In[0], g.PadMode)
	h, okH := padIndex(h, g.In[1], g.PadMode)
	left := min(g.PadBegin[2], n)
	right := max(left, min(n, left+g.In[2]))
	if !okD || !okH {
		left, right = n, n
	}
	if right > left {
		transposeRows(dst[left*p.place:], x[(d*g.In[1]+h)*g.In[2]:], p.place, g.InSize(), right-left, cg, cg)
	}
	for w := 0; w < n; w++ {
		if w == left && left < right {
			w = right - 1
			continue
		}
		if at, ok := padIndex(w-g.PadBegin[2], g.In[2], g.PadMode); ok && right > left {
			copy(dst[w*p.place:][:cg], dst[(g.PadBegin[2]+at)*p.place:])
		} else {
			clear(dst[w*p.place:][:cg])
		}
	}
}

// packPanel packs one panel of output channels for one block of positions.
func (r *weightRound) packPanel(i int) {
	p := r.p
	g, np := p.g, p.panels()
	panel, gi := i%np, i/np%g.Groups
	k0 := i / np / g.Groups * gemmK
	kb := min(r.total-k0, gemmK)
	a, z := panelRow(panel, np, g.KG()), panelRow(panel+1, np, g.KG())
	dst := r.packed[(k0*g.Groups+gi*kb)*g.KG()+a*kb:]
	size := g.OutSize()
	from := r.firstLine * p.line
	for k := k0; k < k0+kb; {
		n, at := k/r.positions, k%r.positions
		m := min(k0+kb-k, r.positions-at)
		dy := p.dy[((r.firstN+n)*g.K+gi*g.KG())*size:]
		packRows(dst, dy, size, false, a, z-a, from+at, m)
		dst = dst[m*(z-a):]
		k += m
	}
}

// task adds the round's products for some strips of columns and one part of the
// output channels.
func (r *weightRound) task(i int) {
	p := r.p
	g, np, kg := p.g, p.panels(), p.g.KG()
	part, first := i/p.tasks(), i%p.tasks()*p.perTask
	strips := p.strips(p.cols)
	last := min(first+p.perTask, g.Groups*len(p.runs)*strips)
	p0, p1 := part*np/p.parts, (part+1)*np/p.parts
	t := tiles.Get().(*simd.Tile)
	t.LDC = g.Terms()
	for k0 := 0; k0 < r.total; k0 += gemmK {
		t.K = min(r.total-k0, gemmK)
		t.Offs = &p.offs[k0]
		t.Mode = simd.FromC
		if k0 == 0 && r.first {
			t.Mode = simd.FromZero
		}
		for s := first; s < last; s++ {
			c := s % strips * p.ts.Cols
			run := s / strips % len(p.runs)
			gi := s / strips / len(p.runs)
			t.B, t.N = &r.copied[gi*p.group+p.runs[run]+c], min(p.ts.Cols, p.cols-c)
			for q := p0; q < p1; q++ {
				a, z := panelRow(q, np, kg), panelRow(q+1, np, kg)
				t.A = &r.packed[(k0*g.Groups+gi*t.K)*kg+a*t.K]
				t.C = &r.acc[(gi*kg+a)*t.LDC+run*p.cols+c]
				p.ts.Run(t, z-a)
			}
		}
	}
	*t = simd.Tile{}
	tiles.Put(t)
}
