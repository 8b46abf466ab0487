package gallery

import (
	"github.com/kansu-dev/kansu/ops"
)

func (s *studio) pooling() Section {
	eight := ops.PoolParams{Kernel: []int{8}}
	pool := func(f func(*ops.Tensor, ops.PoolParams) (*ops.Tensor, error), p ops.PoolParams) *ops.Tensor {
		return s.do(func() (*ops.Tensor, error) { return f(s.photo, p) })
	}
	lp := pool(func(x *ops.Tensor, p ops.PoolParams) (*ops.Tensor, error) { return ops.LpPool(x, p, 2) }, eight)
	adaptive := s.do(func() (*ops.Tensor, error) { return ops.AdaptiveAvgPool(s.photo, 10, 15) })
	global := s.do(func() (*ops.Tensor, error) {
		y := s.keep(ops.GlobalAvgPool(s.photo))
		return ops.Expand(y, 1, 3, 20, 30)
	})
	var unpooled *ops.Tensor
	if s.err == nil {
		y, idx, err := ops.MaxPoolIndices(s.grey, ops.PoolParams{Kernel: []int{4}})
		s.keep(y, err)
		s.keep(idx, err)
		shape := s.grey.Shape()
		unpooled = s.do(func() (*ops.Tensor, error) {
			return ops.MaxUnpool(y, idx, ops.UnpoolParams{Kernel: []int{4}, OutSize: shape[2:]})
		})
	}
	return Section{Title: "Pooling", Text: "A window slides over each channel and leaves one number: the largest, the mean, or a norm.",
		Figures: []Figure{
			{Name: "pool-max", Title: "Max, 8x8", Caption: "The brightest of each colour wins: lights spread.", Call: "ops.MaxPool(x, ops.PoolParams{Kernel: []int{8}})", Picture: blocks(s.picture(pool(ops.MaxPool, eight), 0, 1), 240)},
			{Name: "pool-avg", Title: "Average, 8x8", Caption: "The mean: a plain reduction.", Call: "ops.AvgPool(x, ops.PoolParams{Kernel: []int{8}})", Picture: blocks(s.picture(pool(ops.AvgPool, eight), 0, 1), 240)},
			{Name: "pool-l2", Title: "L2, 8x8", Caption: "The root of the sum of squares, shown with its own range.", Call: "ops.LpPool(x, p, 2)", Picture: blocks(s.auto(lp), 240)},
			{Name: "pool-max-stride1", Title: "Max, 5x5, stride 1", Caption: "With stride 1 and padding the size stays: dilation, as image processing calls it.", Picture: s.picture(pool(ops.MaxPool, ops.PoolParams{Kernel: []int{5}, Stride: []int{1}, Padding: []int{2}}), 0, 1)},
			{Name: "pool-adaptive", Title: "Adaptive, to 10x15", Caption: "The windows follow from the size that is asked for.", Call: "ops.AdaptiveAvgPool(x, 10, 15)", Picture: blocks(s.picture(adaptive, 0, 1), 240)},
			{Name: "pool-global", Title: "Global average", Caption: "One number for each channel: the image's mean colour.", Call: "ops.GlobalAvgPool(x)", Picture: blocks(s.picture(global, 0, 1), 240)},
			{Name: "pool-unpool", Title: "Max unpooling", Caption: "The maxima of 4x4 windows, put back where they came from; the rest is zero.", Call: "ops.MaxUnpool(y, indices, ...)", Picture: s.picture(unpooled, 0, 1)},
		}}
}
