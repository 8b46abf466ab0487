package spec

// InstanceNormParams are the parameters of instance normalization.
type InstanceNormParams struct {
	Eps  float32    // added to the variance; 0 means 1e-5, a negative value means none
	Axis int        // the channel axis; 0 means the second, negative counts from the end (-1: channels last)
	Act  Activation // applied to each output; default none
}

// InstanceNormTrainParams are the parameters of instance normalization that
// updates running statistics; the fields have the meaning that they have in
// BatchNormTrainParams.
type InstanceNormTrainParams struct {
	Eps      float32
	Axis     int
	Act      Activation
	Momentum float32
	Count    int
	Biased   bool
}

// InstanceNorm is a resolved instance normalization. Input and output are
// [N, C, spatial...], scale and shift are [C]:
//
//	y[n,c,s] = act((x[n,c,s] - mean[n,c]) / sqrt(variance[n,c] + eps) * scale[c] + shift[c])
//
// with mean and variance over s (Ulyanov, Vedaldi and Lempitsky, 2016). Running
// statistics are [C] and take the average over n of the instances' means and
// variances, as in PyTorch.
type InstanceNorm struct {
	Norm
	N, C     int
	Running  bool    // there are running statistics to update
	Momentum float32 // the weight of the batch in them
	Biased   bool    // the running variance takes the population variance
}

// NewInstanceNorm checks and resolves an instance normalization of x; scale and
// shift may be nil.
func NewInstanceNorm(x, scale, shift []int, p InstanceNormParams) (InstanceNorm, error) {
	var g InstanceNorm
	err := checkShapes(x)
	if err != nil {
		return g, err
	}
	if len(x) < 2 {
		return g, shapeErr("input is %v: it needs a batch and a channel axis, [N C ...]", x)
	}
	axis, err := channelAxis(x, p.Axis)
	if err != nil {
		return g, err
	}
	if axis == 0 {
		return g, paramErr("axis %d is the batch axis; channels are another", p.Axis)
	}
	g.Norm = channelNorm(x, axis, false)
	g.N, g.C = x[0], x[axis]
	if err = g.setAffine(scale, shift, []int{g.C}); err != nil {
		return g, err
	}
	if g.Eps, err = orDefault("eps", p.Eps, DefaultEps); err != nil {
		return g, err
	}
	g.Act = p.Act
	return g, p.Act.Check()
}

// NewInstanceNormTrain checks and resolves an instance normalization that
// returns the statistics, and updates the running ones where they are given.
func NewInstanceNormTrain(x, scale, shift, runningMean, runningVar []int, p InstanceNormTrainParams) (InstanceNorm, error) {
	g, err := NewInstanceNorm(x, scale, shift, InstanceNormParams{Eps: p.Eps, Axis: p.Axis, Act: p.Act})
	if err != nil {
		return g, err
	}
	g.Biased = p.Biased
	g.Running, g.Momentum, err = running(&g.Norm, g.C, runningMean, runningVar, p.Momentum, p.Count, p.Biased)
	return g, err
}

// StatShape returns the shape of the returned mean and variance: [N, C].
func (g *InstanceNorm) StatShape() []int { return []int{g.N, g.C} }
