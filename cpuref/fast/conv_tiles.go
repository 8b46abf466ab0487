package fast

import (
	"github.com/kansu-dev/kansu/cpuref/internal/simd"
	"github.com/kansu-dev/kansu/spec"
)

// boxJob runs the tiles of one box of an implicit product.
type boxJob struct {
	p   *implicit
	bx  *box
	cp  []float32 // the copy of the input
	out []float32 // where the job's first output channel goes
	ldc int       // from one channel to the next
	t   *simd.Tile

	// The panel of weights in hand, for one block of k.
	row, rows int       // its first row among the job's, and their number
	ahead     []float32 // weights that are wanted next, or nil

	asideH, asideD int // columns from one row and depth to the next where outputs are put by
}

// asideLayout lays out the outputs of a box of a size where they are put by, and
// returns how far apart rows, depths and channels are: a depth after the other,
// and where tiles run on over the ends of rows these at the distance that they
// have in the copy.
func (p *implicit) asideLayout(size [3]int) (h, d, channel int) {
	if h = size[2]; p.flat {
		h = p.l.q[2]
	}
	d = ((size[1]-1)*h + size[2] + 15) &^ 15
	return h, d, d*size[0] + 16 // not a power of two
}

// set takes a panel of packed weights a for columns k0 to k0+kb: rows rows from
// row of the job on, which is output channel channel.
func (j *boxJob) set(a []float32, k0, kb, channel, row, rows int) {
	p, t := j.p, j.t
	j.row, j.rows = row, rows
	t.A, t.Offs, t.K, t.LDC, t.Lo, t.Hi = &a[0], &p.offs[k0], kb, j.ldc, p.lo, p.hi
	t.Mode, t.Bias = simd.FromC, nil
	if k0 == 0 {
		t.Mode = simd.FromZero
		if p.b != nil {
			t.Mode, t.Bias = simd.FromRowBias, &p.b[channel]
		}
	}
	if k0+kb == p.k {
		t.Mode |= p.clamp
	}
}

// run runs the panel over all columns of the box.
func (j *boxJob) run() {
	l, g := j.p.l, j.p.g
	depth, h, w := j.bx.hi[0]-j.bx.lo[0], j.bx.hi[1]-j.bx.lo[1], j.bx.hi[2]-j.bx.lo[2]
	for d := range depth {
		if j.p.flat {
			j.stretch(d*l.q[1]*l.q[2], d*j.asideD, (h-1)*j.asideH+w)
			continue
		}
		for r := range h {
			if j.p.place != nil {
				j.stretch((d*l.q[1]+r)*l.q[2], d*j.asideD+r*j.asideH, w)
				continue
			}
			at := ((j.bx.lo[0]+d)*g.Out[1]+j.bx.lo[1]+r)*g.Out[2] + j.bx.lo[2]
			j.stretch((d*l.q[1]+r)*l.q[2], at, w)
		}
	}
}

// stretch runs the panel over n columns that lie side by side, from in the copy
// and to in the output.
func (j *boxJob) stretch(from, to, n int) {
	t, w := j.t, j.p.ts.Cols
	for c := 0; c < n; c += w {
		t.B, t.N = &j.cp[from+c], min(w, n-c)
		t.C = &j.out[j.row*j.ldc+to+c]
		t.Next = nil
		if len(j.ahead) > 0 {
			t.Next, t.Step = &j.ahead[0], w
			j.ahead = j.ahead[min(len(j.ahead), t.K/4*w):]
		}
		j.p.ts.Run(t, j.rows)
	}
}

// finish moves flat columns to y, where the job's first channel starts, at in all
// outputs, and applies what is left of the activation, and the tail.
func (j *boxJob) finish(y []float32, at, channels int) {
	p := j.p
	if !p.flat && p.act.Func == spec.Identity && p.tail == nil {
		return
	}
	g := p.g
	depth, h, w := j.bx.hi[0]-j.bx.lo[0], j.bx.hi[1]-j.bx.lo[1], j.bx.hi[2]-j.bx.lo[2]
	rows, width := h, w // of a depth
	if w == g.Out[2] {
		rows, width = 1, h*w
	}
	for c := range channels {
		plane := y[c*g.OutSize():][:g.OutSize()]
		for d := range depth {
			from := ((j.bx.lo[0]+d)*g.Out[1]+j.bx.lo[1])*g.Out[2] + j.bx.lo[2]
			if p.flat {
				src := j.out[c*j.ldc+d*j.asideD:]
				for r := range h {
					copy(plane[from+r*g.Out[2]:][:w], src[r*j.asideH:])
				}
			}
			for r := range rows {
				if p.act.Func != spec.Identity {
					row := plane[from+r*g.Out[2]:][:width]
					pointwise(p.act, row, row)
				}
			}
		}
	}
	for d := range depth {
		from := at + ((j.bx.lo[0]+d)*g.Out[1]+j.bx.lo[1])*g.Out[2] + j.bx.lo[2]
		for r := range rows {
			p.tail.rows(from+r*g.Out[2], g.OutSize(), channels, width)
		}
	}
}

// spread applies what is left of the activation to the job's outputs and puts
// them where the placement says: y holds the channels, size floats each.
func (j *boxJob) spread(y []float32, channels, size int) {
	p, to := j.p, j.p.place
	depth, h, w := j.bx.hi[0]-j.bx.lo[0], j.bx.hi[1]-j.bx.lo[1], j.bx.hi[2]-j.bx.lo[2]
	var at [3]int
	for i := range at {
		at[i] = to.first[i] + j.bx.lo[i]*to.step[i]
	}
	for c := range channels {
		src := j.out[c*j.ldc:][:j.asideD*depth]
		if p.act.Func != spec.Identity {
			pointwise(p.act, src, src)
		}
		for d := range depth {
			dst := y[c*size+((at[0]+d*to.step[0])*to.size[1]+at[1])*to.size[2]+at[2]:]
			simd.SpreadPlane(&dst[0], &src[d*j.asideD], to.step[1]*to.size[2], j.asideH, h, w, to.step[2])
		}
	}
}
