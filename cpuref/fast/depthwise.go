package fast

import (
	"github.com/kansu-dev/kansu/cpuref/internal/simd"
	"github.com/kansu-dev/kansu/spec"
)

// depthwiseMax is up to how many output channels a group of one input channel
// is computed plane by plane.
const depthwiseMax = 4

// depthwise computes a convolution whose groups have one input channel each.
func depthwise(y, x, w, b []float32, g *spec.Conv, t *Tail) {
	d := &planewise{g: g, y: y, x: x, w: w, b: b, tail: t}
	d.lo, d.hi, d.act = clampOrAll(g.Act)
	planes := g.N * g.Groups
	// Several planes make a task, if they are small.
	per := max(1, (1<<16)/(g.OutSize()*g.Taps()*g.KG()))
	ns := g.Flops() / 40
	if simd.Active() == simd.Portable {
		ns *= 20
	}
	if strip := simd.Strip3x3(); strip > 0 && stripFits(g) {
		zeros := getScratch(strip + 32)
		clear(zeros)
		ParallelRange(planes, per, ns, func(low, high int) {
			for i := low; i < high; i++ {
				d.strips(i, strip, zeros)
			}
		})
		putScratch(zeros)
		return
	}
	d.l = newLattice(&g.Window, g.PadMode, 8192)
	boxes := d.l.boxes()
	ParallelRange(planes*boxes, per, ns, func(low, high int) {
		cp := getScratch(d.l.channel() + slack)
		clear(cp)
		for i := low; i < high; i++ {
			d.box(i/boxes, i%boxes, cp)
		}
		putScratch(cp)
	})
}

// stripFits says whether the kernel for 3x3 strips computes the convolution.
func stripFits(g *spec.Conv) bool {
	return g.Kernel == [3]int{1, 3, 3} && g.Stride == [3]int{1, 1, 1} && g.Dilation == [3]int{1, 1, 1} &&
		g.In[0] == 1 && g.Out[0] == 1 && g.PadBegin[0] == 0 && g.PadEnd[0] == 0 &&
		g.PadBegin[2] <= 1 && g.PadEnd[2] <= 1 && (g.PadMode == spec.PadZeros || g.PadBegin == [3]int{} && g.PadEnd == [3]int{})
}

// planewise is a depthwise convolution under way.
type planewise struct {
	g          *spec.Conv
	y, x, w, b []float32
	act        spec.Activation
	lo, hi     float32
	l          *lattice
	own        bool // y has the outputs of one box only
	tail       *Tail
}

// start sets what depends on the output channel alone.
func (p *planewise) start(d *simd.Depthwise, k int) {
	d.W, d.Taps, d.Lo, d.Hi, d.Bias = &p.w[k*p.g.Taps()], p.g.Taps(), p.lo, p.hi, 0
	if p.b != nil {
		d.Bias = p.b[k]
	}
}

// strips computes the outputs of input plane i, 3x3 and stride 1, in strips of
// up to width columns.
func (p *planewise) strips(i, width int, zeros []float32) {
	g := p.g
	in, out, left := g.In[2], g.Out[2], g.PadBegin[2]
	x := p.x[i*g.InSize():][:g.InSize()]
	var d simd.Depthwise
	d.Zero, d.Height, d.Top, d.Rows = &zeros[0], g.In[1], -g.PadBegin[1], g.Out[1]
	d.DstStride, d.SrcStride = out, in
	for j := range g.KG() {
		k := i%g.Groups*g.KG() + j
		at := (i/g.Groups*g.K + k) * g.OutSize()
		y := p.y[at:][:g.OutSize()]
		p.start(&d, k)
		for c := 0; c < out; c += width {
			n := min(width, out-c)
			d.N, d.Dst = n, &y[c]
			d.Src, d.SrcOff = &x[0], c-left
			lastVec := (n - 1) / 16 * 16
			for tap := range 3 {
				d.First[tap] = laneMask(c+tap-left, in)
				d.Last[tap] = laneMask(c+lastVec+tap-left, in)
			}
			d.Store = laneMask(0, n-lastVec)
			d.Strip()
		}
		if p.act.Func != spec.Identity {
			pointwise(p.act, y, y)
		}
		p.tail.rows(at, 0, 1, len(y))
	}
}

// laneMask has a bit for each of 16 positions from start on that lies in [0, n).
func laneMask(start, n int) uint32 {
	m := uint32(0)
	for i := range 16 {
		if p := start + i; p >= 0 && p < n {
			m |= 1 << i
		}
	}
	return m
}

// box computes one box of the outputs of input plane i with any kernel.
func (p *planewise) box(i, n int, cp []float32) {
	g, l := p.g, p.l
	bx := l.box(n)
	l.fill(cp, p.x[i*g.InSize():][:g.InSize()], &bx)
	var d simd.Depthwise
	d.Offs = &l.tapAt[0]
	depths := bx.hi[0] - bx.lo[0]
	d.Rows, d.N = bx.hi[1]-bx.lo[1], bx.hi[2]-bx.lo[2]
	d.DstStride, d.SrcStride = g.Out[2], l.q[2]
	if p.own {
		d.DstStride = d.N
	}
	for j := range g.KG() {
		k := i%g.Groups*g.KG() + j
		at := (i/g.Groups*g.K + k) * g.OutSize()
		p.start(&d, k)
		for depth := range depths {
			from := at + ((bx.lo[0]+depth)*g.Out[1]+bx.lo[1])*g.Out[2] + bx.lo[2]
			if p.own {
				from = (j*depths + depth) * d.Rows * d.N
			}
			d.Dst, d.Src = &p.y[from], &cp[depth*l.q[1]*l.q[2]]
			d.Run()
			for r := range d.Rows {
				if p.act.Func != spec.Identity {
					row := p.y[from+r*d.DstStride:][:d.N]
					pointwise(p.act, row, row)
				}
			}
			if d.N == g.Out[2] {
				p.tail.rows(from, 0, 1, d.Rows*d.N)
			} else {
				p.tail.rows(from, g.Out[2], d.Rows, d.N)
			}
		}
	}
}
