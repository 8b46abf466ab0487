package fast

import (
	"github.com/kansu-dev/kansu/cpuref/internal/simd"
	"github.com/kansu-dev/kansu/spec"
)

// Conv computes a convolution in 1, 2 or 3 dimensions; see spec.Conv for the
// formula and the shapes. The bias b is nil where g.Bias is false.
//
// A 1x1 kernel is a matrix product, one channel per group is computed directly,
// a 3x3 kernel of stride 1 over enough channels by Winograd's method where the
// data allow it (see winograd_guard.go), and the rest as an implicit matrix product
// (see conv_box.go).
func Conv(y, x, w, b []float32, g spec.Conv) { ConvTail(y, x, w, b, g, nil) }

// ConvTail is Conv followed by the functions of t.
func ConvTail(y, x, w, b []float32, g spec.Conv, t *Tail) {
	g.Act, t = t.after(g.Act)
	switch convMethodOf(&g) {
	case convProduct:
		convAsProduct(y, x, w, b, &g, t)
	case convDepthwise:
		depthwise(y, x, w, b, &g, t)
	case convWinograd:
		if !winograd(y, x, b, kernelsOf(w, &g), &g, t) {
			convImplicit(y, x, w, b, &g, t)
		}
	default:
		convImplicit(y, x, w, b, &g, t)
	}
}

// convMethod is a way to compute a convolution.
type convMethod int

const (
	convAuto convMethod = iota
	convImplicitly
	convProduct
	convDepthwise
	convWinograd
)

// forcedConv is set by tests to a method that the convolution allows.
var forcedConv convMethod

func convMethodOf(g *spec.Conv) convMethod {
	ts := simd.ActiveTiles()
	plain := g.Kernel == [3]int{1, 1, 1} && g.PadBegin == [3]int{} && g.PadEnd == [3]int{}
	switch {
	case forcedConv != convAuto:
		return forcedConv
	case g.CG() == 1 && g.KG() <= depthwiseMax:
		return convDepthwise
	case plain:
		return convProduct
	case winogradPays(g) && !ts.Alone(): // its transforms in plain Go would cost more than the tiles' products
		return convWinograd
	}
	return convImplicitly
}

// groupBias returns the biases of group k, or nil.
func groupBias(b []float32, k, kg int) []float32 {
	if b == nil {
		return nil
	}
	return b[k*kg:][:kg]
}

// convAsProduct computes a 1x1 convolution: for each image and group, weights
// times channels, of which a copy holds what the strides leave.
func convAsProduct(y, x, w, b []float32, g *spec.Conv, t *Tail) {
	cg, kg, s := g.CG(), g.KG(), g.OutSize()
	if g.Stride != [3]int{1, 1, 1} {
		all := x
		x = getScratch(g.N * g.C * s)
		defer putScratch(x)
		Parallel(g.N*g.C, float64(len(x)), func(i int) { everyStride(x[i*s:][:s], all[i*g.InSize():][:g.InSize()], g) })
	}
	one := func(i int) {
		k := i % g.Groups
		Gemm(kg, s, cg, w[k*kg*cg:], cg, false, x[i*cg*s:], s, false, y[i*kg*s:], s, false,
			Epilogue{RowBias: groupBias(b, k, kg), Act: g.Act, Tail: t, At: i * kg * s})
	}
	n := g.N * g.Groups
	each := 2 * float64(kg) * float64(cg) * float64(s) / 100
	if workersFor(each) > 1 { // each product is work for all
		for i := range n {
			one(i)
		}
		return
	}
	Parallel(n, each*float64(n), one)
}

// everyStride copies the elements of a plane that lie under the outputs.
func everyStride(dst, plane []float32, g *spec.Conv) {
	in, out, step := &g.In, &g.Out, &g.Stride
	for d := range out[0] {
		src := plane[d*step[0]*in[1]*in[2]:]
		if step[2] <= 2 {
			simd.CopyPlane(&dst[0], &src[0], out[2], step[1]*in[2], out[1], out[2], step[2])
			dst = dst[out[1]*out[2]:]
			continue
		}
		for h := range out[1] {
			for w := range out[2] {
				dst[w] = src[h*step[1]*in[2]+w*step[2]]
			}
			dst = dst[out[2]:]
		}
	}
}

