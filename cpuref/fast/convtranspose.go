package fast

import (
	"github.com/kansu-dev/kansu/cpuref/internal/simd"
	"github.com/kansu-dev/kansu/spec"
)

// ConvTranspose computes a transposed convolution in 1, 2 or 3 dimensions; see
// spec.ConvTranspose for the formula and the shapes. The bias b is nil where
// g.Bias is false.
//
// The outputs o with the same phase (o+pad) mod stride meet the same taps, every
// stride/gcd(stride, dilation)-th one, and inputs side by side: they are a
// convolution of stride 1 with those taps, last one first. Each phase is computed
// as such, and its outputs are spread over y.
func ConvTranspose(y, x, w, b []float32, g spec.ConvTranspose) {
	t := &transposed{g: &g, y: y, x: x, w: w, b: b}
	if mergePays(&g) {
		convTransposeMerged(t)
		return
	}
	if pointsFit(&g) && b == nil && g.Act.Func == spec.Identity {
		t.points()
		return
	}
	var axes [3][]axisPhase
	for i := range axes {
		axes[i] = phasesOf(&g, i)
	}
	var all [][3]axisPhase
	for _, d := range axes[0] {
		for _, h := range axes[1] {
			for _, w := range axes[2] {
				all = append(all, [3]axisPhase{d, h, w})
			}
		}
	}
	if g.CG() == 1 && g.KG() <= depthwiseMax && g.Stride != [3]int{1, 1, 1} {
		t.planes(all)
		return
	}
	for _, a := range all {
		t.phase(a, len(all))
	}
	runImplicit(t.products...)
}

// axisPhase is one phase of the outputs along one axis.
type axisPhase struct {
	first, count int // outputs first, first+stride, ...
	tap, taps    int // taps tap, tap+step, ... of the kernel
	step         int
	dilation     int // inputs from one such tap to the next
	pad          int // inputs before the first that the last tap of output first meets
}

