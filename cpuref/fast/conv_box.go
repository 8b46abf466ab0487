package fast

import (
	"github.com/kansu-dev/kansu/cpuref/internal/simd"
	"github.com/kansu-dev/kansu/spec"
)

// A strided, dilated, padded convolution becomes a plain one on a copy of the
// input: the copy has the padding in place and is split, along each axis, into
// the phases that a stride of s distinguishes, the elements at s*q + phase.
// There the elements under tap t for the outputs o, o+1, ... lie side by side,
// at phase (t*dilation) mod s, from q = o + (t*dilation) div s on. A row of the
// product's B is thus a stretch of memory, and nothing like im2col is needed.
//
// The copy is made box by box: box is a range of outputs along each axis.
type box struct{ lo, hi [3]int }

// lattice is the layout of the copies for one window: how outputs are cut into
// boxes, and how a box's part of the input lies in memory.
type lattice struct {
	win    *spec.Window
	mode   spec.PadMode
	cols   int      // outputs of a box, about
	size   [3]int   // of a box, in outputs; the last ones may be smaller
	count  [3]int   // boxes along each axis
	phases [3][]int // those that occur
	q      [3]int   // elements of one phase along each axis
	plane  int      // elements of one channel's one phase: q0*q1*q2
	tapAt  []int    // offset of each tap within a channel
}

// newLattice lays out boxes of about cols outputs.
func newLattice(win *spec.Window, mode spec.PadMode, cols int) *lattice {
	l := &lattice{win: win, mode: mode, cols: cols}
	left := max(cols, 1)
	for i := 2; i >= 0; i-- {
		l.size[i] = min(win.Out[i], max(left, 1))
		l.count[i] = (win.Out[i] + l.size[i] - 1) / l.size[i]
		l.size[i] = (win.Out[i] + l.count[i] - 1) / l.count[i] // even them out
		l.count[i] = (win.Out[i] + l.size[i] - 1) / l.size[i]
		left /= l.size[i]
	}
	l.plane = 1
	var index [3]map[int]int
	for i := range l.q {
		s, d := win.Stride[i], win.Dilation[i]
		index[i] = map[int]int{}
		for t := range win.Kernel[i] {
			p := t * d % s
			if _, ok := index[i][p]; !ok {
				index[i][p] = len(l.phases[i])
				l.phases[i] = append(l.phases[i], p)
			}
		}
		l.q[i] = l.size[i] + (win.Kernel[i]-1)*d/s
		l.plane *= l.q[i]
	}
	for t := range win.Taps() {
		at := [3]int{t / (win.Kernel[1] * win.Kernel[2]), t / win.Kernel[2] % win.Kernel[1], t % win.Kernel[2]}
		phase, off := 0, 0
		for i, tap := range at {
			step := tap * win.Dilation[i]
			phase = phase*len(l.phases[i]) + index[i][step%win.Stride[i]]
			off = off*l.q[i] + step/win.Stride[i]
		}
		l.tapAt = append(l.tapAt, phase*l.plane+off)
	}
	return l
}

// phaseCount returns the number of phases of a channel.
func (l *lattice) phaseCount() int { return len(l.phases[0]) * len(l.phases[1]) * len(l.phases[2]) }

// channel returns the number of elements of a channel's copy.
func (l *lattice) channel() int { return l.phaseCount() * l.plane }

// boxes returns the number of boxes.
func (l *lattice) boxes() int { return l.count[0] * l.count[1] * l.count[2] }

// box returns box i. Their depths and heights differ by one at most, so that
// workers get equal shares.
func (l *lattice) box(i int) (b box) {
	at := [3]int{i / (l.count[1] * l.count[2]), i / l.count[2] % l.count[1], i % l.count[2]}
	for a := range 2 {
		b.lo[a] = at[a] * l.win.Out[a] / l.count[a]
		b.hi[a] = (at[a] + 1) * l.win.Out[a] / l.count[a]
	}
	b.lo[2] = at[2] * l.size[2] // whole tiles
	b.hi[2] = min(l.win.Out[2], b.lo[2]+l.size[2])
	return b
}

// slack is how many floats behind a copy the kernels may read: a vector tile
// that hangs over the end of the last row.
const slack = 64

// fill copies what the outputs in the box need of one channel plane of the
// input: phase by phase, row by row.
func (l *lattice) fill(dst, x []float32, b *box) {
	if l.mode == spec.PadZeros && l.win.Stride[2] <= 2 {
		l.fillZeros(dst, x, b)
		return
	}
	in := &l.win.In
	var n [3]int // elements needed along each axis
	for i := range n {
		n[i] = b.hi[i] - b.lo[i] + l.q[i] - l.size[i]
	}
	for pd := range l.phases[0] {
		for ph := range l.phases[1] {
			for pw := range l.phases[2] {
				for qd := range n[0] {
					d, okD := l.source(0, b.lo[0]+qd, l.phases[0][pd])
					for qh := range n[1] {
						h, okH := l.source(1, b.lo[1]+qh, l.phases[1][ph])
						row := dst[(qd*l.q[1]+qh)*l.q[2]:][:n[2]]
						if !okD || !okH {
							clear(row)
							continue
						}
						l.fillRow(row, x[(d*in[1]+h)*in[2]:][:in[2]], b.lo[2], l.phases[2][pw])
					}
				}
				dst = dst[l.plane:]
			}
		}
	}
}

