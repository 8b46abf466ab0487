package spec

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzPool feeds shapes and parameters of any kind to the poolings: each is
// refused with one of the package's errors, or resolved to a geometry whose
// windows hold together.
func FuzzPool(f *testing.F) {
	f.Add(uint8(0), 2, 3, 13, 12, 3, 2, 1, 1, uint8(1), 0)
	f.Add(uint8(1), 1, 1, 2, 2, 3, 3, 1, 1, uint8(2), 2)
	f.Add(uint8(2), 1, 2, 1, 40000, 7, 0, 5, 3, uint8(4), -1)
	f.Add(uint8(4), 1, 1, 1<<20, 1<<10, 0, 0, 0, 0, uint8(255), 65535)
	f.Fuzz(func(t *testing.T, form uint8, n, c, h, w, kernel, stride, pad, dilation int, flags uint8, size int) {
		x := []int{n, c, h, w}
		kind := PoolKind(form % 4)
		p := PoolParams{Kernel: []int{kernel, 1}, Dilation: []int{dilation}, Padding: []int{pad, 0, pad, 0},
			AutoPad: AutoPad(flags >> 6), Ceil: flags&1 != 0, ExcludePad: flags&2 != 0, PlainNorm: flags&4 != 0, Divisor: size}
		if flags&8 != 0 {
			p.Stride = []int{stride}
		}
		if flags&16 != 0 {
			p.OutSize = []int{size, w}
		}
		if p.AutoPad != Explicit {
			p.Padding = nil
		}
		var g Pool
		var err error
		switch form / 4 % 4 {
		case 0:
			g, err = NewAdaptivePool(kind, x, []int{size, kernel})
		case 1:
			g, err = NewGlobalPool(kind, x, float32(size)/8)
		case 2:
			u, uerr := NewUnpool(x, x, UnpoolParams{Kernel: p.Kernel, Stride: p.Stride, Padding: p.Padding, OutSize: p.OutSize})
			if uerr == nil {
				_, uerr = Elements(u.OutShape())
				require.NoError(t, uerr)
				return
			}
			err = uerr
		default:
			g, err = NewPool(kind, x, float32(size)/8, p)
		}
		if err != nil {
			require.True(t, errors.Is(err, ErrShape) || errors.Is(err, ErrParam) || errors.Is(err, ErrTooLarge), "%v", err)
			return
		}
		_, err = Elements(g.OutShape())
		require.NoError(t, err)
		for axis := range 3 {
			for _, o := range []int{0, g.Out[axis] / 2, g.Out[axis] - 1} {
				first, count := g.Inside(axis, o)
				require.GreaterOrEqual(t, first, 0)
				require.GreaterOrEqual(t, count, 0)
				require.LessOrEqual(t, count, g.Kernel[axis])
				if count > 0 {
					require.Less(t, first+(count-1)*g.Dilation[axis], g.In[axis])
				}
				require.LessOrEqual(t, count, g.Padded(axis, o))
			}
		}
		require.Positive(t, g.Flops())
	})
}
