package spec

// Moments is the mean and the population variance of x along some axes,
//
//	mean = sum of x / n,  variance = sum of (x - mean)^2 / n
//
// as a normalization takes them. The results have the shape of x with 1 for
// each axis that is averaged over.
type Moments struct {
	Norm
	Axes []int // the axes that are averaged over, none negative
}

// NewMoments checks and resolves the moments of x along axes (negative counts
// from the end); nil means all of them.
func NewMoments(x, axes []int) (Moments, error) {
	var g Moments
	err := checkShapes(x)
	if err != nil {
		return g, err
	}
	if axes == nil {
		for i := range x {
			axes = append(axes, i)
		}
	}
	if g.Axes, err = resolveAxes(axes, len(x)); err != nil {
		return g, err
	}
	reduced := make([]bool, len(x))
	for _, a := range g.Axes {
		reduced[a] = true
	}
	g.Norm = newNorm(x, reduced, make([]int, len(x)))
	return g, nil
}

// StatShape returns the shape of both results.
func (g *Moments) StatShape() []int { return keepAxes(g.Shape, g.Axes) }

// Flops returns the arithmetic of the definition: an addition for the mean, a
// subtraction and a multiply-add for the variance.
func (g *Moments) Flops() float64 { return 4 * float64(g.Groups) * float64(g.Count) }
