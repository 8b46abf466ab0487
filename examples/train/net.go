package main

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/kansu-dev/kansu/autograd"
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/safetensors"
	"github.com/kansu-dev/kansu/spec"
)

// net is two convolutions with batch normalization and Mish, each followed by
// max pooling, and a fully connected layer: 8x8 pixels to 10 digits.
type net struct {
	eng     *ops.Engine
	names   []string
	params  map[string]*autograd.Variable
	running [2]*autograd.RunningStats
}

var channels = [3]int{1, 32, 64}

// newNet returns a net with random weights: uniform within 1/sqrt(fan-in), as
// PyTorch initialises these layers.
func newNet(e *ops.Engine, r *rand.Rand) (*net, error) {
	n := &net{eng: e, params: map[string]*autograd.Variable{}}
	uniform := func(fan int) func() float32 {
		b := 1 / math.Sqrt(float64(fan))
		return func() float32 { return float32(b * (2*r.Float64() - 1)) }
	}
	constant := func(v float32) func() float32 { return func() float32 { return v } }
	for i := range 2 {
		in, out := channels[i], channels[i+1]
		prefix := fmt.Sprintf("conv%d", i+1)
		if err := n.add(prefix+".weight", uniform(9*in), out, in, 3, 3); err != nil {
			return nil, err
		}
		if err := n.add(prefix+".bias", uniform(9*in), out); err != nil {
			return nil, err
		}
		norm := fmt.Sprintf("norm%d", i+1)
		if err := n.add(norm+".weight", constant(1), out); err != nil {
			return nil, err
		}
		if err := n.add(norm+".bias", constant(0), out); err != nil {
			return nil, err
		}
		var err error
		if n.running[i], err = autograd.NewRunningStats(e, out); err != nil {
			return nil, err
		}
	}
	features := channels[2] * 2 * 2
	if err := n.add("linear.weight", uniform(features), 10, features); err != nil {
		return nil, err
	}
	return n, n.add("linear.bias", uniform(features), 10)
}

func (n *net) add(name string, draw func() float32, shape ...int) error {
	v := make([]float32, spec.Count(shape))
	for i := range v {
		v[i] = draw()
	}
	x, err := n.eng.Tensor(v, shape...)
	if err != nil {
		return err
	}
	n.names = append(n.names, name)
	n.params[name] = autograd.Param(x)
	return nil
}

// variables returns the parameters in a fixed order.
func (n *net) variables() []*autograd.Variable {
	var all []*autograd.Variable
	for _, name := range n.names {
		all = append(all, n.params[name])
	}
	return all
}

// forward returns the logits of digits x [N, 1, 8, 8].
func (n *net) forward(t *autograd.Tape, x *ops.Tensor) *autograd.Variable {
	h := t.Const(x)
	for i := range 2 {
		conv, norm := fmt.Sprintf("conv%d", i+1), fmt.Sprintf("norm%d", i+1)
		h = t.Conv(h, n.params[conv+".weight"], n.params[conv+".bias"], ops.ConvParams{Padding: []int{1}})
		h = t.BatchNorm(h, n.params[norm+".weight"], n.params[norm+".bias"], n.running[i], ops.BatchNormTrainParams{})
		h = t.Mish(h)
		h = t.MaxPool(h, ops.PoolParams{Kernel: []int{2}})
	}
	return t.Linear(t.Flatten(h, 1, -1), n.params["linear.weight"], n.params["linear.bias"], ops.LinearParams{})
}

// tensors returns everything that a trained net consists of, by name.
func (n *net) tensors() map[string]*ops.Tensor {
	all := map[string]*ops.Tensor{}
	for name, v := range n.params {
		all[name] = v.Value()
	}
	for i, r := range n.running {
		all[fmt.Sprintf("norm%d.running_mean", i+1)], all[fmt.Sprintf("norm%d.running_var", i+1)] = r.Mean, r.Var
	}
	return all
}

// save writes the weights to a safetensors file.
func (n *net) save(path string) error {
	f := &safetensors.File{Tensors: map[string]safetensors.Tensor{}, Metadata: map[string]string{"format": "kansu examples/train"}}
	for name, x := range n.tensors() {
		data, err := x.Data()
		if err != nil {
			return err
		}
		f.Tensors[name] = safetensors.Tensor{Shape: x.Shape(), Data: data}
	}
	return safetensors.Save(path, f)
}

// load replaces the weights by those of a file.
func (n *net) load(path string) error {
	f, err := safetensors.Load(path)
	if err != nil {
		return err
	}
	take := func(name string, shape []int) (*ops.Tensor, error) {
		x, ok := f.Tensors[name]
		if !ok || !spec.EqualShapes(x.Shape, shape) {
			return nil, fmt.Errorf("%s: %s of shape %v is wanted, and the file has %v", path, name, shape, x.Shape)
		}
		return n.eng.Tensor(x.Data, x.Shape...)
	}
	for name, v := range n.params {
		x, err := take(name, v.Shape())
		if err != nil {
			return err
		}
		v.Set(x)
	}
	for i, r := range n.running {
		mean, err := take(fmt.Sprintf("norm%d.running_mean", i+1), r.Mean.Shape())
		if err != nil {
			return err
		}
		variance, err := take(fmt.Sprintf("norm%d.running_var", i+1), r.Var.Shape())
		if err != nil {
			return err
		}
		r.Release()
		r.Mean, r.Var = mean, variance
	}
	return nil
}

// release gives all memory back.
func (n *net) release() {
	for _, v := range n.params {
		v.Release()
	}
	for _, r := range n.running {
		r.Release()
	}
}