// convImplicit computes any convolution as a product of the weights with a
// matrix that is never made: row (c, t) of it is what tap t of the kernel sees
// of channel c, a stretch of the lattice's copy.
func convImplicit(y, x, w, b []float32, g *spec.Conv, t *Tail) {
	p := newImplicit(y, x, w, b, g, nil, 1)
	p.tail = t
	runImplicit(p)
}

// implicit is an implicit product under way.
type implicit struct {
	g          *spec.Conv
	y, x, w, b []float32
	ts         simd.Tiles
	l          *lattice
	k          int   // length of the sums: channels of a group times taps
	offs       []int // where row k of the matrix starts in a box's copy
	flat       bool  // tiles run on over the ends of rows
	workers    int
	parts      int       // into which the output channels are cut for more tasks
	packed     []float32 // weights that several tasks use; nil where each packs its own
	copies     []float32 // of the input, for all boxes; nil where each task makes its own
	act        spec.Activation
	clamp      int
	lo, hi     float32
	place      *placement // where outputs go in y; nil where they lie as g says
	turned     *turned    // how w holds the weights; nil where they lie as g says
	tail       *Tail      // only without placement
}

// placement spreads the outputs of a convolution over a larger tensor: output o
// along an axis goes to position first + o*step of size.
type placement struct{ first, step, size [3]int }

const (
	gemmK     = 256       // length of the sums that a tile takes at once
	gemmCols  = 256       // columns of tiles in one task of a weight's gradient
	boxFloats = 128 << 10 // floats of a box's copy that stay in the second-level cache
	boxCols   = 256       // least outputs of a box for which weights are loaded anew
	boxPair   = 2         // workers for whose memory there is room
)

// newImplicit plans an implicit product that is computed beside others, as many as
// beside says with itself.
func newImplicit(y, x, w, b []float32, g *spec.Conv, place *placement, beside int) *implicit {
	p := &implicit{g: g, y: y, x: x, w: w, b: b, ts: simd.ActiveTiles(), k: g.Terms(), act: g.Act, place: place}
	if lo, hi, ok := clampOf(g.Act); ok {
		p.lo, p.hi, p.clamp, p.act = lo, hi, simd.Clamped, spec.Activation{}
	}
	phases := 1
	for i := range g.Kernel {
		phases *= min(g.Kernel[i], g.Stride[i])
	}
	p.workers = workersFor(p.ns() * float64(beside))
	wanted := 1 // tasks
	if p.workers > 1 {
		wanted = (4*p.workers + beside - 1) / beside
	}
	cols := min(max(boxFloats/(g.CG()*phases), boxCols), 4096)
	cols = min(cols, max(boxCols/2, g.OutSize()*g.N*g.Groups/wanted))
	p.l = newLattice(&g.Window, g.PadMode, cols)
	p.flat = p.flatPays()
	if p.place != nil {
		p.leanBoxes()
	}
	if tasks := g.N * g.Groups * p.l.boxes(); tasks < wanted {
		p.parts = min((g.KG()+p.ts.Rows-1)/p.ts.Rows, (wanted+tasks-1)/max(tasks, 1))
	}
	p.parts = max(p.parts, 1)
	cg, channel := g.CG(), p.l.channel()
	p.offs = make([]int, 0, p.k)
	for c := range cg {
		for _, at := range p.l.tapAt {
			p.offs = append(p.offs, c*channel+at)
		}
	}
	return p
}

// leanBoxes makes the boxes of one of several products smaller, whose tasks copy
// inputs and put outputs by, until what the tasks take beside the packed weights
// is little beside the tensors.
func (p *implicit) leanBoxes() {
	g := p.g
	limit := (len(p.x)+len(p.y)+len(p.w))*12/25 - len(p.w)
	for cols := p.l.cols; cols >= boxCols && min(p.workers, boxPair)*p.taskLen() > limit; {
		cols /= 2
		p.l = newLattice(&g.Window, g.PadMode, cols)
	}
}

// flatPays compares the columns that tiles compute: rows by themselves are cut
// at their ends, flat ones run on through what lies between them.
func (p *implicit) flatPays() bool {
	w, lanes := p.l.size[2], p.ts.Lanes
	if p.l.size[1] == 1 && p.l.size[0] == 1 {
		return false
	}
	rows := (w + lanes - 1) / lanes * lanes
	// Beside them, flat columns are moved once more.
	flat := float64(p.l.q[2]) * (1 + 32/float64(p.k*min(p.g.KG(), p.ts.Rows)))
	return flat < float64(rows)
}

