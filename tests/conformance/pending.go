package conformance

import (
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

func (c *call) expand(t *ops.Tensor, shape ...int) *ops.Tensor {
	if spec.EqualShapes(t.Shape(), shape) {
		return t
	}
	fail("expand")
	return nil
}

func (c *call) extend(t *ops.Tensor, shape []int) *ops.Tensor {
	if spec.EqualShapes(t.Shape(), shape) {
		return t
	}
	fail("extend")
	return nil
}
