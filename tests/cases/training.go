package cases

import (
	"fmt"
	"math/rand/v2"

	"github.com/kansu-dev/kansu/autograd"
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// TrainCase is one whole step of training a network with random weights, for
// timing: forward, cross-entropy, backward, and the optimizer's pass over every
// parameter. It has no oracle.
type TrainCase struct {
	Net   string // resnet50 (224x224, SGD with momentum) or digits (that of examples/train, 8x8, Adam)
	Batch int
}

// Inputs are the images, all parameters with their statistics, the labels, and
// the optimizer's state.
func (c *TrainCase) Inputs() []Input { return c.walk(nil).inputs }

// Call makes the step, and returns the loss and all that the optimizer returned.
func (c *TrainCase) Call(in []*ops.Tensor) ([]*ops.Tensor, error) {
	t := c.walk(in)
	defer t.release()
	return t.out, t.err
}

// Oracle is nil: a step is timed, not checked.
func (c *TrainCase) Oracle([][]float64) []Want { return nil }

// Work counts, for each convolution and fully connected layer, three products of
// the forward's size (of the first layer, which needs no gradient of the images,
// two), and everything that goes in and the new parameters as bytes.
func (c *TrainCase) Work() (flops, bytes float64) {
	t := c.walk(nil)
	for _, in := range t.inputs {
		bytes += bytesOf(in.Shape)
	}
	for _, p := range t.shapes {
		bytes += bytesOf(p)
	}
	return t.flops, bytes
}

// signal is a value on the way through a network: its shape, and the variable
// where there is one.
type signal struct {
	shape []int
	v     *autograd.Variable
}

// training walks through a step. Without tensors it collects the inputs and the
// work; with tensors it makes the calls. One description serves both.
type training struct {
	in     []*ops.Tensor
	next   int
	inputs []Input
	flops  float64
	err    error
	out    []*ops.Tensor

	tape    *autograd.Tape
	params  []*autograd.Variable
	shapes  [][]int // of the parameters
	running []*autograd.RunningStats
}

func (c *TrainCase) walk(in []*ops.Tensor) *training {
	t := &training{in: in}
	if in != nil {
		t.tape = autograd.NewTape(in[0].Engine())
	}
	var classes int
	var y signal
	switch c.Net {
	case "resnet50":
		classes = 1000
		y = t.resNet50(t.images(c.Batch, 3, 224, 224))
	case "digits":
		classes = 10
		y = t.digits(t.images(c.Batch, 1, 8, 8))
	default:
		t.err = fmt.Errorf("no network %q", c.Net)
		return t
	}
	labels := t.input(Input{Shape: []int{c.Batch}, Indices: true, Draw: Uniform(0, float32(classes))})
	t.learn(y, labels, c.Net == "digits")
	return t
}

// ready reports whether calls are to be made.
func (t *training) ready() bool { return t.tape != nil && t.err == nil }

func (t *training) input(i Input) *ops.Tensor {
	t.inputs = append(t.inputs, i)
	if t.in == nil {
		return nil
	}
	t.next++
	return t.in[t.next-1]
}

// view is a handle of its own to an input, for what gives back what it has.
func (t *training) view(i Input) *ops.Tensor {
	x := t.input(i)
	if !t.ready() {
		return nil
	}
	var v *ops.Tensor
	v, t.err = x.Reshape(i.Shape...)
	return v
}

func (t *training) images(shape ...int) signal {
	x := t.input(Input{Shape: shape, Draw: Uniform(-1, 1)})
	if !t.ready() {
		return signal{shape: shape}
	}
	return signal{shape, t.tape.Const(x)}
}

func (t *training) param(i Input) *autograd.Variable {
	t.shapes = append(t.shapes, i.Shape)
	v := t.view(i)
	if v == nil {
		return nil
	}
	p := autograd.Param(v)
	t.params = append(t.params, p)
	return p
}

// do makes a call of the tape.
func (t *training) do(shape []int, call func() *autograd.Variable) signal {
	if !t.ready() {
		return signal{shape: shape}
	}
	return signal{shape, call()}
}

// conv is a convolution, with a bias or not.
func (t *training) conv(x signal, out, kernel, stride, pad int, bias bool) signal {
	in := x.shape[1]
	w := t.param(Input{Shape: []int{out, in, kernel, kernel}, Draw: he(in * kernel * kernel)})
	var b *autograd.Variable
	if bias {
		b = t.param(Input{Shape: []int{out}, Draw: Uniform(-0.1, 0.1)})
	}
	p := ops.ConvParams{Stride: []int{stride}, Padding: []int{pad}}
	g, err := spec.NewConv(x.shape, []int{out, in, kernel, kernel}, nil, p)
	if err != nil {
		t.err = err
		return x
	}
	gradients := 2.0
	if len(t.shapes) <= 2 {
		gradients = 1 // the first layer's
	}
	t.flops += (1 + gradients) * g.Flops()
	return t.do(g.OutShape(), func() *autograd.Variable { return t.tape.Conv(x.v, w, b, p) })
}

// norm is batch normalization, and what it does to its running statistics.
func (t *training) norm(x signal) signal {
	c := []int{x.shape[1]}
	scale := t.param(Input{Shape: c, Draw: Uniform(0.5, 1.5)})
	shift := t.param(Input{Shape: c, Draw: Uniform(-0.1, 0.1)})
	stats := &autograd.RunningStats{Mean: t.view(Input{Shape: c}), Var: t.view(Input{Shape: c, Draw: Uniform(0.5, 1.5)})}
	if t.ready() {
		t.running = append(t.running, stats)
	}
	return t.do(x.shape, func() *autograd.Variable {
		return t.tape.BatchNorm(x.v, scale, shift, stats, ops.BatchNormTrainParams{})
	})
}

func (t *training) relu(x signal) signal {
	return t.do(x.shape, func() *autograd.Variable { return t.tape.ReLU(x.v) })
}

func (t *training) maxPool(x signal, p ops.PoolParams) signal {
	g, err := spec.NewPool(spec.PoolMax, x.shape, 0, p)
	if err != nil {
		t.err = err
		return x
	}
	return t.do(g.OutShape(), func() *autograd.Variable { return t.tape.MaxPool(x.v, p) })
}

// linear flattens x and applies a fully connected layer.
func (t *training) linear(x signal, out int) signal {
	in := spec.Count(x.shape[1:])
	w := t.param(Input{Shape: []int{out, in}, Draw: he(in)})
	b := t.param(Input{Shape: []int{out}, Draw: Uniform(-0.1, 0.1)})
	t.flops += 3 * 2 * float64(x.shape[0]) * float64(in) * float64(out)
	return t.do([]int{x.shape[0], out}, func() *autograd.Variable {
		return t.tape.Linear(t.tape.Flatten(x.v, 1, -1), w, b, ops.LinearParams{})
	})
}

// learn is what follows the forward pass.
func (t *training) learn(y signal, labels *ops.Tensor, adam bool) {
	zero := func(*rand.Rand) float32 { return 0 }
	first := spec.DefaultAdam()
	first.Step = 1
	state := make([][2]*ops.Tensor, len(t.shapes))
	for i, shape := range t.shapes {
		state[i][0] = t.input(Input{Shape: shape, Draw: zero})
		if adam {
			state[i][1] = t.input(Input{Shape: shape, Draw: zero})
		}
	}
	if !t.ready() {
		return
	}
	loss := t.tape.CrossEntropy(y.v, labels, ops.CrossEntropyParams{})
	if t.err = t.tape.Err(); t.err != nil {
		return
	}
	kept, err := loss.Value().Reshape(1) // the tape gives back its own
	if err != nil {
		t.err = err
		return
	}
	t.out = append(t.out, kept)
	if t.err = t.tape.Backward(loss); t.err != nil {
		return
	}
	for i, p := range t.params {
		var w, m, v *ops.Tensor
		if adam {
			w, m, v, err = ops.AdamStep(p.Value(), p.Grad(), state[i][0], state[i][1], nil, first)
		} else {
			w, m, err = ops.SGDStep(p.Value(), p.Grad(), state[i][0], nil, ops.SGDParams{LR: 0.1, Momentum: 0.9, WeightDecay: 1e-4})
		}
		if err != nil {
			t.err = err
			return
		}
		for _, x := range []*ops.Tensor{w, m, v} {
			if x != nil {
				t.out = append(t.out, x)
			}
		}
	}
}

// release gives back what the step held, but for its results.
func (t *training) release() {
	if t.tape != nil {
		t.tape.Release()
	}
	for _, p := range t.params {
		p.Release()
	}
	for _, r := range t.running {
		r.Release()
	}
	if t.err == nil {
		return
	}
	for _, x := range t.out {
		x.Release()
	}
	t.out = nil
}

// digits is the network of examples/train.
func (t *training) digits(x signal) signal {
	for _, out := range []int{32, 64} {
		x = t.norm(t.conv(x, out, 3, 1, 1, true))
		mish := x
		x = t.do(x.shape, func() *autograd.Variable { return t.tape.Mish(mish.v) })
		x = t.maxPool(x, ops.PoolParams{Kernel: []int{2}})
	}
	return t.linear(x, 10)
}

// resNet50 is ResNet-50 (He et al., 2016) as it is trained.
func (t *training) resNet50(x signal) signal {
	x = t.relu(t.norm(t.conv(x, 64, 7, 2, 3, false)))
	x = t.maxPool(x, ops.PoolParams{Kernel: []int{3}, Stride: []int{2}, Padding: []int{1}})
	for stage, blocks := range []int{3, 4, 6, 3} {
		width := 64 << stage
		for i := range blocks {
			stride := 1
			if stage > 0 && i == 0 {
				stride = 2
			}
			y := t.relu(t.norm(t.conv(x, width, 1, 1, 0, false)))
			y = t.relu(t.norm(t.conv(y, width, 3, stride, 1, false)))
			y = t.norm(t.conv(y, 4*width, 1, 1, 0, false))
			if i == 0 {
				x = t.norm(t.conv(x, 4*width, 1, stride, 0, false))
			}
			a, b := y, x
			x = t.relu(t.do(y.shape, func() *autograd.Variable { return t.tape.Add(a.v, b.v) }))
		}
	}
	last := x
	x = t.do([]int{x.shape[0], x.shape[1], 1, 1}, func() *autograd.Variable { return t.tape.GlobalAvgPool(last.v) })
	return t.linear(x, 1000)
}
