package spec

// GroupNormParams are the parameters of group normalization.
type GroupNormParams struct {
	Groups int        // how many groups the channels form; 0 means 1
	Eps    float32    // added to the variance; 0 means 1e-5, a negative value means none
	Axis   int        // the channel axis; 0 means the second, negative counts from the end (-1: channels last)
	Act    Activation // applied to each output; default none
}

// GroupNorm is a resolved group normalization. Input and output are
// [N, C, spatial...], scale and shift are [C]; mean and variance are over the
// C/G channels of a group and the spatial axes:
//
//	y[n,c,s] = act((x[n,c,s] - mean[n,c/(C/G)]) / sqrt(variance[n,c/(C/G)] + eps) * scale[c] + shift[c])
//
// (Wu and He, 2018). One group is layer normalization over all but the batch
// with a scale per channel, as many groups as channels instance normalization.
type GroupNorm struct {
	Norm
	N, C, G int // batch, channels, groups
}

// NewGroupNorm checks and resolves a group normalization of x; scale and shift
// may be nil.
func NewGroupNorm(x, scale, shift []int, p GroupNormParams) (GroupNorm, error) {
	var g GroupNorm
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
	g.N, g.C, g.G = x[0], x[axis], p.Groups
	if g.G == 0 {
		g.G = 1
	}
	if g.G < 0 {
		return g, paramErr("groups is %d; it must be positive", p.Groups)
	}
	if g.C%g.G != 0 {
		return g, paramErr("groups is %d, which does not divide the %d channels", g.G, g.C)
	}
	// The channel axis seen as two: the group, and the channel within it.
	split := append(append(append([]int{}, x[:axis]...), g.G, g.C/g.G), x[axis+1:]...)
	reduced, affine := make([]bool, len(split)), make([]int, len(split))
	for i := range split {
		reduced[i] = i != 0 && i != axis
	}
	affine[axis], affine[axis+1] = g.C/g.G, 1
	g.Norm = newNorm(split, reduced, affine)
	g.Shape = append([]int{}, x...)
	if err = g.setAffine(scale, shift, []int{g.C}); err != nil {
		return g, err
	}
	if g.Eps, err = orDefault("eps", p.Eps, DefaultEps); err != nil {
		return g, err
	}
	g.Act = p.Act
	return g, p.Act.Check()
}
