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
	share := &s.share[c]
	*share = [16]float32{}
	all, total := float32(0), float32(0)
	for a := range 4 {
		to := (*[4]float32)(share[(a+s.rows.shift)%4*4:])
		phase := s.cols.shift % 4
		for i, q := range squares[a*w:][:w] {
			to[phase] += q
			phase = (phase + 1) % 4
			all += sums[a*w+i]
		}
	}
	for _, q := range share {
		total += q
	}
	if s.norm[c] = 0; all == 0 {
		return
	}
	if !(total > guardLeast*guardLeast && total < guardMost*guardMost) {
		s.norm[c] = -1
		return
	}
	for i := range share {
		share[i] /= total
	}
	s.norm[c] = float32(math.Sqrt(float64(total)))
	for r := range 3 {
		out := outside[r*w:][:w]
		for t := range 3 {
			sum := float32(0)
			if s.rows.from[r] < s.rows.to[r] {
				for i := s.cols.from[t]; i < s.cols.to[t]; i++ {
					sum += sums[i] + sums[w+i] + sums[2*w+i] + sums[3*w+i] - out[i]
				}
			}
			s.sums[c][3*r+t] = sum
		}
	}
	plane := s.rows.size * w
	s.limit[c] = gradLimit * s.norm[c] / float32(math.Sqrt(float64(plane*s.images)))
	short := float32(0)
	for n := range s.images {
		short += simd.Shortfall(s.v[n*s.image+c*plane:][:plane], s.limit[c])
	}
	s.short[c] = float32(math.Sqrt(float64(short)))
}
