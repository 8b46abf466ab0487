package fast

import (
	"fmt"
	"math"
	"testing"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/spec"
	"github.com/stretchr/testify/require"
)

// gemmCase is a product with everything that Gemm takes.
type gemmCase struct {
	m, n, k        int
	transA, transB bool
	accumulate     bool
	bias           int // 0 none, 1 rows, 2 columns
	act            spec.Activation
}

func (c gemmCase) String() string {
	return fmt.Sprintf("%dx%dx%d transA %v transB %v accumulate %v bias %d act %v", c.m, c.n, c.k, c.transA, c.transB, c.accumulate, c.bias, c.act)
}

// oracle64 computes the product in float64, and the budget's magnitudes.
func (c gemmCase) oracle64(a []float32, lda int, b []float32, ldb int, was []float32, ldc int, e Epilogue) (want, mag []float64) {
	want, mag = make([]float64, c.m*c.n), make([]float64, c.m*c.n)
	for i := range c.m {
		for j := range c.n {
			s, m := 0.0, 0.0
			add := func(v float64) { s += v; m += math.Abs(v) }
			if c.accumulate {
				add(float64(was[i*ldc+j]))
			}
			if e.RowBias != nil {
				add(float64(e.RowBias[i]))
			}
			if e.ColBias != nil {
				add(float64(e.ColBias[j]))
			}
			for k := range c.k {
				ai, bi := i*lda+k, k*ldb+j
				if c.transA {
					ai = k*lda + i
				}
				if c.transB {
					bi = j*ldb + k
				}
				add(float64(a[ai]) * float64(b[bi]))
			}
			want[i*c.n+j], mag[i*c.n+j] = cpuref.Pointwise64(c.act, s), m
		}
	}
	return want, mag
}

func testGemm(t *testing.T, c gemmCase) {
	r := newRand(t)
	rowsA, colsA, rowsB, colsB := c.m, c.k, c.k, c.n
	if c.transA {
		rowsA, colsA = colsA, rowsA
	}
	if c.transB {
		rowsB, colsB = colsB, rowsB
	}
	lda, ldb, ldc := colsA+r.IntN(3), colsB+r.IntN(3), c.n+r.IntN(3)
	a := random(r, max(0, (rowsA-1)*lda+colsA))
	b := random(r, max(0, (rowsB-1)*ldb+colsB))
	was := random(r, (c.m-1)*ldc+c.n)
	e := Epilogue{Act: c.act}
	switch c.bias {
	case 1:
		e.RowBias = random(r, c.m)
	case 2:
		e.ColBias = random(r, c.n)
	}
	got := repeatable(t, c.String(), func() []float32 {
		out := newGuarded(len(was))
		copy(out.s, was)
		if !c.accumulate {
			for i := range c.m { // must not be read
				for j := range c.n {
					out.s[i*ldc+j] = float32(math.NaN())
				}
			}
		}
		Gemm(c.m, c.n, c.k, a, lda, c.transA, b, ldb, c.transB, out.s, ldc, c.accumulate, e)
		out.check(t, c.String())
		return out.s
	})
	want, mag := c.oracle64(a, lda, b, ldb, was, ldc, e)
	budget := spec.SumBudget(c.k + 1).ThenActivation(c.act)
	for i := range got {
		row, col := i/ldc, i%ldc
		if col >= c.n {
			require.Equal(t, was[i], got[i], "%v: between the rows of C", c)
			continue
		}
		w := want[row*c.n+col]
		if !budget.Allows(got[i], w, mag[row*c.n+col]) {
			require.Fail(t, "outside of the budget", "%v: C[%d][%d] is %v, not %v", c, row, col, got[i], w)
		}
	}
}

func TestGemm(t *testing.T) {
	onEach(t, func(t *testing.T) {
		r := newRand(t)
		shapes := [][3]int{
			{1, 1, 1}, {1, 1, 0}, {3, 5, 0}, {20, 40, 0}, {400, 300, 0}, {1, 17, 33}, {17, 1, 33}, {1, 1000, 40}, {1000, 1, 40},
			{2, 33, 100}, {4, 600, 31}, {4, 513, 300}, {16, 31, 64}, {17, 31, 64}, {7, 100, 3}, {8, 1030, 257}, {9, 1030, 257},
			{14, 32, 16}, {15, 33, 17}, {13, 31, 15}, {29, 65, 256}, {29, 65, 257}, {64, 196, 70}, {100, 8, 50}, {100, 7, 20},
			{100, 9, 50}, {331, 40, 9}, {337, 40, 520}, {64, 300, 260}, {29, 130, 1024}, {350, 300, 33}, {673, 65, 260},
		}
		for _, s := range [][2]int{{1, 40}, {33, 33}, {70, 1001}} { // one column times one row
			for flags := range 4 {
				testGemm(t, gemmCase{m: s[0], n: s[1], k: 1, transA: flags&1 != 0, transB: flags&2 != 0})
			}
		}
		for _, s := range shapes {
			for flags := range 8 {
				c := gemmCase{m: s[0], n: s[1], k: s[2], transA: flags&1 != 0, transB: flags&2 != 0, accumulate: flags&4 != 0, bias: r.IntN(3)}
				c.act = []spec.Activation{{}, {}, {Func: spec.ReLU}, {Func: spec.HardTanh, A: float32(math.NaN()), B: 0.25}, {Func: spec.Sigmoid}}[r.IntN(5)]
				testGemm(t, c)
			}
		}
	})
}

