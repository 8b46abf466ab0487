package fast

import "github.com/kansu-dev/kansu/spec"

// MatMul computes the matrix products of Gemm, MatMul and Linear; see spec.Gemm
// for the formula and the layout. The addend c is nil where g.Bias is false.
func MatMul(y, a, b, c []float32, g spec.Gemm) { MatMulTail(y, a, b, c, g, nil) }

// MatMulTail is MatMul followed by the functions of t.
func MatMulTail(y, a, b, c []float32, g spec.Gemm, t *Tail) {
	g.Act, t = t.after(g.Act)
	one := func(i int) {
		atA, atB := g.Offsets(i)
		at := i * g.M * g.N
		matMul(y[at:][:g.M*g.N], a[atA:][:g.M*g.K], b[atB:][:g.K*g.N], c, &g, t, at)
	}
	// Small products stay on one core each, so they are spread over the cores;
	// a large one spreads itself.
	const flopsPerNs, large = 50, 1 << 20
	n, each := g.Batches(), 2*float64(g.M)*float64(g.N)*float64(g.K)
	if n > 1 && each < large {
		Parallel(n, float64(n)*(each/flopsPerNs+200), one)
		return
	}
	for i := range n {
		one(i)
	}
}

// matMul computes one product. What its epilogue cannot do, a factor or an
// addend of another shape, costs a pass over the result.
func matMul(y, a, b, c []float32, g *spec.Gemm, t *Tail, at int) {
	lda, ldb := g.K, g.N
	if g.TransA {
		lda = g.M
	}
	if g.TransB {
		ldb = g.K
	}
	e := Epilogue{Act: g.Act, Tail: t, At: at}
	accumulate, after := false, g.Alpha != 1
	switch {
	case after || !g.Bias:
	case g.Beta != 1:
		after = true
	case g.BiasM == 0 && g.BiasN == 1:
		e.ColBias = c
	case g.BiasM == 1 && g.BiasN == 0:
		e.RowBias = c
	case g.BiasM == g.N && g.BiasN == 1:
		copy(y, c)
		accumulate = true
	default:
		after = true
	}
	if after {
		e.Act, e.Tail = spec.Activation{}, nil
	}
	Gemm(g.M, g.N, g.K, a, lda, g.TransA, b, ldb, g.TransB, y, g.N, accumulate, e)
	if after {
		ParallelRange(g.M, 1+1<<14/g.N, float64(g.M)*float64(g.N), func(low, high int) {
			for m := low; m < high; m++ {
				finish(y[m*g.N:][:g.N], c, m, g)
				t.rows(at+m*g.N, 0, 1, g.N)
			}
		})
	}
}

// finish applies the factors, the addend and the activation to row m.
func finish(row, c []float32, m int, g *spec.Gemm) {
	switch {
	case !g.Bias:
		for n := range row {
			row[n] *= g.Alpha
		}
	case g.BiasN == 0:
		add := g.Beta * c[m*g.BiasM]
		for n := range row {
			row[n] = g.Alpha*row[n] + add
		}
	default:
		for n, v := range c[m*g.BiasM:][:len(row)] {
			row[n] = g.Alpha*row[n] + g.Beta*v
		}
	}
	pointwise(g.Act, row, row)
}