// ns is a guess at the time that the convolution takes on one core.
func (p *implicit) ns() float64 {
	if p.ts.Lanes == 1 || simd.Active() == simd.Portable {
		return p.g.Flops() / 6
	}
	return p.g.Flops() / float64(p.ts.Lanes*8)
}

// runImplicit computes products that do not depend on each other.
func runImplicit(all ...*implicit) {
	weights, workers := 0, 1
	for _, p := range all {
		p.prepare()
		weights += len(p.packed)
		workers = max(workers, p.workers)
	}
	each := func(workers int, tasks func(p *implicit) int, do func(p *implicit, worker, i int)) {
		n := 0
		for _, p := range all {
			n += tasks(p)
		}
		parallel(workers, n, func(worker, i int) {
			for _, p := range all {
				n := tasks(p)
				if i < n {
					do(p, worker, i)
					return
				}
				i -= n
			}
		})
	}
	each(workersFor(float64(weights)), (*implicit).packTasks, (*implicit).packTask)
	each(workers, (*implicit).fillTasks, (*implicit).fillTask)
	// The tasks of all products take turns in the same memory.
	most, own := 0, make([][]float32, workers)
	for _, p := range all {
		most = max(most, p.taskLen())
	}
	each(workers, (*implicit).tasks, func(p *implicit, worker, i int) {
		if own[worker] == nil {
			own[worker] = getScratch(most)
		}
		p.task(i, own[worker])
	})
	for _, s := range own {
		putScratch(s)
	}
	for _, p := range all {
		putScratch(p.packed)
		putScratch(p.copies)
	}
}

// tasks returns the number of tasks: the boxes, for each part of the channels.
func (p *implicit) tasks() int { return p.g.N * p.g.Groups * p.l.boxes() * p.parts }

// prepare allocates what several tasks share.
func (p *implicit) prepare() {
	g := p.g
	tasks := p.tasks()
	if tasks == 0 {
		return
	}
	// Weights that several tasks use are packed once, where the copy is small
	// beside the tensors.
	weights := g.K * p.k
	if tasks > g.Groups*p.parts && 2*weights <= len(p.x)+len(p.y)+weights {
		p.packed = getScratch(weights)
	}
	// So is the input of boxes that several tasks share.
	each := g.CG() * p.l.channel()
	boxes := g.N * g.Groups * p.l.boxes()
	if all := boxes * each; p.parts > 1 && 3*all <= len(p.x)+len(p.y)+weights+3*boxFloats {
		p.copies = getScratch(all + slack)
		clear(p.copies[all:])
	}
}

// packTasks returns the number of panels of weights to be packed.
func (p *implicit) packTasks() int {
	if p.packed == nil {
		return 0
	}
	return p.g.Groups * p.panels()
}

// panels returns the number of panels of a group's output channels.
func (p *implicit) panels() int { return (p.g.KG() + p.ts.Rows - 1) / p.ts.Rows }

// packTask packs one panel of a group's weights, in blocks of gemmK columns.
func (p *implicit) packTask(_, i int) {
	np, kg := p.panels(), p.g.KG()
	gi, q := i/np, i%np
	a, z := panelRow(q, np, kg), panelRow(q+1, np, kg)
	for k0 := 0; k0 < p.k; k0 += gemmK {
		kb := min(p.k-k0, gemmK)
		p.pack(p.packed[gi*kg*p.k+k0*kg+a*kb:], gi, a, z-a, k0, kb)
	}
}

// pack packs columns k0 to k0+kb of rows r0 to r0+n of a group's weights.
func (p *implicit) pack(dst []float32, gi, r0, n, k0, kb int) {
	if p.turned != nil {
		p.turned.pack(dst, p.w, p.g, gi, r0, n, k0, kb)
		return
	}
	packRows(dst, p.w[gi*p.g.KG()*p.k:], p.k, false, r0, n, k0, kb)
}

// fillTasks returns the number of channels to be copied for all boxes.
func (p *implicit) fillTasks() int {
	if p.copies == nil {
		return 0
	}
	return p.g.N * p.g.Groups * p.l.boxes() * p.g.CG()
}