// fillZeros is fill for zero padding and columns at most two apart: what lies on
// the input is a rectangle for each depth, and the rest is zero.
func (l *lattice) fillZeros(dst, x []float32, b *box) {
	in, s := &l.win.In, &l.win.Stride
	clear(dst[:l.channel()])
	for _, pd := range l.phases[0] {
		d0, d1 := l.onInput(0, pd, b)
		for _, ph := range l.phases[1] {
			h0, h1 := l.onInput(1, ph, b)
			for _, pw := range l.phases[2] {
				w0, w1 := l.onInput(2, pw, b)
				for q := d0; q < d1 && h0 < h1 && w0 < w1; q++ {
					d := (b.lo[0]+q)*s[0] + pd - l.win.PadBegin[0]
					h := (b.lo[1]+h0)*s[1] + ph - l.win.PadBegin[1]
					w := (b.lo[2]+w0)*s[2] + pw - l.win.PadBegin[2]
					simd.CopyPlane(&dst[(q*l.q[1]+h0)*l.q[2]+w0], &x[(d*in[1]+h)*in[2]+w], l.q[2], s[1]*in[2], h1-h0, w1-w0, s[2])
				}
				dst = dst[l.plane:]
			}
		}
	}
}

// onInput returns the range of a phase's elements, from the box's first on, that
// lie on the input along an axis.
func (l *lattice) onInput(axis, phase int, b *box) (lo, hi int) {
	s := l.win.Stride[axis]
	start := b.lo[axis]*s + phase - l.win.PadBegin[axis] // position of element 0
	n := b.hi[axis] - b.lo[axis] + l.q[axis] - l.size[axis]
	lo = min(n, max(0, (-start+s-1)/s))
	hi = max(lo, min(n, (l.win.In[axis]-start+s-1)/s))
	return lo, hi
}

// source maps element q of a phase along an axis to the input; ok is false
// where a zero stands there.
func (l *lattice) source(axis, q, phase int) (at int, ok bool) {
	return padIndex(q*l.win.Stride[axis]+phase-l.win.PadBegin[axis], l.win.In[axis], l.mode)
}

// fillRow copies elements from, from+1, ... of a phase of a row.
func (l *lattice) fillRow(dst, row []float32, from, phase int) {
	s := l.win.Stride[2]
	start := from*s + phase - l.win.PadBegin[2] // position of dst[0] in row
	n := len(dst)
	// dst[lo:hi] lies on the row.
	lo := min(n, max(0, (-start+s-1)/s))
	hi := max(lo, min(n, (len(row)-start+s-1)/s))
	for i := range lo {
		dst[i] = padded(row, start+i*s, l.mode)
	}
	switch src := row[min(len(row), max(0, start+lo*s)):]; s {
	case 1:
		copy(dst[lo:hi], src)
	case 2:
		everySecond(dst[lo:hi], src)
	default:
		for i := range dst[lo:hi] {
			dst[lo+i] = src[i*s]
		}
	}
	for i := hi; i < n; i++ {
		dst[i] = padded(row, start+i*s, l.mode)
	}
}

// everySecond copies src[0], src[2], ...
func everySecond(dst, src []float32) {
	whole := min(len(dst), (len(src)-1)/2) &^ 15
	if whole > 0 {
		simd.WindowSum(&dst[0], &src[0], whole, 1, 0, 2)
	}
	for i := whole; i < len(dst); i++ {
		dst[i] = src[2*i]
	}
}

// padded returns the element that stands at position i of a padded row.
func padded(row []float32, i int, mode spec.PadMode) float32 {
	if at, ok := padIndex(i, len(row), mode); ok {
		return row[at]
	}
	return 0
}

// padIndex maps a position along an axis of size n to the element that stands
// there; ok is false in zero padding, and behind the padding, where no output
// looks.
func padIndex(i, n int, mode spec.PadMode) (index int, ok bool) {
	if i >= 0 && i < n {
		return i, true
	}
	switch mode {
	case spec.PadReflect:
		if i < 0 {
			i = -i
		} else {
			i = 2*(n-1) - i
		}
	case spec.PadReplicate:
		i = min(max(i, 0), n-1)
	case spec.PadCircular:
		i = ((i % n) + n) % n
	}
	return i, i >= 0 && i < n
}