// TestGemmLarge takes products that no cache holds through their blocks: many
// rows and columns, and few rows with long sums.
func TestGemmLarge(t *testing.T) {
	for _, c := range []gemmCase{
		{m: 2051, n: 2100, k: 1, transA: true}, // past the cache
		{m: 264, n: 300, k: 1000},
		{m: 264, n: 300, k: 1000, transB: true, bias: 1, act: spec.Activation{Func: spec.GELU}},
		{m: 700, n: 600, k: 600, bias: 2, act: spec.Activation{Func: spec.ReLU}},
		{m: 340, n: 1000, k: 1100, transA: true, bias: 2, act: spec.Activation{Func: spec.Sigmoid}},
		{m: 340, n: 4200, k: 70, accumulate: true, bias: 1, act: spec.Activation{Func: spec.ReLU}},
		{m: 338, n: 4200, k: 240, transB: true, bias: 1},
		{m: 400, n: 420, k: 600, bias: 2, act: spec.Activation{Func: spec.Sigmoid}}, // two threads have columns of their own
		{m: 380, n: 410, k: 530, transB: true, accumulate: true, bias: 1},
		{m: 64, n: 70, k: 4200, transB: true, bias: 2}, // in rows, with an A that no thread packs for itself
	} {
		testGemm(t, c)
	}
}

// TestGemmNaN: zeros do not hide NaN and infinities, whatever the path.
func TestGemmNaN(t *testing.T) {
	onEach(t, func(t *testing.T) {
		for _, s := range [][3]int{{1, 50, 40}, {50, 1, 40}, {20, 50, 40}, {400, 50, 40}} {
			for flags := range 4 {
				m, n, k := s[0], s[1], s[2]
				a, b, c := make([]float32, m*k), make([]float32, k*n), make([]float32, m*n)
				lda, ldb, ib := k, n, 3*n
				if flags&1 != 0 {
					lda = m
				}
				if flags&2 != 0 {
					ldb, ib = k, 3
				}
				b[ib] = float32(math.Inf(1)) // B[3][0]
				Gemm(m, n, k, a, lda, flags&1 != 0, b, ldb, flags&2 != 0, c, n, false, Epilogue{})
				for i := range m {
					for j := range n {
						require.Equal(t, j == 0, c[i*n+j] != c[i*n+j], "%v %d: %d %d", s, flags, i, j)
					}
				}
			}
		}
	})
}

func TestGemmPack(t *testing.T) {
	onEach(t, func(t *testing.T) {
		r := newRand(t)
		for _, s := range [][3]int{{5, 70, 300}, {40, 33, 20}, {400, 70, 300}} {
			m, n, k := s[0], s[1], s[2]
			a, b := random(r, m*k), random(r, k*n)
			pack := func(dst []float32, k0, kn, j0, nj, width int) {
				for i := range kn {
					clear(dst[i*width:][:width])
					copy(dst[i*width:], b[(k0+i)*n+j0:][:nj])
				}
			}
			want := make([]float32, m*n)
			p := newProduct(m, n, k, want, n, false, Epilogue{})
			p.a, p.lda, p.b, p.ldb = a, k, b, n
			p.blocks()
			p.release()
			got := repeatable(t, "pack", func() []float32 {
				c := newGuarded(m * n)
				GemmPack(m, n, k, a, k, false, pack, c.s, n, false, Epilogue{})
				c.check(t, "pack")
				return c.s
			})
			require.Equal(t, want, got, "%v", s)
		}
	})
}

// TestGemmNoGrowth: the steady state allocates next to nothing.
func TestGemmNoGrowth(t *testing.T) {
	a, b, c := make([]float32, 64*300), make([]float32, 300*200), make([]float32, 64*200)
	per := testing.AllocsPerRun(100, func() {
		Gemm(64, 200, 300, a, 300, false, b, 200, false, c, 200, false, Epilogue{})
	})
	require.LessOrEqual(t, per, 8.0)
}

func benchGemm(b *testing.B, m, n, k int, transB bool) {
	x, w, y := make([]float32, m*k), make([]float32, k*n), make([]float32, m*n)
	for i := range x {
		x[i] = float32(i%13) - 6
	}
	for i := range w {
		w[i] = float32(i%7) - 3
	}
	ldb := n
	if transB {
		ldb = k
	}
	timed(b, 2*float64(m)*float64(n)*float64(k), "GF/s", func() {
		Gemm(m, n, k, x, k, false, w, ldb, transB, y, n, false, Epilogue{})
	})
}

func BenchmarkGemm(b *testing.B) {
	for _, c := range []struct {
		m, n, k int
		transB  bool
	}{{64, 64, 64, false}, {512, 512, 512, false}, {1024, 1024, 1024, false}, {2048, 2048, 2048, false}, {64, 1000, 1024, true}, {64, 3136, 256, false},
		{1, 1000, 1024, true}, {8, 1000, 1024, true}, {16, 1000, 1024, true}, {1, 4096, 4096, false}, {8, 4096, 4096, false}, {1, 4096, 4096, true}} {
		b.Run(fmt.Sprintf("%dx%dx%d_%v", c.m, c.n, c.k, c.transB), func(b *testing.B) {
			onThreads(b, func(b *testing.B) { benchGemm(b, c.m, c.n, c.k, c.transB) })
		})
	}
}
