package simd

import "unsafe"

// DotRows returns how many rows of x one call of Dots takes at most.
func DotRows() int {
	if Active() == AVX2 {
		return 3
	}
	return 4
}

// Dots sets out[4*i+j] to the dot product, of length k, of row i of x (rows ldx
// apart) and row j of w (rows ldw apart), for i < rows <= DotRows() and
// j < cols, where cols is 1 or 4. Each has as many partial sums as a vector has
// lanes.
func Dots(out *[16]float32, x, w *float32, ldx, ldw, k, rows, cols int) {
	dots(out, x, w, ldx, ldw, k, rows, cols)
}

func dotsPortable(out *[16]float32, x, w *float32, ldx, ldw, k, rows, cols int) {
	for i := range rows {
		a := unsafe.Slice(at(x, i*ldx), k)
		for j := range cols {
			b := unsafe.Slice(at(w, j*ldw), k)
			var s0, s1, s2, s3 float32
			t := 0
			for ; t+4 <= k; t += 4 {
				s0 += a[t] * b[t]
				s1 += a[t+1] * b[t+1]
				s2 += a[t+2] * b[t+2]
				s3 += a[t+3] * b[t+3]
			}
			for ; t < k; t++ {
				s0 += a[t] * b[t]
			}
			out[4*i+j] = (s0 + s1) + (s2 + s3)
		}
	}
}
