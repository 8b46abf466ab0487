package spec

// UnpoolParams are the parameters of max unpooling in 1, 2 or 3 dimensions, as
// in PyTorch's MaxUnpool1d, 2d and 3d: those of the max pooling that is undone.
type UnpoolParams struct {
	Kernel  []int // one number, or one per spatial axis; required
	Stride  []int // likewise; default: the kernel
	Padding []int // one number, one per axis, or beginnings then ends; default 0

	// OutSize, one number or one per axis, says the output size where several
	// have the same pooled size. It must lie within a stride of the default
	// (in-1)*stride - padding at both ends + kernel.
	OutSize []int
}

// Unpool is a resolved max unpooling. Values and indices are [N, C, spatial...],
// the output is [N, C, out...]:
//
//	y[n,c,j] = x[n,c,i] for the last i with indices[n,c,i] = j, 0 where there is none
//
// Indices count within the output's plane, as max pooling returns them. One that
// lies outside of it (-1 for an empty window among them) places nothing.
type Unpool struct {
	Window // In is x, Out is y
	N, C   int
}

// NewUnpool checks and resolves a max unpooling of values x at indices idx. It
// returns ErrShape or ErrParam, naming the value.
func NewUnpool(x, idx []int, p UnpoolParams) (Unpool, error) {
	var g Unpool
	pool, err := newPool(PoolMax, x, 0)
	if err != nil {
		return g, err
	}
	if !EqualShapes(x, idx) {
		return g, shapeErr("indices are %v: the values are %v, and each takes one", idx, x)
	}
	g = Unpool{Window: pool.Window, N: pool.N, C: pool.C}
	if len(p.Kernel) == 0 {
		return g, paramErr("no kernel is given; unpooling takes 1 or %d numbers", g.Rank)
	}
	if g.Kernel, err = perAxis("kernel", p.Kernel, g.Rank, 1, 1); err != nil {
		return g, err
	}
	stride := p.Stride
	if len(stride) == 0 {
		stride = p.Kernel
	}
	if g.Stride, err = perAxis("stride", stride, g.Rank, 1, 1); err != nil {
		return g, err
	}
	if g.PadBegin, g.PadEnd, err = padding(p.Padding, g.Rank); err != nil {
		return g, err
	}
	want := [3]int{}
	if len(p.OutSize) > 0 {
		if want, err = perAxis("output size", p.OutSize, g.Rank, 1, 1); err != nil {
			return g, err
		}
	}
	for i := range g.In {
		size := int64(g.In[i]-1)*int64(g.Stride[i]) - int64(g.PadBegin[i]+g.PadEnd[i]) + int64(g.Kernel[i])
		if size > MaxElements {
			return g, sizeErr("output size %d is above %d", size, MaxElements)
		}
		g.Out[i] = int(size)
		if len(p.OutSize) > 0 && i >= 3-g.Rank {
			if s := g.Stride[i]; want[i] <= g.Out[i]-s || want[i] >= g.Out[i]+s {
				return g, paramErr("output size %d on axis %d is not within the stride of %d: it must be above %d and below %d",
					want[i], i-(3-g.Rank)+2, s, g.Out[i]-s, g.Out[i]+s)
			}
			g.Out[i] = want[i]
		}
		if g.Out[i] < 1 {
			return g, paramErr("padding %v leaves an output of size %d on axis %d", p.Padding, g.Out[i], i-(3-g.Rank)+2)
		}
	}
	_, err = Elements(g.OutShape())
	return g, err
}

// OutShape returns [N, C, out...].
func (g *Unpool) OutShape() []int { return g.Shape([]int{g.N, g.C}, g.Out) }

// Planes returns the number of planes, N*C.
func (g *Unpool) Planes() int { return g.N * g.C }

// Flops is 0: values are moved, not computed.
func (g *Unpool) Flops() float64 { return 0 }

// Budget asks for the exact values.
func (g *Unpool) Budget() Budget { return Budget{} }
