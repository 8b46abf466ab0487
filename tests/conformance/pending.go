package conformance

import (
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

func (c *call) do2(y, idx *ops.Tensor, err error) (*ops.Tensor, *ops.Tensor) {
	return c.do(y, err), c.do(idx, err)
}

func (c *call) expand(t *ops.Tensor, shape ...int) *ops.Tensor {
	if spec.EqualShapes(t.Shape(), shape) {
		return t
	}
	fail("expand")
	return nil
}