// phasesOf returns the phases along an axis that have outputs.
func phasesOf(g *spec.ConvTranspose, axis int) []axisPhase {
	s, d, k := g.Stride[axis], g.Dilation[axis], g.Kernel[axis]
	step := s / gcd(s, d)
	var list []axisPhase
	for r := range s {
		// Output u*s + r - pad meets input u - (t*d-r)/s through tap t.
		u0 := max(0, (g.PadBegin[axis]-r+s-1)/s)
		a := axisPhase{first: u0*s + r - g.PadBegin[axis], step: step, dilation: d * step / s}
		if a.first >= g.Out[axis] {
			continue
		}
		a.count = (g.Out[axis]-a.first-1)/s + 1
		for a.tap = 0; a.tap < min(step, k) && a.tap*d%s != r; a.tap++ {
		}
		if a.tap < min(step, k) {
			a.taps = (k-a.tap-1)/step + 1
			last := (a.tap+(a.taps-1)*step)*d - r
			a.pad = last/s - u0
		}
		list = append(list, a)
	}
	return list
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// transposed is a transposed convolution under way.
type transposed struct {
	g          *spec.ConvTranspose
	y, x, w, b []float32
	products   []*implicit // the phases, but for those that were computed at once
}

// pointsFit says whether the kernel has one tap and every input one output of its
// own: padding at the end may leave inputs without.
func pointsFit(g *spec.ConvTranspose) bool {
	if g.Taps() > 1 || g.Groups > 1 || g.Stride == [3]int{1, 1, 1} || g.PadBegin != [3]int{} {
		return false
	}
	for i, n := range g.In {
		if (n-1)*g.Stride[i] >= g.Out[i] {
			return false
		}
	}
	return true
}

// points computes one for which pointsFit: a matrix product for each image, whose elements
// stand a stride apart in zeros.
func (t *transposed) points() {
	g, n := t.g, t.g.InSize()
	tmp := getScratch(g.K * n)
	defer putScratch(tmp)
	for image := range g.N {
		Gemm(g.K, n, g.C, t.w, g.K, true, t.x[image*g.C*n:], n, false, tmp, n, false, Epilogue{})
		y := t.y[image*g.K*g.OutSize():]
		ParallelRange(g.K, max(1, pointwiseChunk/g.OutSize()), 0.2*float64(g.K*g.OutSize()), func(low, high int) {
			for k := low; k < high; k++ {
				plane := y[k*g.OutSize():][:g.OutSize()]
				clear(plane)
				for d := range g.In[0] {
					dst, src := plane[d*g.Stride[0]*g.Out[1]*g.Out[2]:], tmp[k*n+d*g.In[1]*g.In[2]:]
					simd.SpreadPlane(&dst[0], &src[0], g.Stride[1]*g.Out[2], g.In[2], g.In[1], g.In[2], g.Stride[2])
				}
			}
		})
	}
}

// conv returns the convolution of stride 1 that a phase is, and where its outputs go.
func (t *transposed) conv(a [3]axisPhase) (*spec.Conv, *placement) {
	g := t.g
	c := &spec.Conv{N: g.N, C: g.C, K: g.K, Groups: g.Groups, Bias: g.Bias, Act: g.Act}
	c.Rank, c.In = 3, g.In
	place := &placement{step: g.Stride, size: g.Out}
	for i, p := range a {
		c.Out[i], c.Kernel[i], c.Stride[i], c.Dilation[i], c.PadBegin[i] = p.count, p.taps, 1, max(p.dilation, 1), p.pad
		place.first[i] = p.first
	}
	return c, place
}

// phase computes one of the phases of the outputs, or plans it to be computed with
// the others.
func (t *transposed) phase(a [3]axisPhase, phases int) {
	g := t.g
	c, place := t.conv(a)
	if c.Taps() == 0 {
		t.fill(a)
		return
	}
	if place.step == [3]int{1, 1, 1} {
		place = nil // one phase, which is all of y
	}
	if place == nil {
		// The other methods than the implicit product go by the padding, which may
		// be negative here.
		for i := range c.PadEnd {
			c.PadEnd[i] = c.Out[i] - 1 + c.Extent(i) - c.PadBegin[i] - c.In[i]
		}
		// Winograd's method takes the weights as they stand.
		if convMethodOf(c) == convWinograd {
			if winograd(t.y, t.x, t.b, kernels3{w: t.w, out: 9, in: 9 * c.KG(), flip: true}, c, nil) {
				return
			}
			c.Direct = true
		}
	}
	if place == nil && !c.Direct && convMethodOf(c) != convImplicitly {
		w := getScratch(c.K * c.Terms())
		defer putScratch(w)
		t.weights(w, &a, c.Terms())
		Conv(t.y, t.x, w, t.b, *c)
		return
	}
	p := newImplicit(t.y, t.x, t.w, t.b, c, place, phases)
	p.turned = &turned{taps: t.taps(&a), kernel: g.Taps()}
	t.products = append(t.products, p)
}

// turned is how the weights of a transposed convolution hold those of a phase.
type turned struct {
	taps   []int // where the phase's taps stand in a kernel
	kernel int   // taps of a kernel
}

// pack packs columns k0 to k0+kb of rows r0 to r0+n of group gi, as packRows does
// with weights of a convolution c.
func (t *turned) pack(dst, w []float32, c *spec.Conv, gi, r0, n, k0, kb int) {
	taps := len(t.taps)
	if t.kernel == 1 {
		simd.CopyRows(&dst[0], &w[(gi*c.CG()+k0)*c.KG()+r0], n, c.KG(), kb, n, n)
		return
	}
	var tmp []float32
	for k := k0; k < k0+kb; {
		tap := k % taps
		m := min(taps-tap, k0+kb-k)
		src := w[((gi*c.CG()+k/taps)*c.KG()+r0)*t.kernel:]
		if m == t.kernel { // all of them, the last one first
			simd.Transpose(&dst[(m-1)*n], &src[0], -n, t.kernel, t.kernel, n, n)
		} else {
			if tmp == nil {
				tmp = getScratch(t.kernel * n)
				defer putScratch(tmp)
			}
			simd.Transpose(&tmp[0], &src[0], n, t.kernel, t.kernel, n, n)
			for i, at := range t.taps[tap:][:m] {
				copy(dst[i*n:][:n], tmp[at*n:])
			}
		}
		dst = dst[m*n:]
		k += m
	}
}

// planes computes all phases where a group has one input channel: for each box of each
// plane, phase after phase, the outputs side by side in the cache, and then in their
// places.
func (t *transposed) planes(phases [][3]axisPhase) {
	type phase struct {
		planewise
		to *placement
	}
	var list []phase
	room, outputs, boxes := 0, 0, 0
	for _, a := range phases {
		c, to := t.conv(a)
		if c.Taps() == 0 {
			t.fill(a)
			continue
		}
		w := getScratch(c.K * c.Terms())
		defer putScratch(w)
		t.weights(w, &a, c.Terms())
		l := newLattice(&c.Window, c.PadMode, 8192)
		p := phase{planewise{g: c, x: t.x, w: w, b: t.b, own: true, l: l}, to}
		p.lo, p.hi, p.act = clampOrAll(c.Act)
		room, boxes = max(room, l.channel()), max(boxes, l.boxes())
		outputs = max(outputs, c.KG()*l.size[0]*l.size[1]*l.size[2])
		list = append(list, p)
	}
	g, size := t.g, t.g.OutSize()
	ns := g.Flops() / 40
	if simd.Active() == simd.Portable {
		ns *= 20
	}
	per := max(1, (1<<15)*boxes/(size*g.KG()))
	ParallelRange(g.N*g.Groups*boxes, per, ns, func(low, high int) {
		cp, y := getScratch(room+slack), getScratch(outputs)
		defer putScratch(cp)
		defer putScratch(y)
		clear(cp)
		for i := low; i < high; i++ {
			for _, p := range list {
				if i%boxes < p.l.boxes() {
					p.y = y
					p.box(i/boxes, i%boxes, cp)
					p.to.spread(t.y[i/boxes*g.KG()*size:], y, g.KG(), p.l.box(i%boxes))
				}
			}
		}
	})
}

// spread puts the outputs of a box of a phase, of so many planes side by side, in
// their places.
func (to *placement) spread(y, outputs []float32, planes int, bx box) {
	depths, rows, cols := bx.hi[0]-bx.lo[0], bx.hi[1]-bx.lo[1], bx.hi[2]-bx.lo[2]
	var at [3]int
	for i := range at {
		at[i] = to.first[i] + bx.lo[i]*to.step[i]
	}
	for j := range planes {
		for d := range depths {
			dst := y[((j*to.size[0]+at[0]+d*to.step[0])*to.size[1]+at[1])*to.size[2]+at[2]:]
			src := outputs[(j*depths+d)*rows*cols:]
			simd.SpreadPlane(&dst[0], &src[0], to.step[1]*to.size[2], cols, rows, cols, to.step[2])
		}
	}
}

// taps returns where the taps of a phase stand in a kernel of w, the last one first.
func (t *transposed) taps(a *[3]axisPhase) []int {
	g := t.g
	var taps []int
	for d := a[0].taps - 1; d >= 0; d-- {
		for h := a[1].taps - 1; h >= 0; h-- {
			for w := a[2].taps - 1; w >= 0; w-- {
				taps = append(taps, ((a[0].tap+d*a[0].step)*g.Kernel[1]+a[1].tap+h*a[1].step)*g.Kernel[2]+a[2].tap+w*a[2].step)
			}
		}
	}
	return taps
}

// weights brings the phase's weights into the order of a convolution:
// [K, C/Groups, taps], the last tap first.
func (t *transposed) weights(dst []float32, a *[3]axisPhase, terms int) {
	g := t.g
	cg, kg := g.CG(), g.KG()
	kernel := g.Taps()
	taps := t.taps(a)
	if kernel == 1 {
		for i := range g.Groups {
			transposeRows(dst[i*kg*cg:], t.w[i*cg*kg:], cg, kg, kg, cg, cg)
		}
		return
	}
	// Blocks of channels by channels, whose rows are contiguous on both sides.
	const block = 16
	perGroup, across := (cg+block-1)/block, (kg+block-1)/block
	all9 := kernel == 9 && len(taps) == 9
	Parallel(g.Groups*perGroup*across, float64(len(dst))/2, func(i int) {
		gi, c0, k0 := i/(perGroup*across), i/across%perGroup*block, i%across*block
		ks := min(block, kg-k0)
		for c := c0; c < min(cg, c0+block); c++ {
			from, to := t.w[((gi*cg+c)*kg+k0)*kernel:], dst[(gi*kg+k0)*terms+c*len(taps):]
			switch {
			case all9: // 3x3, all of them
				for k := range ks {
					a, b := (*[9]float32)(from[9*k:]), (*[9]float32)(to[k*terms:])
					b[0], b[1], b[2], b[3], b[4] = a[8], a[7], a[6], a[5], a[4]
					b[5], b[6], b[7], b[8] = a[3], a[2], a[1], a[0]
				}
			case len(taps) == 4: // kernels of twice the stride in two dimensions
				t0, t1, t2, t3 := taps[0], taps[1], taps[2], taps[3]
				for k := range ks {
					a, b := from[k*kernel:][:kernel], (*[4]float32)(to[k*terms:])
					b[0], b[1], b[2], b[3] = a[t0], a[t1], a[t2], a[t3]
				}
			default:
				for k := range ks {
					a, b := from[k*kernel:][:kernel], to[k*terms:][:len(taps)]
					for i, tap := range taps {
						b[i] = a[tap]
					}
				}
			}
		}
	})
}

// fill sets the outputs of a phase that no tap meets to the activated bias.
func (t *transposed) fill(a [3]axisPhase) {
	g := t.g
	size := g.OutSize()
	for i := range g.N * g.K {
		v := float32(0)
		if t.b != nil {
			v = t.b[i%g.K]
		}
		act := [1]float32{v} // by the function that the others take
		pointwise(g.Act, act[:], act[:])
		v = act[0]
		for d := range a[0].count {
			for h := range a[1].count {
				row := t.y[i*size+((a[0].first+d*g.Stride[0])*g.Out[1]+a[1].first+h*g.Stride[1])*g.Out[2]:][:g.Out[2]]
				for w := a[2].first; w < len(row); w += g.Stride[2] {
					row[w] = v
				}
			}
		}
	}
}
