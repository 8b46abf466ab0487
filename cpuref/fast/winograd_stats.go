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

// band returns how many rows of tiles are measured at once: fewer where there are
// few, so that workers share them.
func (d *guard) band() int { return min(winogradBand, (d.p.rows+1)/2) }

// measureLines returns the lines of a band of rows of tiles, and their lengths in
// the input and with its padding.
func (d *guard) measureLines() (lines, in, wide int) {
	return 4*d.band() + 2, d.p.g.In[2], 4*d.p.tw + 2
}

// measureLen returns the floats of memory that measure takes.
func (d *guard) measureLen() int {
	lines, in, wide := d.measureLines()
	return 2*lines*(in+wide) + 3*wide + 5*slack
}

// measure finds the variance of the tiles of a band, and R and Q of their outputs,
// and counts the tiles that would fail with ordinary weights.
func (d *guard) measure(row, band int, buf scratchArena) {
	p, g := d.p, d.p.g
	most, in, wide := d.measureLines()
	plane := g.InSize()
	rows, pads, lines := most*in, most*wide+slack, wide+slack
	take := buf.take
	b := &bandSums{wide: wide, sums: take(rows), squares: take(rows)}
	b.padded = [2][]float32{take(pads), take(pads)}
	b.line, b.box = take(lines), [2][]float32{take(lines), take(lines)}
	clear(b.padded[0][most*wide:]) // vectors hang over the last row
	clear(b.padded[1][most*wide:])
	last := min(p.rows, row+band)
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
			d.doubtful.Add(int64(d.checkRow(&d.expected, row+r)))
		}
		row += count
	}
}

// tileRow measures one row of tiles, whose first line is line top of the band.
func (d *guard) tileRow(b *bandSums, row, top int) {
	p, g := d.p, d.p.g
	n, first := row/p.th, row%p.th*4
	for o := first; o < min(first+4, g.Out[1]); o++ {
		at, to := (top+o-first)*b.wide, (n*g.Out[1]+o)*g.Out[2]
		for k, out := range [2][]float32{d.r, d.q} {
			simd.WindowSum(&b.line[0], &b.padded[k][at], b.wide, 3, b.wide, 1)
			simd.WindowSum(&b.box[k][0], &b.line[0], 4*p.tw, 3, 1, 1)
			copy(out[to:to+g.Out[2]], b.box[k])
		}
		for i, q := range d.q[to:][:g.Out[2]] {
			d.q[to+i] = float32(math.Sqrt(float64(q)))
		}
	}
	// The variance of the four corners, down the columns and then along the rows.
	up, down := b.box[0][:b.wide], b.box[1][:b.wide]
	clear(up)
	clear(down)
	for r := range 6 {
		f, g := guardVariance[r], guardVariance[5-r]
		line := b.padded[1][(top+r)*b.wide:][:b.wide]
		simd.BinAxpy.Apply(up, line, up, f, 0, 0, false)
		simd.BinAxpy.Apply(down, line, down, g, 0, 0, false)
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
		reach[i] = float32(math.Sqrt(float64(max(sum[0], sum[1], sum[2], sum[3]))))
	}
}

// summarize makes the strip's summary from the statistics of its weights.
func (d *guard) summarize(s int, stats []float32) {
	p, L := d.p, d.p.lanes
	w := &d.strips[s]
	*w = guardWeights{h: w.h, both: w.both}
	clear(w.h)
	clear(w.both)
	var factors [2][8][3]float32 // there are no more sets of three taps
	rows, cols := factors[0][:len(d.rows.masks)], factors[1][:len(d.cols.masks)]
	for i, m := range d.rows.masks {
		rows[i] = maskFactors(m)
	}
	for i, m := range d.cols.masks {
		cols[i] = maskFactors(m)
	}
	for i := range min(p.width, p.kg-s*p.width) {
		var deficit [9]float32
		largest := float32(0)
		for t := range deficit {
			at := (2*t+i/L)*statLines*L + i%L
			deficit[t], largest = stats[at], max(largest, stats[at+L])
		}
		unit := d.units[s*p.width+i]
		if unit == 0 && largest == 0 { // nothing comes of nothing
			continue
		}
		if !(unit > guardLeast && largest < guardMost*guardMost) {
			w.bad = true
			return
		}
		scale := 1 / unit // the units drop out of the comparison
		norm := float32(math.Sqrt(float64(largest))) * scale
		w.norm = max(w.norm, norm)
		class := 0
		for _, r := range rows {
			var sums [3]float32
			for t := range sums {
				sums[t] = r[0]*deficit[t] + r[1]*deficit[3+t] + r[2]*deficit[6+t]
			}
			for _, c := range cols {
				h := float32(math.Sqrt(float64(c[0]*sums[0]+c[1]*sums[1]+c[2]*sums[2]))) * scale
				if h > w.h[class] {
					w.h[class] = h
				}
				if both := h + d.share*norm; both > w.both[class] {
					w.both[class] = both
				}
				class++
			}
		}
	}
}

// maskFactors returns 1 for each of the three bits that is set, and 0 for the
// others.
func maskFactors(mask int) [3]float32 {
	return [3]float32{float32(mask & 1), float32(mask >> 1 & 1), float32(mask >> 2 & 1)}
}
