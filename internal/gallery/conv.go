package gallery

import (
	"fmt"

	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

func (s *studio) original() Section {
	return Section{Title: "The image", Text: "What the functions below work on: three channels of values from 0 to 1, [1, 3, height, width].",
		Figures: []Figure{
			{Name: "image", Title: "Input", Caption: "As it goes in.", Call: "eng.Tensor(pixels, 1, 3, h, w)", Picture: s.picture(s.photo, 0, 1)},
			{Name: "grey", Title: "Grey", Caption: "A 1x1 convolution: each pixel is a weighted sum of its channels.", Call: "ops.Conv(x, w /* [1 3 1 1] */, nil, ops.ConvParams{})", Picture: s.picture(s.grey, 0, 1)},
		}}
}

// filter convolves each channel with a kernel of odd size.
func (s *studio) filter(x *ops.Tensor, k []float32) *ops.Tensor {
	if s.err != nil {
		return nil
	}
	c, size := x.Shape()[1], 3
	if len(k) == 25 {
		size = 5
	}
	var w []float32
	for range c {
		w = append(w, k...)
	}
	weight := s.tensor(w, c, 1, size, size)
	return s.do(func() (*ops.Tensor, error) {
		return ops.Conv(x, weight, nil, ops.ConvParams{Groups: c, Padding: []int{size / 2}, PadMode: spec.PadReplicate})
	})
}

func scaled(k []float32, by float32) []float32 {
	out := make([]float32, len(k))
	for i := range k {
		out[i] = k[i] * by
	}
	return out
}

func (s *studio) convolutions() Section {
	sobelX, sobelY := s.filter(s.grey, []float32{-1, 0, 1, -2, 0, 2, -1, 0, 1}), s.filter(s.grey, []float32{-1, -2, -1, 0, 0, 0, 1, 2, 1})
	edges := s.do(func() (*ops.Tensor, error) {
		xx := s.keep(ops.Square(sobelX))
		yy := s.keep(ops.Square(sobelY))
		return ops.Sqrt(s.keep(ops.Add(xx, yy)))
	})
	gauss := scaled([]float32{1, 4, 6, 4, 1, 4, 16, 24, 16, 4, 6, 24, 36, 24, 6, 4, 16, 24, 16, 4, 1, 4, 6, 4, 1}, 1.0/256)
	return Section{Title: "Convolution", Text: "y[o] is the sum over the taps t of x[o + t] * w[t]: the same few weights at every place. Which ones decides what the filter sees.",
		Figures: []Figure{
			{Name: "conv-sobel-x", Title: "Vertical edges", Caption: "Sobel: what is right minus what is left. Grey is zero.", Call: "ops.Conv(x, [-1 0 1; -2 0 2; -1 0 1], ...)", Picture: s.signed(sobelX)},
			{Name: "conv-sobel-y", Title: "Horizontal edges", Caption: "Sobel: what is below minus what is above.", Picture: s.signed(sobelY)},
			{Name: "conv-edges", Title: "Edges of any direction", Caption: "The root of the sum of both squares.", Call: "ops.Sqrt(ops.Add(ops.Square(gx), ops.Square(gy)))", Picture: s.auto(edges)},
			{Name: "conv-laplace", Title: "Laplacian", Caption: "The second derivative: ripples on both sides of an edge.", Picture: s.signed(s.filter(s.grey, []float32{0, 1, 0, 1, -4, 1, 0, 1, 0}))},
			{Name: "conv-sharpen", Title: "Sharpened", Caption: "The image less its Laplacian, in each colour: one group for each channel.", Call: "ops.Conv(x, w, nil, ops.ConvParams{Groups: 3})", Picture: s.picture(s.filter(s.photo, []float32{0, -1, 0, -1, 5, -1, 0, -1, 0}), 0, 1)},
			{Name: "conv-blur", Title: "Blurred", Caption: "A 5x5 Gaussian.", Picture: s.picture(s.filter(s.photo, gauss), 0, 1)},
			{Name: "conv-emboss", Title: "Embossed", Caption: "Lower right minus upper left, on grey.", Picture: s.picture(s.filter(s.grey, []float32{-2, -1, 0, -1, 1, 1, 0, 1, 2}), -1, 2)},
		}}
}

func (s *studio) windows() Section {
	x := s.crop(24)
	box := func(size int) *ops.Tensor {
		v := make([]float32, size*size)
		for i := range v {
			v[i] = 1 / float32(len(v))
		}
		return s.tensor(v, 1, 1, size, size)
	}
	three := box(3)
	figures := []Figure{{Name: "window-input", Title: "Input, 24x24", Caption: "The middle of the grey image, pixel by pixel.", Picture: blocks(s.picture(x, 0, 1), 288)}}
	add := func(name, title, caption string, p ops.ConvParams) {
		y := s.do(func() (*ops.Tensor, error) { return ops.Conv(x, three, nil, p) })
		if s.err == nil {
			caption += fmt.Sprintf(" Output %dx%d.", y.Shape()[2], y.Shape()[3])
		}
		figures = append(figures, Figure{Name: name, Title: title, Caption: caption, Call: fmt.Sprintf("ops.Conv(x, mean3x3, nil, %s)", params(p)), Picture: blocks(s.picture(y, 0, 1), 288)})
	}
	add("window-plain", "No padding", "The window stays inside: two pixels are lost.", ops.ConvParams{})
	add("window-zeros", "Padding with zeros", "The size is kept; the border darkens.", ops.ConvParams{Padding: []int{1}})
	for _, m := range []spec.PadMode{spec.PadReflect, spec.PadReplicate, spec.PadCircular} {
		add("window-"+m.String(), "Padding mode "+m.String(), "Six pixels of it, so that it shows.", ops.ConvParams{Padding: []int{6}, PadMode: m})
	}
	add("window-stride2", "Stride 2", "Every second place only.", ops.ConvParams{Padding: []int{1}, Stride: []int{2}})
	add("window-stride4", "Stride 4", "Every fourth.", ops.ConvParams{Padding: []int{1}, Stride: []int{4}})
	add("window-dilation", "Dilation 4", "Nine taps, four apart: a wide view at the price of a small one.", ops.ConvParams{Padding: []int{4}, Dilation: []int{4}})
	return Section{Title: "Stride, padding, dilation", Text: "out = floor((in + pads - dilation*(kernel-1) - 1)/stride) + 1. The kernel takes the mean of nine taps.", Figures: figures}
}

// params prints what differs from the zero value.
func params(p ops.ConvParams) string {
	s := "ops.ConvParams{"
	for _, f := range []struct {
		name string
		v    []int
	}{{"Stride", p.Stride}, {"Padding", p.Padding}, {"Dilation", p.Dilation}} {
		if f.v != nil {
			if s[len(s)-1] != '{' {
				s += ", "
			}
			s += fmt.Sprintf("%s: []int{%d}", f.name, f.v[0])
		}
	}
	if p.PadMode != spec.PadZeros {
		s += ", PadMode: " + p.PadMode.String()
	}
	return s + "}"
}

func (s *studio) enlarging() Section {
	x := s.crop(24)
	bilinear := s.tensor(scaled([]float32{1, 3, 3, 1, 3, 9, 9, 3, 3, 9, 9, 3, 1, 3, 3, 1}, 1.0/16), 1, 1, 4, 4)
	flat := make([]float32, 9)
	for i := range flat {
		flat[i] = 0.4
	}
	bad := s.tensor(flat, 1, 1, 3, 3)
	up := func(m spec.UpsampleMode) *ops.Tensor {
		return s.do(func() (*ops.Tensor, error) {
			return ops.Upsample(x, ops.UpsampleParams{Scale: []float64{4}, Mode: m})
		})
	}
	twice := s.do(func() (*ops.Tensor, error) {
		return ops.ConvTranspose(x, bilinear, nil, ops.ConvTransposeParams{Stride: []int{2}, Padding: []int{1}})
	})
	return Section{Title: "Transposed convolution and upsampling", Text: "Each input draws the kernel into the output, stride apart, and where they overlap they add: the image grows.",
		Figures: []Figure{
			{Name: "up-input", Title: "Input, 24x24", Caption: "The same crop.", Picture: blocks(s.picture(x, 0, 1), 288)},
			{Name: "up-bilinear-kernel", Title: "Transposed, stride 2", Caption: "A 4x4 kernel whose copies add up to one everywhere: bilinear interpolation.", Call: "ops.ConvTranspose(x, w, nil, ops.ConvTransposeParams{Stride: []int{2}, Padding: []int{1}})", Picture: blocks(s.picture(twice, 0, 1), 288)},
			{Name: "up-checkerboard", Title: "Checkerboard", Caption: "A 3x3 kernel of equal weights at stride 2: places get one, two or four copies.", Picture: blocks(s.picture(s.do(func() (*ops.Tensor, error) {
				return ops.ConvTranspose(x, bad, nil, ops.ConvTransposeParams{Stride: []int{2}})
			}), 0, 1), 288)},
			{Name: "up-nearest", Title: "Nearest, 4 times", Caption: "Each pixel becomes a square.", Call: "ops.Upsample(x, ops.UpsampleParams{Scale: []float64{4}})", Picture: s.picture(up(spec.Nearest), 0, 1)},
			{Name: "up-linear", Title: "Bilinear, 4 times", Caption: "In between, the weighted mean of four.", Call: "ops.Upsample(x, ops.UpsampleParams{Scale: []float64{4}, Mode: spec.Linear})", Picture: s.picture(up(spec.Linear), 0, 1)},
		}}
}
