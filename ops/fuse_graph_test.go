package ops_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/kansu-dev/kansu/internal/enginetest"
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
	"github.com/stretchr/testify/require"
)

// graph makes calls drawn at random on tensors that several calls read, that are
// kept, viewed, read and released at random. Shapes alone decide what is drawn,
// so that two of the same seed make the same calls.
type graph struct {
	t    *testing.T
	e    *ops.Engine
	r    *rand.Rand
	live []*ops.Tensor
	read [][]float32
	log  []string
}

func (g *graph) say(format string, args ...any) { g.log = append(g.log, fmt.Sprintf(format, args...)) }

// fresh is a tensor of drawn values, released when the graph is.
func (g *graph) fresh(scale float64, shape ...int) *ops.Tensor {
	v := make([]float32, spec.Count(shape))
	for i := range v {
		v[i] = float32(scale * g.r.NormFloat64())
	}
	return g.tensor(v, shape...)
}

func (g *graph) tensor(v []float32, shape ...int) *ops.Tensor {
	x, err := g.e.Tensor(v, shape...)
	require.NoError(g.t, err)
	g.t.Cleanup(x.Release)
	return x
}

// maybe is a fresh tensor or nil.
func (g *graph) maybe(scale float64, shape ...int) *ops.Tensor {
	x := g.fresh(scale, shape...)
	if g.r.IntN(3) == 0 {
		return nil
	}
	return x
}

func (g *graph) act() spec.Activation {
	functions := spec.Pointwises()
	switch g.r.IntN(6) {
	case 0, 1:
		return spec.Activation{Func: spec.ReLU}
	case 2:
		return spec.ReLU6.Default()
	case 3:
		return spec.Activation{Func: spec.HardTanh, A: 0, B: 1}
	}
	return functions[1+g.r.IntN(len(functions)-1)].Default()
}

func (g *graph) maybeAct() spec.Activation {
	if f := g.act(); g.r.IntN(4) == 0 {
		return f
	}
	return spec.Activation{}
}

// variance draws variances, some of which are 0.
func (g *graph) variance(c int) *ops.Tensor {
	v := make([]float32, c)
	for i := range v {
		v[i] = float32(g.r.ExpFloat64())
		if g.r.IntN(50) == 0 {
			v[i] = 0
		}
	}
	return g.tensor(v, c)
}

func (g *graph) pick() *ops.Tensor {
	if n := len(g.live); g.r.IntN(3) > 0 {
		return g.live[n-1]
	}
	return g.live[g.r.IntN(len(g.live))]
}

// pair returns another operand for x: a tensor of the graph, or one that repeats.
func (g *graph) pair(x *ops.Tensor) *ops.Tensor {
	shape := x.Shape()
	var same []*ops.Tensor
	for _, t := range g.live {
		if spec.EqualShapes(t.Shape(), shape) {
			same = append(same, t)
		}
	}
	switch g.r.IntN(6) {
	case 0:
		return g.fresh(1, shape...)
	case 1:
		return g.fresh(1)
	case 2:
		return g.fresh(1, shape[len(shape)-1])
	case 3:
		for i := range shape {
			if i != 1 {
				shape[i] = 1
			}
		}
		return g.fresh(1, shape...)
	}
	return same[g.r.IntN(len(same))]
}

// call makes a call on x.
func (g *graph) call(x *ops.Tensor) (*ops.Tensor, error) {
	shape := x.Shape()
	if len(shape) == 2 {
		return g.flat(x, shape[1])
	}
	c, r := shape[1], g.r
	switch k := r.IntN(18); k {
	case 0, 1, 2:
		return g.pointwise(x)
	case 3, 4, 5:
		return g.binary(x)
	case 6, 7, 8, 9:
		p := ops.BatchNormParams{Act: g.maybeAct()}
		if r.IntN(4) == 0 {
			p.Eps = -1
		}
		g.say("batchnorm %v", p)
		return ops.BatchNorm(x, g.fresh(1, c), g.variance(c), g.maybe(1, c), g.maybe(1, c), p)
	case 10, 11, 12, 13, 14:
		return g.conv(x, c)
	case 15:
		g.say("maxpool")
		return ops.MaxPool(x, ops.PoolParams{Kernel: []int{3}, Stride: []int{1}, Padding: []int{1}})
	case 16:
		if r.IntN(2) == 0 {
			return g.convTranspose(x, c)
		}
		g.say("groupnorm")
		return ops.GroupNorm(x, g.maybe(1, c), g.maybe(1, c), ops.GroupNormParams{Groups: 2})
	}
	g.say("flatten")
	return x.Reshape(shape[0], -1)
}

