package spec

// BatchNormParams are the parameters of batch normalization with given
// statistics, the inference form.
type BatchNormParams struct {
	Eps  float32    // added to the variance; 0 means 1e-5, a negative value means none
	Axis int        // the channel axis; 0 means the second, negative counts from the end (-1: channels last, -rank: the first axis)
	Act  Activation // applied to each output; default none
}

// BatchNormTrainParams are the parameters of batch normalization with the
// statistics of the batch itself.
type BatchNormTrainParams struct {
	Eps  float32    // as in BatchNormParams
	Axis int        // as in BatchNormParams
	Act  Activation // as in BatchNormParams

	// Momentum is the weight of the batch in the running statistics, as in
	// PyTorch: running = (1-Momentum)*running + Momentum*batch. 0 means 0.1, a
	// negative value means exactly 0. ONNX's momentum is 1 minus this.
	Momentum float32
	// Count, where it is not 0, makes the running statistics the plain average
	// over all batches so far, of which this is number Count: Momentum = 1/Count.
	Count int
	// Biased updates the running variance with the population variance, as ONNX
	// does, rather than with the sample variance, as PyTorch does.
	Biased bool
}

// BatchNorm is a resolved batch normalization. Input and output are
// [N, C, spatial...] of any spatial rank, none included; all else is [C]:
//
//	y[n,c,s] = act((x[n,c,s] - mean[c]) / sqrt(variance[c] + eps) * scale[c] + shift[c])
//
// (Ioffe and Szegedy, 2015). In the training form mean and variance are those
// of x over n and s.
type BatchNorm struct {
	Norm
	Train    bool
	Running  bool    // there are running statistics to update
	Momentum float32 // the weight of the batch in them
	Biased   bool    // the running variance takes the population variance
}

// NewBatchNorm checks and resolves the inference form. scale and shift may be nil.
func NewBatchNorm(x, mean, variance, scale, shift []int, p BatchNormParams) (BatchNorm, error) {
	g, c, err := newBatchNorm(x, scale, shift, p)
	if err != nil {
		return g, err
	}
	if len(mean) != 1 || mean[0] != c {
		return g, shapeErr("mean is %v: %d channels take [%d]", mean, c, c)
	}
	if len(variance) != 1 || variance[0] != c {
		return g, shapeErr("variance is %v: %d channels take [%d]", variance, c, c)
	}
	return g, nil
}

// NewBatchNormTrain checks and resolves the training form. scale, shift and the
// running statistics may be nil, the latter only both.
func NewBatchNormTrain(x, scale, shift, runningMean, runningVar []int, p BatchNormTrainParams) (BatchNorm, error) {
	g, c, err := newBatchNorm(x, scale, shift, BatchNormParams{Eps: p.Eps, Axis: p.Axis, Act: p.Act})
	if err != nil {
		return g, err
	}
	g.Train, g.Biased = true, p.Biased
	g.Running, g.Momentum, err = running(&g.Norm, c, runningMean, runningVar, p.Momentum, p.Count, p.Biased)
	return g, err
}

func newBatchNorm(x, scale, shift []int, p BatchNormParams) (g BatchNorm, c int, err error) {
	if err = checkShapes(x); err != nil {
		return g, 0, err
	}
	axis, err := channelAxis(x, p.Axis)
	if err != nil {
		return g, 0, err
	}
	g.Norm = channelNorm(x, axis, true)
	c = x[axis]
	if g.Eps, err = orDefault("eps", p.Eps, DefaultEps); err != nil {
		return g, c, err
	}
	if err = g.setAffine(scale, shift, []int{c}); err != nil {
		return g, c, err
	}
	g.Act = p.Act
	return g, c, p.Act.Check()
}

// running checks the running statistics of c channels and resolves their momentum.
func running(g *Norm, c int, mean, variance []int, m float32, count int, biased bool) (bool, float32, error) {
	if (mean == nil) != (variance == nil) {
		return false, 0, paramErr("only one of running mean and running variance is given")
	}
	w, err := momentum(m, count)
	if err != nil || mean == nil {
		return false, w, err
	}
	if len(mean) != 1 || mean[0] != c {
		return false, 0, shapeErr("running mean is %v: %d channels take [%d]", mean, c, c)
	}
	if len(variance) != 1 || variance[0] != c {
		return false, 0, shapeErr("running variance is %v: %d channels take [%d]", variance, c, c)
	}
	if g.Count < 2 && !biased {
		return false, 0, shapeErr("input is %v: a running sample variance needs more than one value per channel", g.Shape)
	}
	return true, w, nil
}

// Channels returns the number of channels.
func (g *BatchNorm) Channels() int { return g.Groups }

// Budget returns the error that an implementation may have in y: with given
// statistics WebNN's 6 ULP, near a zero crossing 6*2^-24 times the magnitude
// |x-mean|/sqrt(variance+eps)*|scale| + |shift|; else that of Norm.
func (g *BatchNorm) Budget() Budget {
	if g.Train {
		return g.Norm.Budget()
	}
	return Budget{ULP: 6, Scaled: 6}.ThenActivation(g.Act)
}

// Flops returns the arithmetic of the definition.
func (g *BatchNorm) Flops() float64 {
	if g.Train {
		return g.Norm.Flops()
	}
	return 3 * float64(Count(g.Shape))
}
