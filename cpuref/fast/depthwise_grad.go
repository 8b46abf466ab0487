package fast

import (
	"github.com/kansu-dev/kansu/cpuref/internal/simd"
	"github.com/kansu-dev/kansu/spec"
)

// depthwiseGradWeight computes the gradient of the weight of a convolution whose
// groups have one input channel each, or for which stripsPay: for each plane, the
// correlation of dy with the input, box by box or in strips, and then the sum over
// the images in their order.
func depthwiseGradWeight(dw, dy, x []float32, g *spec.Conv) {
	p := &planewiseGrad{g: g, dy: dy, x: x, sums: dw}
	if g.N > 1 {
		p.sums = getScratch(g.N * len(dw))
	}
	clear(p.sums)
	planes := g.N * g.Groups
	per := max(1, (1<<16)/(g.OutSize()*g.Terms()*g.KG()))
	ns := g.Flops() / 30
	if simd.Active() == simd.Portable {
		ns *= 20
	}
	if simd.Strip3x3() > 0 && stripFits(g) {
		p.setMasks()
		ParallelRange(planes, per, ns, func(low, high int) {
			for i := low; i < high; i++ {
				p.strips(i)
			}
		})
		p.total(dw)
		return
	}
	p.l = newLattice(&g.Window, g.PadMode, 8192)
	ParallelRange(planes, per, ns, func(low, high int) {
		cp := getScratch(p.l.channel() + slack)
		clear(cp)
		for i := low; i < high; i++ {
			p.plane(i, cp)
		}
		putScratch(cp)
	})
	p.total(dw)
}

// planewiseGrad is such a gradient under way.
type planewiseGrad struct {
	g     *spec.Conv
	dy, x []float32
	l     *lattice
	sums  []float32 // for each image, a gradient of its own
	masks []uint16  // of the strips: see simd.Correlation3x3
}

// total sums over the images.
func (p *planewiseGrad) total(dw []float32) {
	if p.g.N == 1 {
		return
	}
	copy(dw, p.sums)
	for n := 1; n < p.g.N; n++ {
		simd.BinAdd.Apply(dw, dw, p.sums[n*len(dw):][:len(dw)], 0, 0, 0, false)
	}
	putScratch(p.sums)
}

// setMasks lists which columns of each strip are on the planes.
func (p *planewiseGrad) setMasks() {
	out, in, left := p.g.Out[2], p.g.In[2], p.g.PadBegin[2]
	for c := 0; c < out; c += 16 {
		own := laneMask(c, out)
		p.masks = append(p.masks, uint16(own))
		for tap := range 3 {
			p.masks = append(p.masks, uint16(own&laneMask(c+tap-left, in)))
		}
	}
}

// stripTerms is about how many terms each lane of a sum over strips takes.
const stripTerms = 512

// stripMost is up to how many channels of a group, on either side, 3x3 windows are
// correlated plane by plane: beyond it a product's tiles are filled.
const stripMost = 8

// stripsPay says whether the gradient of a weight is to be taken plane by plane,
// though groups have several channels.
func stripsPay(g *spec.Conv) bool {
	return simd.Strip3x3() > 0 && stripFits(g) && g.KG() <= stripMost && g.CG() <= stripMost &&
		g.OutSize() >= 64 && 4*g.K*g.Terms() <= g.C*g.InSize()+g.K*g.OutSize()
}

// strips correlates the input planes of group i, counted through all images, with
// the gradients of its outputs, for 3x3 windows of stride 1.
func (p *planewiseGrad) strips(i int) {
	g := p.g
	all := len(p.masks) / 4
	many := max(1, stripTerms/g.Out[1])
	cg, kg := g.CG(), g.KG()
	c := simd.Correlation3x3{Rows: g.Out[1], Height: g.In[1], Top: -g.PadBegin[1], StrideA: g.Out[2], StrideB: g.In[2]}
	for j := range kg * cg {
		k := i*kg + j/cg // counted through all images
		dy := p.dy[k*g.OutSize():][:g.OutSize()]
		x := p.x[(i*cg+j%cg)*g.InSize():][:g.InSize()]
		c.Out = &p.sums[(k*cg+j%cg)*9]
		for s := 0; s < all; s += many {
			c.Strips, c.Masks = min(many, all-s), &p.masks[4*s]
			c.A, c.B, c.Left = &dy[16*s], &x[0], 16*s-g.PadBegin[2]
			c.Run()
		}
	}
}

// plane correlates input plane i with the gradients of its outputs.
func (p *planewiseGrad) plane(i int, cp []float32) {
	g, l := p.g, p.l
	var c simd.Correlation
	c.Offs, c.StrideA, c.StrideB = &l.tapAt[0], g.Out[2], l.q[2]
	for n := range l.boxes() {
		bx := l.box(n)
		l.fill(cp, p.x[i*g.InSize():][:g.InSize()], &bx)
		c.Rows, c.N = bx.hi[1]-bx.lo[1], bx.hi[2]-bx.lo[2]
		for j := range g.KG() {
			k := i/g.Groups*g.K + i%g.Groups*g.KG() + j // counted through all images
			c.Out = &p.sums[k*g.Taps()]
			for depth := range bx.hi[0] - bx.lo[0] {
				c.A = &p.dy[k*g.OutSize()+((bx.lo[0]+depth)*g.Out[1]+bx.lo[1])*g.Out[2]+bx.lo[2]]
				c.B = &cp[depth*l.q[1]*l.q[2]]
				c.Run(g.Taps())
			}
		}
	}
}