func (g *graph) pointwise(x *ops.Tensor) (*ops.Tensor, error) {
	f := g.act()
	g.say("%v", f.Func)
	return ops.Pointwise(x, f)
}

func (g *graph) binary(x *ops.Tensor) (*ops.Tensor, error) {
	k, y := g.r.IntN(6), g.pair(x)
	f := []func(a, b *ops.Tensor) (*ops.Tensor, error){ops.Add, ops.Add, ops.Sub, ops.Mul, ops.Max, ops.Div}[k]
	g.say("binary%d %v", k, y.Shape())
	if g.r.IntN(2) == 0 {
		return f(y, x)
	}
	return f(x, y)
}

func (g *graph) conv(x *ops.Tensor, c int) (*ops.Tensor, error) {
	p := ops.ConvParams{Act: g.maybeAct(), Groups: 1}
	kernel, out := []int{1, 3, 3, 5}[g.r.IntN(4)], []int{2, 4, 8, 32, 40}[g.r.IntN(5)]
	p.Padding = []int{kernel / 2}
	switch g.r.IntN(5) {
	case 0:
		p.Groups, out = c, c
	case 1:
		p.Groups = 2
	case 2:
		if s := x.Shape(); s[2] > 3 && s[3] > 3 {
			p.Stride = []int{2}
		}
	}
	g.say("conv %dx%d to %d, %d groups, stride %v, %v", kernel, kernel, out, p.Groups, p.Stride, p.Act.Func)
	in := c / p.Groups
	return ops.Conv(x, g.fresh(1/float64(in*kernel), out, in, kernel, kernel), g.maybe(1, out), p)
}

func (g *graph) convTranspose(x *ops.Tensor, c int) (*ops.Tensor, error) {
	out, p := []int{2, 4, 8, 32}[g.r.IntN(4)], ops.ConvTransposeParams{Act: g.maybeAct()}
	kernel := 1 + g.r.IntN(3)
	if s := x.Shape(); s[2]*s[3] < 100 {
		p.Stride = []int{1 + g.r.IntN(2)}
	}
	g.say("convtranspose %dx%d to %d, stride %v, %v", kernel, kernel, out, p.Stride, p.Act.Func)
	return ops.ConvTranspose(x, g.fresh(1/float64(c*kernel), c, out, kernel, kernel), g.maybe(1, out), p)
}

// flat makes a call on a matrix of c columns.
func (g *graph) flat(x *ops.Tensor, c int) (*ops.Tensor, error) {
	switch g.r.IntN(8) {
	case 0, 1:
		return g.pointwise(x)
	case 2, 3:
		return g.binary(x)
	case 4:
		g.say("batchnorm")
		return ops.BatchNorm(x, g.fresh(1, c), g.variance(c), g.maybe(1, c), g.maybe(1, c), ops.BatchNormParams{})
	case 5:
		g.say("softmax")
		return ops.Softmax(x, 1)
	case 6:
		n := 1 + g.r.IntN(70)
		g.say("matmul %d", n)
		return ops.MatMul(x, g.fresh(1/float64(c), c, n), ops.MatMulParams{})
	}
	n, f := 1+g.r.IntN(70), g.maybeAct()
	g.say("linear %d", n)
	return ops.Linear(x, g.fresh(1/float64(c), n, c), g.maybe(1, n), ops.LinearParams{Act: f})
}

// step makes a call, and some of the time reads or releases something.
func (g *graph) step() {
	x := g.pick()
	y, err := g.call(x)
	require.NoError(g.t, err, g.log)
	g.live = append(g.live, y)
	if len(g.live) > 2 && g.r.IntN(4) > 0 {
		g.release(x)
	}
	switch g.r.IntN(12) {
	case 0:
		g.readAt(g.r.IntN(len(g.live)))
	case 1:
		g.say("flush")
		require.NoError(g.t, g.e.Flush())
	case 2:
		v, err := y.Reshape(y.Shape()...)
		require.NoError(g.t, err)
		g.say("view")
		g.live = append(g.live, v)
	case 3:
		if len(g.live) > 2 {
			g.release(g.live[g.r.IntN(len(g.live)-1)])
		}
	}
}

