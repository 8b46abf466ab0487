package conformance

import (
	"slices"

	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

func webnnBinary(f binaryFunc) operator {
	return func(c *call) []*Value { return one(c.do(f(c.param("a"), c.param("b")))) }
}

// webnnPrelu: input and slope broadcast both ways.
func webnnPrelu(c *call) []*Value {
	x, slope := c.param("input"), c.param("slope")
	x = c.sameRank(x, slope.Rank())
	slope = c.sameRank(slope, x.Rank())
	to, err := spec.Broadcast(x.Shape(), slope.Shape())
	if err != nil {
		panic(wrong{err})
	}
	return one(c.do(ops.PReLU(c.expand(x, to...), slope)))
}

func webnnConcat(c *call) []*Value {
	return one(c.do(ops.Concat(c.attrs.Int("axis", 0), c.all()...)))
}

func webnnTranspose(c *call) []*Value {
	return one(c.do(ops.Transpose(c.param("input"), c.attrs.Ints("permutation")...)))
}

func webnnReshape(c *call) []*Value {
	return one(c.reshape(c.param("input"), c.attrs.Ints("newShape")...))
}

func webnnExpand(c *call) []*Value {
	return one(c.expand(c.param("input"), c.attrs.Ints("newShape")...))
}

func webnnPad(c *call) []*Value {
	p := ops.PadParams{
		Begin: c.attrs.Ints("beginningPadding"), End: c.attrs.Ints("endingPadding"), Mode: padMode(c.attrs.String("mode", "constant")),
	}
	if p.Mode == spec.PadZeros {
		p.Value = c.attrs.F32("value", 0)
	}
	return one(c.do(ops.Pad(c.param("input"), p)))
}

// webnnSlice: sizes count positions of the input, before the strides thin them.
func webnnSlice(c *call) []*Value {
	begin, sizes := c.attrs.Ints("starts"), c.attrs.Ints("sizes")
	if len(begin) != len(sizes) {
		fail("slice has %d starts and %d sizes", len(begin), len(sizes))
	}
	end := slices.Clone(sizes)
	for i := range end {
		end[i] += begin[i]
	}
	return one(c.do(ops.Slice(c.param("input"), begin, end, c.attrs.Ints("strides"))))
}

// webnnSplit: splits is a number of equal parts, or the sizes of the parts.
func webnnSplit(c *call) []*Value {
	x := c.param("input")
	at := axis(c.attrs.Int("axis", 0), x.Rank())
	sizes := c.attrs.Ints("splits")
	if len(sizes) == 1 && sizes[0] > 0 {
		sizes = slices.Repeat([]int{x.Shape()[at] / sizes[0]}, sizes[0])
	}
	return c.split(x, at, sizes)
}

// webnnReductions are the reductions. Without axes they reduce all; over an
// empty list they reduce nothing.
func webnnReductions() map[string]operator {
	reduce := func(each spec.Pointwise, f func(*call, *ops.Tensor, []int, bool) *ops.Tensor) operator {
		return func(c *call) []*Value {
			x, axes := c.param("input"), c.attrs.Ints("axes")
			if axes != nil && len(axes) == 0 {
				return one(c.each(x, each))
			}
			return one(f(c, x, axes, c.attrs.Bool("keepDimensions", false)))
		}
	}
	all := map[string]operator{"reduceLogSumExp": reduce(spec.Identity, (*call).logSumExp)}
	for name, r := range reductions {
		all["reduce"+name] = reduce(r.each, func(c *call, x *ops.Tensor, axes []int, keep bool) *ops.Tensor {
			return c.reduce(x, r, axes, keep)
		})
	}
	return all
}
