package spec

// MeanVarianceParams are the parameters of mean-variance normalization.
type MeanVarianceParams struct {
	Axes []int      // the axes to average over; nil means ONNX's 0, 2, 3 ... : all but the second
	Eps  float32    // added to the standard deviation; 0 means 1e-9, a negative value means none
	Act  Activation // applied to each output; default none
}

// MeanVariance is a resolved mean-variance normalization,
//
//	y = act((x - mean) / (sqrt(variance) + eps))
//
// as ONNX defines MeanVarianceNormalization: eps is outside of the square root.
// With a scale and a shift it is LayerNorm, whose axes are as free.
type MeanVariance struct {
	Norm
	Axes []int // the axes that are averaged over, none negative
}

// NewMeanVariance checks and resolves a mean-variance normalization of x.
func NewMeanVariance(x []int, p MeanVarianceParams) (MeanVariance, error) {
	var g MeanVariance
	err := checkShapes(x)
	if err != nil {
		return g, err
	}
	if p.Axes == nil {
		for i := range x {
			if i != 1 {
				g.Axes = append(g.Axes, i)
			}
		}
	} else if g.Axes, err = resolveAxes(p.Axes, len(x)); err != nil {
		return g, err
	}
	reduced := make([]bool, len(x))
	for _, a := range g.Axes {
		reduced[a] = true
	}
	g.Norm = newNorm(x, reduced, make([]int, len(x)))
	if g.Eps, err = orDefault("eps", p.Eps, 1e-9); err != nil {
		return g, err
	}
	g.EpsOnStd, g.Act = true, p.Act
	return g, p.Act.Check()
}