func (g *graph) release(x *ops.Tensor) {
	for i, t := range g.live {
		if t == x {
			g.say("release")
			g.live = append(g.live[:i:i], g.live[i+1:]...)
			x.Release()
			return
		}
	}
}

func (g *graph) readAt(i int) {
	g.say("read %v", g.live[i].Shape())
	v, err := g.live[i].Data()
	require.NoError(g.t, err, g.log)
	g.read = append(g.read, v)
}

// inputs draws what a graph begins with.
func (g *graph) inputs() []*ops.Tensor {
	n, c := 1+g.r.IntN(2), []int{4, 8, 32, 64}[g.r.IntN(4)]
	h, w := []int{4, 5, 7, 12, 16}[g.r.IntN(4)], []int{4, 7, 8, 13, 36}[g.r.IntN(5)]
	return []*ops.Tensor{g.fresh(1, n, c, h, w), g.fresh(1, n, c, h, w)}
}

func newGraph(t *testing.T, e *ops.Engine, seed uint64) *graph {
	return &graph{t: t, e: e, r: rand.New(rand.NewPCG(seed, 11))}
}

// run makes steps calls and reads all that is left.
func (g *graph) run(in []*ops.Tensor, steps int) {
	for _, x := range in {
		v, err := x.Reshape(x.Shape()...)
		require.NoError(g.t, err)
		g.live = append(g.live, v)
	}
	for range steps {
		g.step()
	}
	for i := range g.live {
		g.readAt(i)
		g.live[i].Release()
	}
}

// graphs is how many graphs of how many calls a test draws.
func graphs(e *ops.Engine) (n uint64, steps int) {
	if e.Device().GPU {
		return 12, 20 // each has kernels of its own to compile
	}
	return 200, 50
}

// TestFusedGraphs compares all that is read of random graphs with the same calls
// one by one, and what they leave.
func TestFusedGraphs(t *testing.T) {
	enginetest.Each(t, func(t *testing.T, e *ops.Engine) {
		n, steps := graphs(e)
		for seed := range n {
			var read [2][][]float32
			var log []string
			for i, force := range []string{"apart", ""} {
				e.Force("fused", force)
				g := newGraph(t, e, seed)
				in := g.inputs()
				before := e.Stats().LiveTensors
				g.run(in, steps)
				read[i], log = g.read, g.log
				_ = before
			}
			require.Len(t, read[1], len(read[0]))
			for i := range read[0] {
				requireBits(t, read[0][i], read[1][i], "seed", seed, "read", i, log)
			}
		}
	})
}

// TestFusedGraphReplay records random graphs and runs them with other inputs.
func TestFusedGraphReplay(t *testing.T) {
	enginetest.Each(t, func(t *testing.T, e *ops.Engine) {
		n, steps := graphs(e)
		for seed := range n / 4 {
			seed += 1000
			var read [2][][]float32
			var log []string
			for i, force := range []string{"apart", ""} {
				e.Force("fused", force)
				g := newGraph(t, e, seed)
				a, b := g.inputs(), []*ops.Tensor{}
				for _, x := range a {
					b = append(b, g.fresh(1, x.Shape()...))
				}
				replay, err := e.Record(a, func(in []*ops.Tensor) ([]*ops.Tensor, error) {
					for _, x := range in {
						v, err := x.Reshape(x.Shape()...)
						require.NoError(t, err)
						g.live = append(g.live, v)
					}
					for range steps {
						x := g.pick()
						y, err := g.call(x)
						require.NoError(t, err)
						g.live = append(g.live, y)
						if len(g.live) > 2 && g.r.IntN(4) > 0 {
							g.release(x)
						}
					}
					return g.live, nil
				})
				require.NoError(t, err)
				for _, with := range [][]*ops.Tensor{b, a, b} {
					out, err := replay.Run(with...)
					require.NoError(t, err)
					for _, y := range out {
						v, err := y.Data()
						require.NoError(t, err)
						read[i] = append(read[i], v)
					}
				}
				replay.Release()
				log = g.log
			}
			for i := range read[0] {
				requireBits(t, read[0][i], read[1][i], "seed", seed, "read", i, log)
			}
		}
	})
}
