package conformance

import "github.com/kansu-dev/kansu/ops"

// gemm is alpha*a*b + beta*c with the attributes' names of a suite. Before
// opset 7 c broadcasts only where the attribute broadcast says so, which every
// such case that is not an error does.
func (c *call) gemm(a, b, add *ops.Tensor, transA, transB string) *ops.Tensor {
	alpha, beta := c.attrs.F32("alpha", 1), c.attrs.F32("beta", 1)
	return c.do(ops.Gemm(a, b, add, ops.GemmParams{
		TransA: c.attrs.Bool(transA, false), TransB: c.attrs.Bool(transB, false), Alpha: &alpha, Beta: &beta,
	}))
}

func onnxGemm(c *call) []*Value {
	return one(c.gemm(c.x(0), c.x(1), c.opt(2), "transA", "transB"))
}

func onnxMatMul(c *call) []*Value {
	return one(c.do(ops.MatMul(c.x(0), c.x(1), ops.MatMulParams{})))
}

func webnnGemm(c *call) []*Value {
	return one(c.gemm(c.param("a"), c.param("b"), c.optParam("c"), "aTranspose", "bTranspose"))
}

func webnnMatmul(c *call) []*Value {
	return one(c.do(ops.MatMul(c.param("a"), c.param("b"), ops.MatMulParams{})))
}
