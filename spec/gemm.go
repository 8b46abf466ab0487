package spec

// GemmParams are the parameters of Gemm, with ONNX's and WebNN's meaning. The
// zero value is a plain product: nothing transposed, both factors 1.
type GemmParams struct {
	TransA, TransB bool       // a is given as [K, M], b as [N, K]
	Alpha, Beta    *float32   // factors of the product and of c; nil means 1
	Act            Activation // applied to each output; default none
}

// MaxBatchAxes is the largest number of batch axes: two are the matrix.
const MaxBatchAxes = MaxRank - 2

// Gemm is a resolved matrix product, the common form of Gemm, MatMul and Linear:
//
//	y[i,m,n] = act(alpha * (sum over k of A[i,m,k] * B[i,k,n]) + beta * c[m,n])
//
// where i runs over the batch and c may repeat along m, n or both. Operands and
// output are dense; A is stored [M, K], or [K, M] under TransA, and B is stored
// [K, N], or [N, K] under TransB.
type Gemm struct {
	M, N, K        int
	TransA, TransB bool
	Axes           int                    // batch axes in use; axes that step alike are one
	Batch          [MaxBatchAxes]PairAxis // outermost first; unused ones have size 1 and no steps
	Bias           bool                   // whether there is a c
	BiasM, BiasN   int                    // steps of c, in elements, along m and n; 0 where it repeats
	Alpha, Beta    float32
	Act            Activation
	Out            Dims // the caller's shape of y
}

// NewGemm checks and resolves y = act(alpha*a*b + beta*c) for matrices a [M, K]
// and b [K, N] (or their transposes), and an optional c (nil for none) that
// broadcasts to [M, N]. It returns ErrShape or ErrParam, naming the value.
func NewGemm(a, b, c []int, p GemmParams) (Gemm, error) {
	var g Gemm
	if len(a) != 2 || len(b) != 2 {
		return g, shapeErr("a is %v and b is %v: Gemm takes two matrices", a, b)
	}
	g, err := newProduct(a, b, p.TransA, p.TransB, p.Act)
	if err != nil {
		return g, err
	}
	for _, f := range []struct {
		name string
		from *float32
		to   *float32
	}{{"alpha", p.Alpha, &g.Alpha}, {"beta", p.Beta, &g.Beta}} {
		if f.from == nil {
			continue
		}
		if !finite(*f.from) {
			return g, paramErr("%s is %v; it must be finite", f.name, *f.from)
		}
		*f.to = *f.from
	}
	if c != nil {
		if err := g.setBias(c); err != nil {
			return g, err
		}
	}
	return g, nil
}

// setBias resolves a c that broadcasts to [M, N].
func (g *Gemm) setBias(c []int) error {
	if err := checkShapes(c); err != nil {
		return err
	}
	rows, cols := 1, 1
	if len(c) > 0 {
		cols = c[len(c)-1]
	}
	if len(c) > 1 {
		rows = c[len(c)-2]
	}
	if len(c) > 2 || (rows != 1 && rows != g.M) || (cols != 1 && cols != g.N) {
		return shapeErr("c is %v, which does not broadcast to the product's [%d %d]", c, g.M, g.N)
	}
	g.Bias = true
	if rows != 1 {
		g.BiasM = cols
	}
	if cols != 1 {
		g.BiasN = 1
	}
	return nil
}

// newProduct resolves a product of two matrices or batches of matrices.
func newProduct(a, b []int, transA, transB bool, act Activation) (Gemm, error) {
	g := Gemm{TransA: transA, TransB: transB, Alpha: 1, Beta: 1, Act: act}
	if err := checkShapes(a, b); err != nil {
		return g, err
	}
	ra, rb := len(a)-2, len(b)-2
	g.M, g.K = a[ra], a[ra+1]
	if transA {
		g.M, g.K = g.K, g.M
	}
	kb := b[rb]
	g.N = b[rb+1]
	if transB {
		kb, g.N = g.N, kb
	}
	if kb != g.K {
		return g, shapeErr("a is %v%s and b is %v%s: inner sizes %d and %d differ", a, transposed(transA), b, transposed(transB), g.K, kb)
	}
	if err := act.Check(); err != nil {
		return g, err
	}
	batch, err := Broadcast(a[:ra], b[:rb])
	if err != nil {
		return g, shapeErr("a is %v and b is %v: batch axes %v and %v do not broadcast", a, b, a[:ra], b[:rb])
	}
	out := append(batch[:len(batch):len(batch)], g.M, g.N)
	if _, err := Elements(out); err != nil {
		return g, err
	}
	g.Out = MakeDims(out)
	// One row, and one column, lie in memory as their transposes do; kernels
	// prefer the sum to run along memory.
	g.TransA = g.TransA && g.M > 1
	g.TransB = g.TransB || g.N == 1
	g.setBatch(batch, a[:ra], b[:rb])
	return g, nil
}

func transposed(t bool) string {
	if t {
		return " (transposed)"
	}
	return ""
}

// setBatch fills g.Batch: axes of size 1 are left out, axes over which both
// operands step on evenly become one, and where consecutive matrices of a meet
// the same b they become one matrix with more rows.
func (g *Gemm) setBatch(batch, a, b []int) {
	axes := pairAxes(batch, a, b, g.M*g.K, g.K*g.N)
	if len(axes) > 0 && axes[0].B == 0 && !g.TransA {
		g.M *= axes[0].Size
		axes = axes[1:]
	}
	for i := range g.Batch {
		g.Batch[i] = PairAxis{Size: 1}
	}
	g.Axes = len(axes)
	for i, axis := range axes { // innermost first
		g.Batch[g.Axes-1-i] = axis
	}
}

// OutShape returns the shape of y as the caller sees it.
func (g *Gemm) OutShape() []int { return g.Out.Slice() }

// Batches returns how many matrix products there are.
func (g *Gemm) Batches() int {
	n := 1
	for _, axis := range g.Batch {
		n *= axis.Size
	}
	return n
}

// Offsets returns where the matrices of the i-th product start in a and b.
func (g *Gemm) Offsets(i int) (a, b int) {
	for j := MaxBatchAxes - 1; j >= 0; j-- {
		axis := g.Batch[j]
		a += i % axis.Size * axis.A
		b += i % axis.Size * axis.B
		i /= axis.Size
	}
	return a, b
}

// Flops returns the arithmetic: two operations for each product.
func (g *Gemm) Flops() float64 {
	return 2 * float64(g.Batches()) * float64(g.M) * float64(g.N) * float64(g.K)
}

// Budget returns the error that an implementation may have; see SumBudget. The
// magnitude is |alpha| * sum |a*b| + |beta*c|; each factor that is not 1 takes
// one more rounding.
func (g *Gemm) Budget() Budget {
	terms := g.K
	if g.Alpha != 1 {
		terms++
	}
	if g.Bias && g.Beta != 1 {
		terms++
	}
	return SumBudget(terms).ThenActivation(g.Act)
}
