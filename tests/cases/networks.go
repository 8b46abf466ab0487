package cases

import (
	"fmt"
	"math"

	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// NetworkCase is the forward pass of a whole network with random weights, for
// timing. It has no oracle.
type NetworkCase struct {
	Net   string // resnet50, resnet50_bn, vgg19 or squeezenet
	Batch int
}

// Inputs are the image and all weights, in the order in which they are used.
func (c *NetworkCase) Inputs() []Input { return c.walk(nil).inputs }

// Call runs the network.
func (c *NetworkCase) Call(in []*ops.Tensor) ([]*ops.Tensor, error) {
	b := c.walk(in)
	if b.err != nil {
		return nil, b.err
	}
	return []*ops.Tensor{b.last.t}, nil
}

// Oracle is nil: a network is timed, not checked.
func (c *NetworkCase) Oracle([][]float64) []Want { return nil }

// Work counts the operations of convolutions and fully connected layers, and
// image, weights and result as bytes.
func (c *NetworkCase) Work() (flops, bytes float64) {
	b := c.walk(nil)
	for _, in := range b.inputs {
		bytes += bytesOf(in.Shape)
	}
	return b.flops, bytes + bytesOf(b.last.shape)
}

// flow is a tensor within a network: its shape, and its value when it runs.
type flow struct {
	shape []int
	t     *ops.Tensor
	leaf  bool // an input, which is not the builder's to release
}

// builder walks through a network. Without tensors it collects the inputs'
// shapes and the work; with tensors it makes the calls. One description serves
// both, so that they cannot differ.
type builder struct {
	in     []*ops.Tensor
	next   int
	inputs []Input
	flops  float64
	last   flow
	norm   bool // convolutions are followed by batch normalization, and have no bias
	err    error
}

func (c *NetworkCase) walk(in []*ops.Tensor) *builder {
	b := &builder{in: in}
	x := b.input(Input{Shape: []int{c.Batch, 3, 224, 224}, Draw: Uniform(-1, 1)})
	switch c.Net {
	case "resnet50":
		b.last = resNet50(b, x)
	case "resnet50_bn":
		b.norm = true
		b.last = resNet50(b, x)
	case "vgg19":
		b.last = vgg19(b, x)
	case "squeezenet":
		b.last = squeezeNet(b, x)
	default:
		b.err = fmt.Errorf("no network %q", c.Net)
	}
	return b
}

func (b *builder) input(i Input) flow {
	b.inputs = append(b.inputs, i)
	f := flow{shape: i.Shape, leaf: true}
	if b.in != nil {
		f.t = b.in[b.next]
		b.next++
	}
	return f
}

// weight is an input drawn by he.
func (b *builder) weight(fan int, shape ...int) flow {
	return b.input(Input{Shape: shape, Draw: he(fan)})
}

// he draws weights of that many inputs such that activations keep their size (He
// et al., 2015).
func he(fan int) Draw {
	r := float32(math.Sqrt(6 / float64(fan)))
	return Uniform(-r, r)
}

// do makes a call, unless the builder only collects or has failed, and releases
// the inputs that nothing reads any more.
func (b *builder) do(shape []int, call func() (*ops.Tensor, error), done ...flow) flow {
	y := flow{shape: shape}
	if b.in == nil || b.err != nil {
		return y
	}
	y.t, b.err = call()
	for _, f := range done {
		if !f.leaf {
			f.t.Release()
		}
	}
	return y
}

// conv is a convolution and, each by a call of its own as one writes them, batch
// normalization where the network has it and ReLU where act says so. keep leaves
// x for another reader.
func (b *builder) conv(x flow, out, kernel, stride, pad int, act, keep bool) flow {
	in := x.shape[1]
	w := b.weight(in*kernel*kernel, out, in, kernel, kernel)
	var bias flow
	if !b.norm {
		bias = b.input(Input{Shape: []int{out}, Draw: Uniform(-0.1, 0.1)})
	}
	p := ops.ConvParams{Stride: []int{stride}, Padding: []int{pad}}
	g, err := spec.NewConv(x.shape, w.shape, bias.shape, p)
	if err != nil {
		b.err = err
		return x
	}
	b.flops += g.Flops()
	done := []flow{x}
	if keep {
		done = nil
	}
	y := b.do(g.OutShape(), func() (*ops.Tensor, error) { return ops.Conv(x.t, w.t, bias.t, p) }, done...)
	if b.norm {
		y = b.batchNorm(y)
	}
	if act {
		y = b.relu(y)
	}
	return y
}

// batchNorm is batch normalization in evaluation.
func (b *builder) batchNorm(x flow) flow {
	var with [4]flow // mean, variance, scale, shift
	for i, draw := range []Draw{Uniform(-0.1, 0.1), Uniform(0.9, 1.1), Uniform(0.9, 1.1), Uniform(-0.1, 0.1)} {
		with[i] = b.input(Input{Shape: x.shape[1:2], Draw: draw})
	}
	return b.do(x.shape, func() (*ops.Tensor, error) {
		return ops.BatchNorm(x.t, with[0].t, with[1].t, with[2].t, with[3].t, ops.BatchNormParams{})
	}, x)
}

func (b *builder) relu(x flow) flow {
	return b.do(x.shape, func() (*ops.Tensor, error) { return ops.ReLU(x.t) }, x)
}

func (b *builder) maxPool(x flow, kernel, stride, pad int) flow {
	p := ops.PoolParams{Kernel: []int{kernel}, Stride: []int{stride}, Padding: []int{pad}}
	g, err := spec.NewPool(spec.PoolMax, x.shape, 0, p)
	if err != nil {
		b.err = err
		return x
	}
	return b.do(g.OutShape(), func() (*ops.Tensor, error) { return ops.MaxPool(x.t, p) }, x)
}

// linear flattens x and applies a fully connected layer.
func (b *builder) linear(x flow, out int) flow {
	in := spec.Count(x.shape[1:])
	w := b.weight(in, out, in)
	bias := b.input(Input{Shape: []int{out}, Draw: Uniform(-0.1, 0.1)})
	b.flops += 2 * float64(x.shape[0]) * float64(in) * float64(out)
	return b.do([]int{x.shape[0], out}, func() (*ops.Tensor, error) {
		flat, err := x.t.Reshape(x.shape[0], in)
		if err != nil {
			return nil, err
		}
		defer flat.Release()
		return ops.Linear(flat, w.t, bias.t, ops.LinearParams{})
	}, x)
}

func (b *builder) globalAvgPool(x flow) flow {
	return b.do([]int{x.shape[0], x.shape[1], 1, 1}, func() (*ops.Tensor, error) { return ops.GlobalAvgPool(x.t) }, x)
}

// addReLU returns max(0, x+y).
func (b *builder) addReLU(x, y flow) flow {
	sum := b.do(x.shape, func() (*ops.Tensor, error) { return ops.Add(x.t, y.t) }, x, y)
	return b.relu(sum)
}

func (b *builder) concat(x, y flow) flow {
	shape := []int{x.shape[0], x.shape[1] + y.shape[1], x.shape[2], x.shape[3]}
	return b.do(shape, func() (*ops.Tensor, error) { return ops.Concat(1, x.t, y.t) }, x, y)
}

// resNet50 is ResNet-50 (He et al., 2016), with batch normalization or with that
// folded into the convolutions.
func resNet50(b *builder, x flow) flow {
	x = b.maxPool(b.conv(x, 64, 7, 2, 3, true, false), 3, 2, 1)
	for stage, blocks := range []int{3, 4, 6, 3} {
		width := 64 << stage
		for i := range blocks {
			stride := 1
			if stage > 0 && i == 0 {
				stride = 2
			}
			y := b.conv(x, width, 1, 1, 0, true, true)
			y = b.conv(y, width, 3, stride, 1, true, false)
			y = b.conv(y, 4*width, 1, 1, 0, false, false)
			if i == 0 {
				x = b.conv(x, 4*width, 1, stride, 0, false, false)
			}
			x = b.addReLU(y, x)
		}
	}
	return b.linear(b.globalAvgPool(x), 1000)
}

// vgg19 is VGG-19 (Simonyan, Zisserman, 2015).
func vgg19(b *builder, x flow) flow {
	for stage, layers := range []int{2, 2, 4, 4, 4} {
		for range layers {
			x = b.conv(x, min(64<<stage, 512), 3, 1, 1, true, false)
		}
		x = b.maxPool(x, 2, 2, 0)
	}
	x = b.relu(b.linear(x, 4096))
	x = b.relu(b.linear(x, 4096))
	return b.linear(x, 1000)
}

// squeezeNet is SqueezeNet 1.0 (Iandola et al., 2016).
func squeezeNet(b *builder, x flow) flow {
	x = b.maxPool(b.conv(x, 96, 7, 2, 0, true, false), 3, 2, 0)
	for i, squeeze := range []int{16, 16, 32, 32, 48, 48, 64, 64} {
		if i == 3 || i == 7 {
			x = b.maxPool(x, 3, 2, 0)
		}
		s := b.conv(x, squeeze, 1, 1, 0, true, false)
		wide := b.conv(s, 4*squeeze, 1, 1, 0, true, true)
		x = b.concat(wide, b.conv(s, 4*squeeze, 3, 1, 1, true, false))
	}
	return b.globalAvgPool(b.conv(x, 1000, 1, 1, 0, true, false))
}
