package spec

// WinogradBudget is the budget of a convolution by Winograd's F(m x m, 3 x 3)
// where its kernel is forced: it holds for all finite values, however much their
// magnitudes differ. The magnitude of an output is
//
//	W = |A'| (sum over c of (|G||g||G'|) * (|B'||d||B|)) |A| + |bias|
//
// with the tile d of the inputs of channel c, the weights g, and the transforms'
// matrices A, B and G taken element by element without signs (see
// cpuref.WinogradMagnitude): what the method adds up and cancels again, as the
// sum of |a*b| is for the direct sum. An output shares W with its tile, so that a
// large value beside it counts, as it does in the error.
//
// To first order each term passes 8 roundings in the input's transform, as many
// in the weights', one in the product, one for each of the channels, 10 in the
// transform back and one for the bias, those of the matrices' constants
// included (Barabasz and others, Error Analysis and Improving the Accuracy of
// Winograd Convolution for Deep Neural Networks, 2020): channels + 28, and 4 to
// spare. Where values are of like size the kernels keep Conv's own budget too.
func (g *Conv) WinogradBudget() Budget {
	return Budget{ULP: 1, Scaled: float64(g.CG() + 32)}.ThenActivation(g.Act)
}
