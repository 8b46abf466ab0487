package cpuref

import "github.com/kansu-dev/kansu/spec"

// Unfold lays out the windows of a convolution as a matrix; see spec.Unfold.
func Unfold[T Float](cols, x []T, u spec.Unfold) {
	taps, plane := u.Taps(), u.InSize()
	row := 0
	for n := range u.N {
		for c := range u.C {
			xp := x[((u.FromN+n)*u.C+c)*plane:][:plane]
			for t := range taps {
				td, th, tw := t/(u.Kernel[1]*u.Kernel[2]), t/u.Kernel[2]%u.Kernel[1], t%u.Kernel[2]
				out := cols[row*u.P:][:u.P]
				row++
				for p := range out {
					o := u.FromP + p
					od, oh, ow := o/(u.Out[1]*u.Out[2]), o/u.Out[2]%u.Out[1], o%u.Out[2]
					i, ok := source(&u.Window, u.PadMode,
						od*u.Stride[0]-u.PadBegin[0]+td*u.Dilation[0],
						oh*u.Stride[1]-u.PadBegin[1]+th*u.Dilation[1],
						ow*u.Stride[2]-u.PadBegin[2]+tw*u.Dilation[2])
					if out[p] = 0; ok {
						out[p] = xp[i]
					}
				}
			}
		}
	}
}
