package gallery

import (
	"image"
	"image/color"
	"math"

	"github.com/kansu-dev/kansu/ops"
	"golang.org/x/image/draw"
)

// studio makes pictures. The first error sticks, and calls after it do nothing.
type studio struct {
	e           *ops.Engine
	img         *image.RGBA
	photo, grey *ops.Tensor // [1, 3, H, W] and [1, 1, H, W], 0 to 1
	all         []*ops.Tensor
	err         error
}

func (s *studio) release() {
	for _, t := range s.all {
		t.Release()
	}
}

// keep takes the result of a call, for release in the end.
func (s *studio) keep(t *ops.Tensor, err error) *ops.Tensor {
	if err != nil && s.err == nil {
		s.err = err
	}
	if t != nil {
		s.all = append(s.all, t)
	}
	return t
}

// do makes a call unless there was an error.
func (s *studio) do(f func() (*ops.Tensor, error)) *ops.Tensor {
	if s.err != nil {
		return nil
	}
	return s.keep(f())
}

func (s *studio) tensor(v []float32, shape ...int) *ops.Tensor {
	return s.do(func() (*ops.Tensor, error) { return s.e.Tensor(v, shape...) })
}

func (s *studio) data(t *ops.Tensor) []float32 {
	if s.err != nil {
		return nil
	}
	v, err := t.Data()
	if err != nil {
		s.err = err
	}
	return v
}

// upload makes a tensor [1, 3, H, W] of an image.
func (s *studio) upload(img *image.RGBA) *ops.Tensor {
	b := img.Bounds()
	w, h := b.Dx(), b.Dy()
	v := make([]float32, 3*w*h)
	for y := range h {
		for x := range w {
			c := img.RGBAAt(x, y)
			for i, p := range []uint8{c.R, c.G, c.B} {
				v[(i*h+y)*w+x] = float32(p) / 255
			}
		}
	}
	return s.tensor(v, 1, 3, h, w)
}

// greyOf is a 1x1 convolution that weighs the colours as the eye does.
func (s *studio) greyOf(x *ops.Tensor) *ops.Tensor {
	w := s.tensor([]float32{0.299, 0.587, 0.114}, 1, 3, 1, 1)
	return s.do(func() (*ops.Tensor, error) { return ops.Conv(x, w, nil, ops.ConvParams{}) })
}

// picture shows channel 0, or channels 0 to 2 as colours, of a tensor
// [1, C, H, W], with lo black and hi white.
func (s *studio) picture(t *ops.Tensor, lo, hi float32) image.Image {
	if s.err != nil {
		return nil
	}
	shape := t.Shape()
	c, h, w := shape[1], shape[2], shape[3]
	v := s.data(t)
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	if s.err != nil {
		return img
	}
	for y := range h {
		for x := range w {
			var p [3]uint8
			for i := range p {
				p[i] = byteOf(float64((v[(min(i, c-1)*h+y)*w+x] - lo) / (hi - lo)))
			}
			img.SetRGBA(x, y, color.RGBA{p[0], p[1], p[2], 255})
		}
	}
	return img
}

// auto shows a tensor with its own range.
func (s *studio) auto(t *ops.Tensor) image.Image {
	v := s.data(t)
	lo, hi := float32(math.Inf(1)), float32(math.Inf(-1))
	for _, x := range v {
		lo, hi = min(lo, x), max(hi, x)
	}
	if hi <= lo {
		hi = lo + 1
	}
	return s.picture(t, lo, hi)
}

// signed shows a tensor with zero in the middle grey.
func (s *studio) signed(t *ops.Tensor) image.Image {
	top := float32(1e-6)
	for _, x := range s.data(t) {
		top = max(top, x, -x)
	}
	return s.picture(t, -top, top)
}

// blocks enlarges a small picture by whole pixels, so that they can be seen.
func blocks(img image.Image, width int) image.Image {
	if img == nil {
		return nil
	}
	b := img.Bounds()
	k := max(1, width/b.Dx())
	out := image.NewRGBA(image.Rect(0, 0, k*b.Dx(), k*b.Dy()))
	draw.NearestNeighbor.Scale(out, out.Bounds(), img, b, draw.Src, nil)
	return out
}

// crop is the middle part of the grey image, small enough to see its pixels.
func (s *studio) crop(size int) *ops.Tensor {
	return s.do(func() (*ops.Tensor, error) {
		shape := s.grey.Shape()
		y, x := (shape[2]-size)/2, (shape[3]-size)/2
		return ops.Slice(s.grey, []int{0, 0, max(0, y), max(0, x)}, []int{1, 1, max(0, y) + size, max(0, x) + size}, nil)
	})
}