// fillTask copies one channel of a box.
func (p *implicit) fillTask(_, i int) {
	n, bx := p.boxAt(i / p.g.CG())
	p.l.fill(p.copies[i*p.l.channel():], p.channel(n, i%p.g.CG()), &bx)
}

// boxAt returns the image and group, counted through, and the box with number i.
func (p *implicit) boxAt(i int) (plane int, bx box) {
	return i / p.l.boxes(), p.l.box(i % p.l.boxes())
}

// channel returns channel c of an image's group.
func (p *implicit) channel(plane, c int) []float32 {
	return p.x[(plane*p.g.CG()+c)*p.g.InSize():][:p.g.InSize()]
}

// aside says whether outputs are put by, and moved to their places in the end.
func (p *implicit) aside() bool { return p.flat || p.place != nil }

// taskLen returns the floats of memory that a task takes, at most.
func (p *implicit) taskLen() int {
	n := 0
	if p.copies == nil {
		n = p.g.CG()*p.l.channel() + slack
	}
	if np := p.panels(); p.aside() {
		rows := 0
		for i := range p.parts {
			rows = max(rows, panelRow((i+1)*np/p.parts, np, p.g.KG())-panelRow(i*np/p.parts, np, p.g.KG()))
		}
		_, _, ldc := p.asideLayout(p.l.size)
		n += rows * ldc
	}
	if p.packed == nil {
		n += min(p.k, gemmK) * p.ts.Rows
	}
	return n
}

// task computes one box of one image and group, for one part of the channels:
// panel by panel, each through all blocks of k, over columns that stay in the
// cache.
func (p *implicit) task(i int, own scratchArena) {
	g, l := p.g, p.l
	part := i % p.parts
	plane, bx := p.boxAt(i / p.parts)
	n, gi := plane/g.Groups, plane%g.Groups
	cg, kg := g.CG(), g.KG()
	np := p.panels()
	p0, p1 := part*np/p.parts, (part+1)*np/p.parts
	r0, r1 := panelRow(p0, np, kg), panelRow(p1, np, kg)

	each := cg * l.channel()
	var cp []float32
	if p.copies != nil {
		cp = p.copies[i/p.parts*each:][:each+slack]
	} else {
		cp = own.take(each + slack)
		for c := range cg {
			l.fill(cp[c*l.channel():], p.channel(plane, c), &bx)
		}
		clear(cp[each:])
	}
	size := g.OutSize()
	if p.place != nil {
		size = p.place.size[0] * p.place.size[1] * p.place.size[2]
	}
	at := (n*g.K + gi*kg + r0) * size
	out := p.y[at:][:(r1-r0)*size]
	t := tiles.Get().(*simd.Tile)
	j := &boxJob{p: p, bx: &bx, cp: cp, out: out, ldc: size, t: t}
	if p.aside() {
		j.asideH, j.asideD, j.ldc = p.asideLayout([3]int{bx.hi[0] - bx.lo[0], bx.hi[1] - bx.lo[1], bx.hi[2] - bx.lo[2]})
		j.out = own.take((r1 - r0) * j.ldc)
	}
	var panel []float32
	if p.packed == nil {
		panel = own.take(min(p.k, gemmK) * p.ts.Rows)
	}
	for q := p0; q < p1; q++ {
		a, z := panelRow(q, np, kg), panelRow(q+1, np, kg)
		for k0 := 0; k0 < p.k; k0 += gemmK {
			kb := min(p.k-k0, gemmK)
			block := panel
			if p.packed != nil {
				block = p.packed[gi*kg*p.k+k0*kg+a*kb:]
			} else {
				p.pack(panel, gi, a, z-a, k0, kb)
				// The next panel's weights, as if they were one stretch.
				j.ahead = nil
				if q+1 < p1 && p.turned == nil {
					j.ahead = p.w[(gi*kg+a)*p.k+(z-a)*(p.k+k0):][:(z-a)*kb]
				}
			}
			j.set(block, k0, kb, gi*kg+a, a-r0, z-a)
			j.run()
		}
	}
	if p.place != nil {
		j.spread(out, r1-r0, size)
	} else {
		j.finish(out, at, r1-r0)
	}
	*t = simd.Tile{}
	tiles.Put(t)
}
