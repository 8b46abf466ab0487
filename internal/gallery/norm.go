package gallery

import (
	"image"
	"image/color"

	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

func (s *studio) normalizations() Section {
	if s.err != nil {
		return Section{}
	}
	shape := s.photo.Shape()
	h, w := shape[2], shape[3]
	// A batch of two: the image, and one that is darker and has less contrast.
	dark := s.do(func() (*ops.Tensor, error) {
		return ops.Pointwise(s.photo, ops.Activation{Func: spec.Affine, A: 0.4, B: 0.05})
	})
	batch := s.do(func() (*ops.Tensor, error) { return ops.Concat(0, s.photo, dark) })
	before := s.data(batch)
	var figures []Figure
	add := func(name, title, caption, call string, norm func() (*ops.Tensor, error), group func(n, c, y, x int) int) {
		y := s.do(norm)
		after := s.data(y)
		first := s.do(func() (*ops.Tensor, error) { return ops.Slice(y, nil, []int{1}, nil) })
		second := s.do(func() (*ops.Tensor, error) { return ops.Slice(y, []int{1}, nil, nil) })
		both := s.do(func() (*ops.Tensor, error) { return ops.Concat(3, first, second) })
		figures = append(figures,
			Figure{Name: "norm-" + name, Title: title, Caption: caption, Call: call, Picture: s.picture(both, -2.5, 2.5)},
			Figure{Name: "norm-" + name + "-axes", Title: title + ": what is averaged", Caption: "A tensor of four samples (blocks), three channels (rows) and eight places (columns): elements of one colour share their statistics.", Picture: axes(group)},
			Figure{Name: "norm-" + name + "-histogram", Title: title + ": the values", Caption: "Before (grey) and after (blue).", Picture: s.histogram(-3, 3, before, after)})
	}
	add("batch", "Batch normalization", "Each channel by its mean and deviation over the whole batch: the dark image stays dark.", "ops.BatchNormTrain(x, nil, nil, nil, nil, ops.BatchNormTrainParams{})",
		func() (*ops.Tensor, error) {
			r, err := ops.BatchNormTrain(batch, nil, nil, nil, nil, ops.BatchNormTrainParams{})
			if err != nil {
				return nil, err
			}
			s.all = append(s.all, r.Mean, r.Var, r.InvStd)
			return r.Y, nil
		}, func(_, c, _, _ int) int { return c })
	add("layer", "Layer normalization", "Each sample over all its channels and places: brightness and contrast become alike.", "ops.LayerNorm(x, nil, nil, ops.LayerNormParams{Shape: []int{3, h, w}})",
		func() (*ops.Tensor, error) {
			return ops.LayerNorm(batch, nil, nil, ops.LayerNormParams{Shape: []int{3, h, w}})
		}, func(n, _, _, _ int) int { return n })
	add("instance", "Instance normalization", "Each channel of each sample by itself: the colour cast goes as well.", "ops.InstanceNorm(x, nil, nil, ops.InstanceNormParams{})",
		func() (*ops.Tensor, error) { return ops.InstanceNorm(batch, nil, nil, ops.InstanceNormParams{}) },
		func(n, c, _, _ int) int { return 3*n + c })
	add("group", "Group normalization", "Groups of channels of each sample; with one group it is layer normalization, with one for each channel instance normalization.", "ops.GroupNorm(x, nil, nil, ops.GroupNormParams{Groups: 3})",
		func() (*ops.Tensor, error) { return ops.GroupNorm(batch, nil, nil, ops.GroupNormParams{Groups: 3}) },
		func(n, c, _, _ int) int { return 3*n + c })
	add("rms", "RMS normalization", "Along each row, without taking the mean away: signs stay.", "ops.RMSNorm(x, nil, nil, ops.LayerNormParams{})",
		func() (*ops.Tensor, error) { return ops.RMSNorm(batch, nil, nil, ops.LayerNormParams{}) },
		func(n, c, y, _ int) int { return (3*n+c)*2 + y })
	add("lrn", "Local response normalization", "Each element by the channels beside it at its place.", "ops.LRN(x, ops.LRNParams{Size: 3, Alpha: 3, Beta: 0.75})",
		func() (*ops.Tensor, error) {
			return ops.LRN(batch, ops.LRNParams{Size: 3, Alpha: 3, Beta: 0.75})
		}, func(n, _, y, x int) int { return (n*2+y)*4 + x })
	return Section{Title: "Normalization", Text: "y = (x - mean)/deviation. Which elements share a mean is what tells the normalizations apart. The batch is the image beside a darker one with less contrast.", Figures: figures}
}

// palette are colours that can be told apart.
var palette = []color.RGBA{
	{0x1f, 0x5f, 0xa8, 255}, {0xd9, 0x48, 0x2b, 255}, {0x3a, 0x9d, 0x5d, 255}, {0xe0, 0xa8, 0x2e, 255}, {0x7a, 0x4f, 0xa3, 255}, {0x2a, 0xa5, 0xb5, 255},
	{0xc2, 0x3b, 0x7a, 255}, {0x8a, 0x6d, 0x3b, 255}, {0x5b, 0x8d, 0xef, 255}, {0xf0, 0x8a, 0x5d, 255}, {0x7f, 0xc9, 0x7f, 255}, {0x9e, 0x9e, 0x9e, 255},
}

// axes draws a small tensor [4, 3, 2, 4], coloured by the group that each element
// belongs to.
func axes(group func(n, c, y, x int) int) image.Image {
	const cell, gap = 12, 10
	img := image.NewRGBA(image.Rect(0, 0, 4*(8*cell+gap)+gap, 3*(cell+gap)+gap))
	for i := range img.Pix {
		img.Pix[i] = 255
	}
	for n := range 4 {
		for c := range 3 {
			for place := range 8 {
				tint := palette[group(n, c, place/4, place%4)%len(palette)]
				x0, y0 := gap+n*(8*cell+gap)+place*cell, gap+c*(cell+gap)
				for y := range cell - 1 {
					for x := range cell - 1 {
						img.SetRGBA(x0+x, y0+y, tint)
					}
				}
			}
		}
	}
	return blocks(img, 2*img.Bounds().Dx())
}

func (s *studio) probabilities() Section {
	var figures []Figure
	for _, t := range []float32{0.02, 0.1, 1} {
		y := s.do(func() (*ops.Tensor, error) {
			hot := s.keep(ops.Pointwise(s.photo, ops.Activation{Func: spec.Affine, A: 1 / t}))
			return ops.Softmax(hot, 1)
		})
		name := map[float32]string{0.02: "cold", 0.1: "warm", 1: "hot"}[t]
		figures = append(figures, Figure{Name: "softmax-" + name, Title: "Softmax over the colours, " + name, Caption: "exp(x/T) over its sum: the strongest channel takes all where T is small, and all get a third where it is large.", Call: "ops.Softmax(x, 1)", Picture: s.picture(y, 0, 1)})
	}
	for _, p := range []float64{0.2, 0.7} {
		y := s.do(func() (*ops.Tensor, error) { return ops.Dropout(s.photo, p, 7) })
		name := map[float64]string{0.2: "20", 0.7: "70"}[p]
		figures = append(figures, Figure{Name: "dropout-" + name, Title: "Dropout, " + name + "%", Caption: "Elements vanish at random, the others are scaled up, so that the mean stays. The same seed gives the same mask on every device.", Call: "ops.Dropout(x, p, seed)", Picture: s.picture(y, 0, 1)})
	}
	// A matrix product that is a picture: a rotation of the colours.
	turned := s.do(func() (*ops.Tensor, error) {
		shape := s.photo.Shape()
		flat := s.keep(s.photo.Reshape(3, shape[2]*shape[3]))
		w := s.tensor([]float32{0, 1, 0, 0, 0, 1, 1, 0, 0}, 3, 3)
		return s.keep(ops.MatMul(w, flat, ops.MatMulParams{})).Reshape(shape...)
	})
	figures = append(figures, Figure{Name: "matmul", Title: "Matrix product", Caption: "The colours of all pixels as a matrix [3, pixels], multiplied by one that exchanges them.", Call: "ops.MatMul(w, x, ops.MatMulParams{})", Picture: s.picture(turned, 0, 1)})
	return Section{Title: "Softmax, dropout, matrix product", Text: "What turns scores into shares, what makes training robust, and what everything else is made of.", Figures: figures}
}
