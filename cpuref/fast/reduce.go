package fast

import (
	"math"

	"github.com/kansu-dev/kansu/cpuref/internal/simd"
	"github.com/kansu-dev/kansu/spec"
)

// Reduce makes one number of many, over axes of a tensor; see spec.Reduce. Sums
// are accumulated in float64. Few outputs of many terms are cut into pieces by
// their number alone.
func Reduce(y, x []float32, g spec.Reduce) {
	if g.ReducedAxes == 0 {
		if g.Func == spec.ReduceSumSquare {
			simd.BinMul.Apply(y, x, x, 0, 0, 0, false)
			return
		}
		copy(y, x)
		return
	}
	const piece = 1 << 16
	terms := g.Terms()
	if g.KeptAxes > 0 && g.Kept[0].Step == 1 && g.Reduced[0].Step != 1 {
		reduceColumns(y, x, &g)
		return
	}
	inner := g.Reduced[0]
	pieces := max(1, terms/piece)
	if inner.Size < piece || inner.Step != 1 || len(y) >= 64 {
		pieces = 1
	}
	ns := 0.3 * float64(len(y)) * float64(terms)
	if pieces == 1 {
		ParallelRange(len(y), 1+piece/terms, ns, func(low, high int) {
			for o := low; o < high; o++ {
				y[o] = float32(finishReduce(&g, reduceRange(x, o, 0, terms, &g)))
			}
		})
		return
	}
	parts := make([]float64, len(y)*pieces)
	Parallel(len(parts), ns, func(i int) {
		p := i % pieces
		parts[i] = reduceRange(x, i/pieces, p*terms/pieces, (p+1)*terms/pieces, &g)
	})
	for o := range y {
		acc := parts[o*pieces]
		for _, v := range parts[o*pieces+1 : (o+1)*pieces] {
			acc = combine(g.Func, acc, v)
		}
		y[o] = float32(finishReduce(&g, acc))
	}
}

// widestBlock is how many columns a task reduces together at most.
const widestBlock = 2048

// blockWidth returns how many of n columns a task reduces together: memory likes
// long pieces of rows, and each goroutine wants a task. The columns do not depend
// on each other, so that the results are the same with any width.
func blockWidth(n int) int {
	return min(widestBlock, max(512, (n/Threads()+63)&^63))
}

// reduceColumns reduces many neighbours at once, where the innermost axis of x is
// kept: row after row, or its squares, is added to a row of results. Sums of a few
// rows are made in float32 and those added in float64.
func reduceColumns(y, x []float32, g *spec.Reduce) {
	const few = 8
	terms, n := g.Terms(), g.Kept[0].Size
	width := blockWidth(len(y))
	blocks := (n + width - 1) / width
	Parallel(len(y)/n*blocks, 0.3*float64(len(y))*float64(terms), func(i int) {
		var short [widestBlock]float32
		o := i/blocks*n + i%blocks*width
		m := min(width, n-i%blocks*width)
		base := stepsTo(o, &g.Kept)
		row := func(term int) []float32 { return x[base+stepsTo(term, &g.Reduced):][:m] }
		part, out := short[:m], y[o:][:m]
		if g.Func == spec.ReduceMax || g.Func == spec.ReduceMin {
			larger := simd.BinMax
			if g.Func == spec.ReduceMin {
				larger = simd.BinMin
			}
			copy(part, row(0))
			for term := 1; term < terms; term++ {
				larger.Apply(part, part, row(term), 0, 0, 0, false)
			}
			copy(out, part)
			return
		}
		var sums [widestBlock]float64
		acc := sums[:m]
		var squares [widestBlock]float32
		for term := range terms {
			next := row(term)
			if g.Func == spec.ReduceSumSquare {
				simd.BinMul.Apply(squares[:m], next, next, 0, 0, 0, false)
				next = squares[:m]
			}
			simd.BinAdd.Apply(part, part, next, 0, 0, 0, false)
			if term%few == few-1 || term == terms-1 {
				simd.WidenAdd(acc, part)
			}
		}
		for j, v := range acc {
			if v-v != 0 { // infinite or no number: it may be but the short sum that overflowed
				v = 0
				for term := range terms {
					v += lift(g.Func, row(term)[j])
				}
			}
			out[j] = float32(finishReduce(g, v))
		}
	})
}

// lift returns what a term counts as.
func lift(f spec.ReduceFunc, v float32) float64 {
	if f == spec.ReduceSumSquare {
		return float64(v) * float64(v)
	}
	return float64(v)
}

func combine(f spec.ReduceFunc, a, b float64) float64 {
	switch f {
	case spec.ReduceMax:
		return max(a, b)
	case spec.ReduceMin:
		return min(a, b)
	}
	return a + b
}

func finishReduce(g *spec.Reduce, acc float64) float64 {
	if g.Func == spec.ReduceMean {
		return acc / float64(g.Terms())
	}
	return acc
}

// reduceRange reduces terms low to high of output o, row by row of the innermost
// reduced axis.
func reduceRange(x []float32, o, low, high int, g *spec.Reduce) float64 {
	base := stepsTo(o, &g.Kept)
	inner := g.Reduced[0]
	acc := 0.0
	switch g.Func {
	case spec.ReduceMax:
		acc = math.Inf(-1)
	case spec.ReduceMin:
		acc = math.Inf(1)
	}
	for i := low; i < high; {
		n := min(inner.Size-i%inner.Size, high-i)
		at := base + stepsTo(i, &g.Reduced)
		if inner.Step == 1 {
			acc = combine(g.Func, acc, reduceAlong(g.Func, x[at:][:n]))
		} else {
			for range n {
				acc = combine(g.Func, acc, lift(g.Func, x[at]))
				at += inner.Step
			}
		}
		i += n
	}
	return acc
}

func reduceAlong(f spec.ReduceFunc, row []float32) float64 {
	switch f {
	case spec.ReduceMax:
		return float64(simd.Max(row))
	case spec.ReduceMin:
		m := row[0]
		for _, v := range row {
			m = min(m, v)
		}
		return float64(m)
	case spec.ReduceSumSquare:
		return simd.SumSquares(row, 0)
	}
	return simd.Sum(row)
}

// stepsTo returns where position i of a loop over axes lies.
func stepsTo(i int, axes *[spec.MaxRank]spec.StepAxis) (at int) {
	for _, axis := range axes {
		at += i % axis.Size * axis.Step
		i /= axis.Size
		if i == 0 {
			break
		}
	}
	return at
}
