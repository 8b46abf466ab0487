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

// Correlation3x3 is a Correlation under the 3x3 taps of a window of stride 1,
// straight from a plane B of Height rows, for a plane A of Rows rows: Run adds to
// Out[3*y+x]
//
//	sum over r, i of A[r*StrideA+i] * B[(Top+r+y)*StrideB+Left+x+i]
//
// for those i, in strips of 16 columns, that the strip's masks allow. Masks[4*s]
// has a bit for each column of strip s that is on A, and the three that follow
// those whose left, middle or right tap is on B besides. Rows of B that are not
// there are left out. It counts Strips down.
type Correlation3x3 struct {
	Out, A, B                 *float32
	Masks                     *uint16
	Strips, Rows, Height, Top int
	StrideA, StrideB, Left    int
}

// Run computes the sums.
func (c *Correlation3x3) Run() {
	if c.Strips > 0 && c.Rows > 0 {
		correlate3x3(c)
	}
}

func (c *Correlation3x3) portable() {
	out, masks := unsafe.Slice(c.Out, 9), unsafe.Slice(c.Masks, 4*c.Strips)
	for y := range 3 {
		for x := range 3 {
			sum := float32(0)
			for s := range c.Strips {
				for r := range c.Rows {
					h := c.Top + r + y
					if h < 0 || h >= c.Height {
						continue
					}
					for i := range 16 {
						if masks[4*s+1+x]>>i&1 != 0 {
							sum += *at(c.A, r*c.StrideA+16*s+i) * *at(c.B, h*c.StrideB+c.Left+x+16*s+i)
						}
					}
				}
			}
			out[3*y+x] += sum
		}
	}
	c.Strips = 0
}
