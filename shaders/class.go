package shaders

import (
	"math/bits"
	"strconv"

	"github.com/kansu-dev/kansu/spec"
)

// A class of shapes is a line of words. Sizes are rounded up to powers of two:
// n64 are the sizes 33 to 64. What shapes the text of a kernel, such as a
// window's kernel and stride, is named as it is. What was measured for one shape
// of a class holds for the others as far as that goes; TableVersion must go up
// where a class comes to mean other shapes.
type shapeClass []byte

func classOf(word string) shapeClass {
	c := make(shapeClass, 0, 64)
	return append(c, word...)
}

// word adds a word where the condition holds.
func (c shapeClass) word(on bool, w string) shapeClass {
	if !on {
		return c
	}
	return append(append(c, ' '), w...)
}

// size adds a size, rounded up to a power of two.
func (c shapeClass) size(name string, n int) shapeClass {
	c = append(append(c, ' '), name...)
	return strconv.AppendUint(c, 1<<bits.Len(uint(max(n, 1)-1)), 10)
}

// exact adds numbers as they are, with x between.
func (c shapeClass) exact(name string, v ...int) shapeClass {
	c = append(append(c, ' '), name...)
	for i, n := range v {
		if i > 0 {
			c = append(c, 'x')
		}
		c = strconv.AppendInt(c, int64(n), 10)
	}
	return c
}

// gemmClass: which operands are transposed, the sizes, the number of products,
// and whether an operand's rows are no whole vec4s.
func gemmClass(g *spec.Gemm) string {
	form := [...]string{"nn", "tn", "nt", "tt"}[flag(g.TransA)+2*flag(g.TransB)]
	return string(classOf(form).size("m", g.M).size("n", g.N).size("k", g.K).size("b", g.Batches()).
		word((g.N|g.K)%4 != 0 || g.TransA && g.M%4 != 0, "odd"))
}

// windowClass: the window, exactly, in the dimensions that there are.
func windowClass(w *spec.Window) shapeClass {
	at := 3 - w.Rank
	c := classOf(strconv.Itoa(w.Rank)+"d").exact("k", w.Kernel[at:]...).exact("s", w.Stride[at:]...)
	if w.Dilation != [3]int{1, 1, 1} {
		c = c.exact("d", w.Dilation[at:]...)
	}
	return c
}

// convClass: the window, the channels of a group on either side, the groups, the
// outputs of a channel over the whole batch, and the length of a row of them.
func convClass(g *spec.Conv) string {
	return string(windowClass(&g.Window).size("c", g.CG()).size("k", g.KG()).size("g", g.Groups).
		size("out", g.N*g.OutSize()).size("row", g.Out[2]).word(g.PadMode != spec.PadZeros, g.PadMode.String()))
}

// convTransposeClass is as convClass, but for the inputs, of which there is one
// for each column of the matrix product.
func convTransposeClass(g *spec.ConvTranspose) string {
	return string(windowClass(&g.Window).size("c", g.C/g.Groups).size("k", g.K/g.Groups).size("g", g.Groups).
		size("in", g.N*g.InSize()).size("row", g.In[2]))
}

// poolClass: the window, or that it is the whole plane, the planes, and the
// outputs of each.
func poolClass(g *spec.Pool, indices bool) string {
	c := windowClass(&g.Window)
	switch {
	case g.Whole():
		c = classOf("whole").size("in", g.InSize())
	case g.Adaptive:
		c = classOf("adaptive").size("in", g.InSize())
	}
	return string(c.size("planes", g.Planes()).size("out", g.OutSize()).size("row", g.Out[2]).word(indices, "indices"))
}

// normClass: how the groups lie, how many there are and of how many elements.
func normClass(g *spec.Norm, statistics bool) string {
	c := classOf("strided")
	_, _, s, planes := g.Planes()
	_, _, inner, columns := g.Columns()
	switch {
	case planes && s == g.Count:
		c = classOf("rows")
	case planes:
		c = classOf("planes").size("of", s)
	case columns:
		c = classOf("columns").size("of", inner)
	}
	return string(c.size("groups", g.Groups).size("n", g.Count).word(g.Count%4 != 0, "odd").
		word(g.Scale || g.Shift, "affine").word(statistics, "statistics"))
}

// alongClass: the function's kind, the slices before and after the axis, its length.
func alongClass(kind string, g *spec.Along) string {
	return string(classOf(kind).size("outer", g.Outer).size("n", g.N).size("inner", g.Inner).word((g.N*g.Inner)%4 != 0, "odd"))
}

// reduceClass: whether the terms of an output lie together, the outputs, the
// terms of each. Sums and maxima cost the same.
func reduceClass(g *spec.Reduce) string {
	c := classOf("across")
	if g.ReducedAxes > 0 && g.Reduced[0].Step == 1 {
		c = classOf("along")
	}
	return string(c.size("outputs", g.Outputs()).size("terms", g.Terms()))
}

// gatherClass: how many axes, the innermost one of the output, and whether
// elements stay neighbours along it.
func gatherClass(g *spec.Gather) string {
	return string(classOf("axes"+strconv.Itoa(g.Axes)).size("n", spec.Count(g.OutShape())).size("inner", g.Axis[0].Size).
		word(g.Axis[0].Step == 1, "along"))
}

// binaryClass: how many axes, the outputs, the innermost axis, and whether it
// repeats an operand. What is computed costs less than where it lies.
func binaryClass(g *spec.Binary) string {
	n := 1
	for _, a := range g.Axis {
		n *= a.Size
	}
	return string(classOf("axes"+strconv.Itoa(g.Axes)).size("n", n).size("inner", g.Axis[0].Size).
		word(g.Axis[0].A == 0 || g.Axis[0].B == 0, "repeats").word(g.Axis[0].Size%4 != 0, "odd"))
}

// concatClass: the parts, the result, and its rows.
func concatClass(g *spec.Concat) string {
	return string(classOf("parts"+strconv.Itoa(len(g.Part))).size("n", g.Outer*g.Row).size("row", g.Row))
}

// padClass: what stands in the padding, the axes, the result and its rows.
func padClass(g *spec.Pad) string {
	return string(classOf(g.Mode.String()).exact("axes", g.Axes).size("n", spec.Count(g.OutShape())).size("row", g.Axis[0].Out))
}

// upsampleClass: the method, the axes, the results and their rows.
func upsampleClass(g *spec.Upsample) string {
	return string(classOf(g.Mode.String()).exact("rank", g.Rank).size("n", g.N*g.OutSize()).size("row", g.Out[2]))
}

// lrnClass: the window, and the layout as of alongClass.
func lrnClass(g *spec.LRN) string { return alongClass("window"+strconv.Itoa(g.Size), &g.Along) }
