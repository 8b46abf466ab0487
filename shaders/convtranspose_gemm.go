package shaders

import (
	_ "embed"
	"fmt"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed convtranspose_gather.wgsl
var convTransposeGatherWGSL string

// columnsOf returns the matrix product in a transposed convolution as a
// convolution with kernel 1, whose output channels are the (channel, tap)
// pairs and whose row is the whole input plane.
func columnsOf(g spec.ConvTranspose) spec.Conv {
	one := [3]int{1, 1, 1}
	row := [3]int{1, 1, g.InSize()}
	return spec.Conv{
		Window: spec.Window{Rank: 1, In: row, Out: row, Kernel: one, Stride: one, Dilation: one},
		N:      g.N, C: g.C, K: g.K * g.Taps(), Groups: g.Groups,
	}
}

// columnsNot says why the columns of that product cannot be stored.
func columnsNot(g spec.ConvTranspose, dev Device) string {
	c := columnsOf(g)
	return tooLarge(dev, sums(c))
}

// convTransposeTiled plans the product by a tile through workgroup memory.
func convTransposeTiled(g spec.ConvTranspose, dev Device, t convTile) (Plan, error) {
	var p Plan
	c := columnsOf(g)
	columns := p.temp(c.N * c.K * c.InSize())
	w := product{m: c.KG(), k: c.CG(), wGroup: c.CG() * c.KG(), wM: 1, wK: c.KG(), splits: 1}
	p.tile(c, t, w, []Operand{In(0), In(1), In(2), columns}, dev)
	p.transposeGather(g, columns, c.InSize(), 1, dev)
	return p, nil
}

// convTransposeRegister plans the product by a register tile.
func convTransposeRegister(g spec.ConvTranspose, dev Device, t registerTile) (Plan, error) {
	var p Plan
	c := columnsOf(g)
	x := In(0)
	if registerPads(c) {
		x, c = p.pad(c, dev)
	}
	w := p.pack(columnsPacking(c), In(1), t.k, dev)
	columns := p.temp(sums(c))
	p.register(c, t, []Operand{x, w, In(2), columns}, dev)
	p.transposeGather(g, columns, 4*ceilDiv(g.InSize(), 4), 8, dev)
	return p, nil
}

// columnsPacking returns where the weights [C, K/groups, taps] of the product
// stand.
func columnsPacking(c spec.Conv) packing {
	return packing{groups: c.Groups, m: c.KG(), c: c.CG(), taps: 1, gStride: c.CG() * c.KG(), mStride: 1, cStride: c.KG()}
}

// columnsRegisterNot says why a register tile cannot serve, "" where it can.
func columnsRegisterNot(g spec.ConvTranspose, t registerTile, dev Device) string {
	c := columnsOf(g)
	return tooLarge(dev, sums(c), packed(columnsPacking(c), t.k), g.N*g.C*4*ceilDiv(g.InSize(), 4))
}

// transposeGather adds the step that gathers the columns, whose rows are pitch
// apart, in runs of that many outputs for one invocation.
func (p *Plan) transposeGather(g spec.ConvTranspose, columns Operand, pitch, run int, dev Device) {
	const wg = 64
	runs := ceilDiv(ceilDiv(g.Out[2], g.Stride[2]), run)
	total := g.N * g.K * g.Out[0] * g.Out[1] * runs * g.Stride[2]
	var e, inverse [3]int
	for i := range e {
		e[i] = gcd(g.Stride[i], g.Dilation[i])
		inverse[i] = inverseMod(g.Dilation[i]/e[i], g.Stride[i]/e[i])
	}
	p.add(Step{
		Kernel: convTransposeGatherKernel(run, g.Act.Func),
		Params: Params{}.U32(total, runs, g.K, pitch).U32(g.In[:]...).U32(g.Out[:]...).U32(g.Kernel[:]...).
			U32(g.Stride[:]...).U32(g.Dilation[:]...).U32(g.PadBegin[:]...).U32(e[:]...).U32(inverse[:]...).
			U32(flag(g.Bias)).F32(g.Act.A, g.Act.B),
		Operands: []Operand{columns, In(2), Out(0)},
		Groups:   Grid1D(ceilDiv(total, wg), dev.MaxGroups),
	})
}

func convTransposeGatherKernel(run int, fn spec.Pointwise) *Kernel {
	return intern(fmt.Sprintf("convtranspose_gather_%d_%v", run, fn), func() *Kernel {
		return &Kernel{
			Source: specialise(convTransposeGatherWGSL, setU32("RUN", run),
				swap("activate", ActivationSource("activate", spec.Activation{Func: fn})), unroll),
			ParamBytes: 31 * 4,
			Writes:     []bool{false, false, true},
		}
	})
}

// gcd returns the greatest common divisor of two positive numbers.
func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// inverseMod returns the number whose product with a is 1 modulo m, for a and m
// without a common divisor; 0 for m = 1.
func inverseMod(a, m int) int {
	x, next, r, rest := 0, 1, m, a%m
	for rest != 0 {
		q := r / rest
		x, next = next, x-q*next
		r, rest = rest, r-q*rest
	}
	return ((x % m) + m) % m
}
