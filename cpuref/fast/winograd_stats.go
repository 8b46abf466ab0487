package fast

import (
	"math"

	"github.com/kansu-dev/kansu/cpuref/internal/simd"
)

// What the guard of Winograd's method measures of inputs and weights.

// bandSums is the scratch memory of measure: per pixel of a band of rows of
// tiles, sums over the channels.
type bandSums struct {
	wide          int       // floats of a padded row
	sums, squares []float32 // rows of the input, as they lie in a plane
	padded        [2][]float32
	line          []float32
	box           [2][]float32
}

// measure finds the variance of the tiles of a band, and R and Q for each of their
// runs.
func (d *guard) measure(row int) {
	p, g := d.p, d.p.g
	const most = 4*winogradBand + 2
	in, wide, plane := g.In[2], 4*p.tw+2, g.InSize()
	rows, pads, lines := most*in, most*wide+slack, wide+slack
	buf := getScratch(2*(rows+pads) + 3*lines)
	defer putScratch(buf)
	take := func(n int) []float32 {
		s := buf[:n:n]
		buf = buf[n:]
		return s
	}
	b := &bandSums{wide: wide, sums: take(rows), squares: take(rows)}
	b.padded = [2][]float32{take(pads), take(pads)}
	b.line, b.box = take(lines), [2][]float32{take(lines), take(lines)}
	clear(b.padded[0][most*wide:]) // vectors hang over the last row
	clear(b.padded[1][most*wide:])
	last := min(p.rows, row+winogradBand)
	left := min(wide, g.PadBegin[2])
	width := max(0, min(in, wide-left))
	for row < last {
		n, first := row/p.th, row%p.th
		count := min(last-row, p.th-first) // of the same image
		h0 := min(max(0, 4*first-g.PadBegin[1]), g.In[1])
		h1 := max(h0, min(g.In[1], 4*(first+count)+2-g.PadBegin[1]))
		size := (h1 - h0) * in
		clear(b.sums[:size])
		clear(b.squares[:size])
		if size > 0 {
			simd.AbsSquares(b.sums[:size], b.squares[:size], p.x[(n*g.C+p.gi*p.cg)*plane+h0*in:], p.cg, plane)
		}
		for i, src := range [2][]float32{b.sums, b.squares} {
			for r := range 4*count + 2 {
				line := b.padded[i][r*wide:][:wide]
				h := 4*first + r - g.PadBegin[1]
				if h < h0 || h >= h1 {
					clear(line)
					continue
				}
				clear(line[:left])
				copy(line[left:][:width], src[(h-h0)*in:])
				clear(line[left+width:])
			}
		}
		for r := range count {
			d.tileRow(b, row+r, 4*r)
		}
		row += count
	}
}

// tileRow measures one row of tiles, whose first line is line top of the band.
func (d *guard) tileRow(b *bandSums, row, top int) {
	p := d.p
	t := row % p.th
	for i, run := range d.rows.runs[d.rows.first[t]:d.rows.first[t+1]] {
		ends := d.ends[d.run(row, i)*len(d.cols.runs):][:len(d.cols.runs)]
		for j := range ends {
			ends[j] = [2]runEnds{{r: inf32}, {r: inf32}}
		}
		for o := run.lo; o < run.hi; o++ {
			at := (top + o - 4*t) * b.wide
			for k := range b.padded {
				simd.WindowSum(&b.line[0], &b.padded[k][at], b.wide, 3, b.wide, 1)
				simd.WindowSum(&b.box[k][0], &b.line[0], 4*p.tw, 3, 1, 1)
			}
			outer := (o+1)&2 == 0 // the first or the last of its tile
			for j, c := range d.cols.runs {
				e := &ends[j]
				for at := c.lo; at < c.hi; at++ {
					r, q := b.box[0][at], b.box[1][at]
					e[0].r, e[0].q = min(e[0].r, r), max(e[0].q, q)
					if outer && (at+1)&2 == 0 {
						e[1].r, e[1].q = min(e[1].r, r), max(e[1].q, q)
					}
				}
			}
		}
		for j := range ends {
			for k := range ends[j] {
				ends[j][k].q = float32(math.Sqrt(float64(ends[j][k].q)))
			}
		}
	}
	// The variance of the four corners, down the columns and then along the rows.
	up, down := b.box[0][:b.wide], b.box[1][:b.wide]
	clear(up)
	clear(down)
	for r := range 6 {
		f, g := guardVariance[r], guardVariance[5-r]
		for i, v := range b.padded[1][(top+r)*b.wide:][:b.wide] {
			up[i] += f * v
			down[i] += g * v
		}
	}
	reach := d.reach[row*p.tw:][:p.tw]
	for i := range reach {
		var sum [4]float32
		for c, f := range guardVariance {
			sum[0] += f * up[4*i+c]
			sum[1] += f * up[4*i+5-c]
			sum[2] += f * down[4*i+c]
			sum[3] += f * down[4*i+5-c]
		}
		reach[i] = max(sum[0], sum[1], sum[2], sum[3])
	}
}

// summarize makes the strip's summary from the statistics of its weights.
func (d *guard) summarize(s int, stats []float32) {
	p, L := d.p, d.p.lanes
	strip := &d.strips[s]
	*strip = guardStrip{h: strip.h}
	clear(strip.h)
	tap := 2 * statLines * L // floats
	at := func(i int) int { return i/L*statLines*L + i%L }
	scale := getScratch(4*tap + 2*L)
	defer putScratch(scale)
	rows, sum := scale[2*L:][:3*tap], scale[2*L+3*tap:][:tap]
	for i := range min(p.width, p.kg-s*p.width) {
		unit := d.units[s*p.width+i]
		largest := float32(0)
		for t := range 9 {
			largest = max(largest, stats[t*tap+at(i)+L])
		}
		scale[i] = 0
		if unit == 0 && largest == 0 { // nothing comes of nothing
			continue
		}
		if !(unit*unit > guardLeast && largest < guardMost) {
			strip.bad = true
			return
		}
		scale[i] = 1 / (unit * unit)
		strip.norm = max(strip.norm, float64(largest*scale[i]))
	}
	strip.norm = math.Sqrt(strip.norm) // the units of w drop out of the comparison
	n := min(p.width, p.kg-s*p.width)
	h := strip.h
	for _, rm := range d.rows.masks {
		clear(rows)
		for r := range 3 {
			if rm>>r&1 != 0 {
				addTo(rows, stats[3*r*tap:])
			}
		}
		for _, cm := range d.cols.masks {
			clear(sum)
			for c := range 3 {
				if cm>>c&1 != 0 {
					addTo(sum, rows[c*tap:])
				}
			}
			most := float32(0)
			for half := 0; half*L < n; half++ {
				line := sum[half*statLines*L:][:L]
				for i, f := range scale[half*L:][:min(L, n-half*L)] {
					most = max(most, line[i]*f)
				}
			}
			h[0] = math.Sqrt(float64(most))
			h = h[1:]
		}
	}
}

// addTo adds x to the sums.
func addTo(sums, x []float32) { simd.BinAdd.Apply(sums, sums, x, 0, 0, 0, false) }
