package spec

// Unfold is a resolved part of the matrix of a convolution's windows, im2col:
// for the images FromN to FromN+N and the output positions FromP to FromP+P,
// counted through the output plane,
//
//	cols[n, c*Taps + t, p] = x[n, c, o*stride - pad + t*dilation],  o = FromP + p
//
// with what PadMode says in the padding. A product with it is a convolution, or
// its gradient with respect to the weight.
type Unfold struct {
	Window
	C        int
	PadMode  PadMode
	FromN, N int
	FromP, P int
}

// NewUnfold returns the windows of images [fromN, fromN+n) and output positions
// [fromP, fromP+p) of a convolution's input.
func NewUnfold(g Conv, fromN, n, fromP, p int) (Unfold, error) {
	u := Unfold{Window: g.Window, C: g.C, PadMode: g.PadMode, FromN: fromN, N: n, FromP: fromP, P: p}
	if fromN < 0 || n < 1 || fromN+n > g.N || fromP < 0 || p < 1 || fromP+p > g.OutSize() {
		return u, paramErr("images %d to %d and positions %d to %d are not within the convolution's %d and %d", fromN, fromN+n, fromP, fromP+p, g.N, g.OutSize())
	}
	_, err := Elements(u.OutShape())
	return u, err
}

// OutShape returns [N, C*Taps, P].
func (u *Unfold) OutShape() []int { return []int{u.N, u.C * u.Taps(), u.P} }
