package simd

import "unsafe"

// correlateTaps is up to how many taps a kernel takes at once.
const correlateTaps = 9

// Correlation multiplies a plane A, of Rows rows of N floats, with what lies
// under each tap in a plane B: for each tap t, Run adds to Out[t]
//
//	sum over r, i of A[r*StrideA+i] * B[r*StrideB+Offs[t]+i]
//
// Each row's terms are summed lane by lane, and the lanes at the end.
type Correlation struct {
	Out, A, B        *float32
	Offs             *int
	Rows, N          int
	StrideA, StrideB int
}

// Run computes the sums of the given number of taps.
func (c *Correlation) Run(taps int) {
	if c.Rows <= 0 || c.N <= 0 {
		return
	}
	part := *c
	for from := 0; from < taps; from += correlateTaps {
		part.Out = at(c.Out, from)
		part.Offs = (*int)(unsafe.Add(unsafe.Pointer(c.Offs), uintptr(from)*unsafe.Sizeof(int(0))))
		correlate(&part, min(taps-from, correlateTaps))
	}
}

func (c *Correlation) portable(taps int) {
	offs, out := unsafe.Slice(c.Offs, taps), unsafe.Slice(c.Out, taps)
	for t, off := range offs {
		var s0, s1, s2, s3 float32
		for r := range c.Rows {
			a, b := unsafe.Slice(at(c.A, r*c.StrideA), c.N), unsafe.Slice(at(c.B, r*c.StrideB+off), c.N)
			i := 0
			for ; i+4 <= len(a); i += 4 {
				s0 += a[i] * b[i]
				s1 += a[i+1] * b[i+1]
				s2 += a[i+2] * b[i+2]
				s3 += a[i+3] * b[i+3]
			}
			for ; i < len(a); i++ {
				s0 += a[i] * b[i]
			}
		}
		out[t] += (s0 + s1) + (s2 + s3)
	}
}
