package spec

// RMSNorm is a resolved root-mean-square normalization along the chosen axes,
//
//	y = act(x / sqrt(mean(x^2) + eps) * scale[i] + shift[i])
//
// with i the position along these axes (Zhang and Sennrich, 2019). PyTorch and
// ONNX have no shift.
type RMSNorm struct {
	Norm
	Axes []int // the axes that are averaged over, as given, none negative
}

// NewRMSNorm checks and resolves an RMS normalization of x; scale and shift may
// be nil. It takes the parameters of layer normalization.
func NewRMSNorm(x, scale, shift []int, p LayerNormParams) (RMSNorm, error) {
	l, err := NewLayerNorm(x, scale, shift, p)
	g := RMSNorm(l)
	g.RMS = true
	return g, err
}
