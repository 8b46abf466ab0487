package spec

import "slices"

// LayerNormParams are the parameters of layer and RMS normalization. At most
// one of Axes and Shape may be set; without both, the last axis is normalized.
type LayerNormParams struct {
	// Axes are the axes to average over, in any order, trailing or not; negative
	// counts from the end. Scale and shift have these axes in this order.
	Axes []int
	// Shape is PyTorch's normalized shape: the sizes of the last len(Shape) axes.
	Shape []int
	Eps   float32    // added to the variance; 0 means 1e-5, a negative value means none
	Act   Activation // applied to each output; default none
}

// LayerNorm is a resolved layer normalization: every group of elements along
// the chosen axes is brought to mean 0 and variance 1,
//
//	y = act((x - mean) / sqrt(variance + eps) * scale[i] + shift[i])
//
// with i the position along these axes (Ba, Kiros and Hinton, 2016).
type LayerNorm struct {
	Norm
	Axes []int // the axes that are averaged over, as given, none negative
}

// NewLayerNorm checks and resolves a layer normalization of x; scale and shift
// may be nil.
func NewLayerNorm(x, scale, shift []int, p LayerNormParams) (LayerNorm, error) {
	var g LayerNorm
	err := checkShapes(x)
	if err != nil {
		return g, err
	}
	if g.Axes, err = normAxes(x, p.Axes, p.Shape); err != nil {
		return g, err
	}
	reduced, affine := make([]bool, len(x)), make([]int, len(x))
	want, stride := make([]int, len(g.Axes)), 1
	for i := len(g.Axes) - 1; i >= 0; i-- {
		a := g.Axes[i]
		reduced[a], affine[a] = true, stride
		want[i] = x[a]
		stride *= x[a]
	}
	g.Norm = newNorm(x, reduced, affine)
	if err = g.setAffine(scale, shift, want); err != nil {
		return g, err
	}
	if g.Eps, err = orDefault("eps", p.Eps, DefaultEps); err != nil {
		return g, err
	}
	g.Act = p.Act
	return g, p.Act.Check()
}

// StatShape returns the shape of the mean and the inverse standard deviation:
// that of x with 1 for each axis that is averaged over.
func (g *LayerNorm) StatShape() []int { return keepAxes(g.Shape, g.Axes) }

// keepAxes returns shape with 1 in place of the given axes.
func keepAxes(shape, axes []int) []int {
	out := slices.Clone(shape)
	for _, a := range axes {
		out[a] = 1
	}
	return out
}

// normAxes resolves the axes to average over.
func normAxes(x, axes, trailing []int) ([]int, error) {
	if len(x) == 0 {
		return nil, shapeErr("input is a scalar: there is no axis to normalize")
	}
	if axes != nil && trailing != nil {
		return nil, paramErr("axes %v and shape %v are both given", axes, trailing)
	}
	if trailing != nil {
		n := len(x) - len(trailing)
		if n < 0 || len(trailing) == 0 || !EqualShapes(x[n:], trailing) {
			return nil, shapeErr("input is %v: its last axes are not the normalized shape %v", x, trailing)
		}
		for i := range trailing {
			axes = append(axes, n+i)
		}
		return axes, nil
	}
	if axes == nil {
		axes = []int{-1}
	}
	return resolveAxes(axes, len(x))
}

// resolveAxes resolves a list of axes that may be negative; each may come once.
func resolveAxes(axes []int, rank int) ([]int, error) {
	out := make([]int, len(axes))
	for i, a := range axes {
		r, err := Axis(a, rank)
		if err != nil {
			return nil, err
		}
		if slices.Contains(out[:i], r) {
			return nil, paramErr("axes %v name axis %d twice", axes, r)
		}
		out[i] = r
	}
	return out, nil
}
