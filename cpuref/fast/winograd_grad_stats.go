package fast

import (
	"math"

	"github.com/kansu-dev/kansu/cpuref/internal/simd"
)

// measure sets the statistics of channels from to to. Sums of all images are kept
// by column for rows of the plane four apart.
func (s *gradSide) measure(from, to int) {
	h, w := s.rows.size, s.cols.size
	plane := h * w
	buf := getScratch(8*w + 4*w)
	defer putScratch(buf)
	sums, squares, outside, unused := buf[:4*w], buf[4*w:8*w], buf[8*w:11*w], buf[11*w:12*w]
	for c := from; c < to; c++ {
		clear(buf[:12*w])
		for n := range s.images {
			v := s.v[n*s.image+c*plane:][:plane]
			whole := h / 4
			if whole > 0 {
				simd.AbsSquares(sums, squares, v, whole, 4*w)
			}
			if rest := h % 4 * w; rest > 0 {
				simd.AbsSquares(sums[:rest], squares[:rest], v[4*whole*w:], 1, 0)
			}
			for r := range 3 {
				add := func(i, j int) {
					if i < j {
						simd.AbsSquares(outside[r*w:][:w], unused, v[i*w:], j-i, w)
					}
				}
				if s.rows.from[r] == s.rows.to[r] {
					add(0, h)
					continue
				}
				add(0, s.rows.from[r])
				add(s.rows.to[r], h)
			}
		}
		s.set(c, sums, squares, outside)
	}
}

// set sets the statistics of a channel from its sums by column.
func (s *gradSide) set(c int, sums, squares, outside []float32) {
	w := s.cols.size
	var share [4][4]float32 // before the shift
	total := float32(0)
	for a := range share {
		sum := everyFourth(squares[a*w:][:w])
		share[a] = sum
		total += (sum[0] + sum[1]) + (sum[2] + sum[3])
	}
	// Magnitudes by column, of all rows.
	cols := sums[:w]
	for a := 1; a < 4; a++ {
		simd.BinAdd.Apply(cols, cols, sums[a*w:][:w], 0, 0, 0, false)
	}
	every := everyFourth(cols)
	all := (every[0] + every[1]) + (every[2] + every[3])
	if s.norm[c] = 0; all == 0 {
		return
	}
	if !(total > guardLeast*guardLeast && total < guardMost*guardMost) {
		s.norm[c] = -1
		return
	}
	inv := 1 / total
	for a, sum := range share {
		to := s.share[c][(a+s.rows.shift)&3*4:][:4]
		for i, q := range sum {
			to[(i+s.cols.shift)&3] = q * inv
		}
	}
	s.norm[c] = float32(math.Sqrt(float64(total)))
	for r := range 3 { // those that each tap sees
		to := s.sums[c][3*r:][:3]
		if s.rows.from[r] == s.rows.to[r] {
			clear(to)
			continue
		}
		seen, off := all, outside[r*w:][:w]
		if s.rows.from[r] > 0 || s.rows.to[r] < s.rows.size {
			sum := everyFourth(off)
			seen -= (sum[0] + sum[1]) + (sum[2] + sum[3])
		}
		for t := range to {
			v := seen
			for i := range s.cols.from[t] {
				v -= cols[i] - off[i]
			}
			for i := s.cols.to[t]; i < w; i++ {
				v -= cols[i] - off[i]
			}
			if to[t] = v; s.cols.from[t] == s.cols.to[t] {
				to[t] = 0
			}
		}
	}
	plane := s.rows.size * w
	rms := s.norm[c] / float32(math.Sqrt(float64(plane*s.images)))
	var short [2]float32
	for i, d := range gradLimits {
		s.limit[c][i] = d * rms
		for n := range s.images {
			short[i] += simd.Shortfall(s.v[n*s.image+c*plane:][:plane], d*rms)
		}
		s.short[c][i] = float32(math.Sqrt(float64(short[i])))
	}
}

// everyFourth returns the sums over columns that are equal modulo 4.
func everyFourth(v []float32) (sum [4]float32) {
	var a, b, c, d float32
	i := 0
	for ; i+4 <= len(v); i += 4 {
		a += v[i]
		b += v[i+1]
		c += v[i+2]
		d += v[i+3]
	}
	sum = [4]float32{a, b, c, d}
	for j := range v[i:] {
		sum[j] += v[i+j]
	}
	return sum
}
