package simd

// PoolMax2x2 sets dst[r*out+o] to the largest of src[2*o] and src[2*o+1] in rows 2*r
// and 2*r+1, which are width apart, or NaN where there is one; o < out, and dst is as
// long as there are rows.
func PoolMax2x2(dst, src []float32, out, width int) {
	pool2x2(dst, src, out, width, func(dst, src *float32, rows int) {
		poolMax2x2(dst, src, rows, out, width, 0)
	})
}

// PoolSum2x2 is PoolMax2x2 with sums: of the columns first, then of these. It
// multiplies them by scale.
func PoolSum2x2(dst, src []float32, out, width int, scale float32) {
	pool2x2(dst, src, out, width, func(dst, src *float32, rows int) {
		poolSum2x2(dst, src, rows, out, width, scale)
	})
}

// pool2x2 calls a kernel for as many rows at a time as it should handle.
func pool2x2(dst, src []float32, out, width int, kernel func(dst, src *float32, rows int)) {
	rows := len(dst) / out
	each := max(1, maxCall/(2*width))
	for r := 0; r < rows; r += each {
		kernel(&dst[r*out], &src[2*r*width], min(each, rows-r))
	}
}

func poolMax2x2Portable(dst, src []float32, rows, out, width int) {
	for r := range rows {
		a, b, y := src[2*r*width:], src[(2*r+1)*width:], dst[r*out:][:out]
		for o := range y {
			y[o] = max(max(a[2*o+1], b[2*o+1]), max(a[2*o], b[2*o]))
		}
	}
}

func poolSum2x2Portable(dst, src []float32, rows, out, width int, scale float32) {
	for r := range rows {
		a, b, y := src[2*r*width:], src[(2*r+1)*width:], dst[r*out:][:out]
		for o := range y {
			y[o] = scale * ((a[2*o] + b[2*o]) + (a[2*o+1] + b[2*o+1]))
		}
	}
}
