// Package keras reads networks in the layers-model form of Keras and
// TensorFlow.js, as far as the tests need it: a topology in JSON, one file of
// float32 weights, and the layers of a convolutional network.
package keras

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// Model is a network and its weights.
type Model struct {
	layers  []layer
	output  string
	weights map[string]weight
}

type weight struct {
	shape []int
	data  []float32
}

type layer struct {
	Class  string `json:"class_name"`
	Name   string
	Config struct {
		Padding       string
		Strides       []int
		DilationRate  []int `json:"dilation_rate"`
		Groups        int
		Activation    string
		Interpolation string
		Size          []int
	}
	Inbound [][][]any `json:"inbound_nodes"`
}

// Read reads model.json and the weights beside it.
func Read(path string) (*Model, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var file struct {
		ModelTopology struct {
			Config struct {
				Config struct {
					Layers []layer
					Output [][]any `json:"output_layers"`
				}
			} `json:"model_config"`
		}
		WeightsManifest []struct {
			Paths   []string
			Weights []struct {
				Name, DType string
				Shape       []int
			}
		}
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	net := file.ModelTopology.Config.Config
	if len(net.Output) != 1 || len(file.WeightsManifest) != 1 || len(file.WeightsManifest[0].Paths) != 1 {
		return nil, fmt.Errorf("%s: want one output and one file of weights", path)
	}
	m := &Model{layers: net.Layers, output: fmt.Sprint(net.Output[0][0]), weights: map[string]weight{}}
	manifest := file.WeightsManifest[0]
	data, err := os.ReadFile(filepath.Join(filepath.Dir(path), manifest.Paths[0]))
	if err != nil {
		return nil, err
	}
	for _, w := range manifest.Weights {
		n := 4 * spec.Count(w.Shape)
		if w.DType != "float32" || len(data) < n {
			return nil, fmt.Errorf("%s: weight %s of %s", path, w.Name, w.DType)
		}
		v := make([]float32, n/4)
		if err := binary.Read(bytes.NewReader(data[:n]), binary.LittleEndian, v); err != nil {
			return nil, err
		}
		m.weights[w.Name], data = weight{w.Shape, v}, data[n:]
	}
	return m, nil
}

// Run computes the network for x [N, C, H, W]; the layers' data is channels last
// in Keras, and channels first here.
func (m *Model) Run(e *ops.Engine, x *ops.Tensor) (*ops.Tensor, error) {
	values := map[string]*ops.Tensor{}
	for _, l := range m.layers {
		var in []*ops.Tensor
		if len(l.Inbound) > 0 {
			for _, from := range l.Inbound[0] {
				in = append(in, values[fmt.Sprint(from[0])])
			}
		}
		y, err := m.layer(e, l, x, in)
		if err != nil {
			return nil, fmt.Errorf("layer %s: %w", l.Name, err)
		}
		values[l.Name] = y
	}
	return values[m.output], nil
}

func (m *Model) layer(e *ops.Engine, l layer, x *ops.Tensor, in []*ops.Tensor) (*ops.Tensor, error) {
	if l.Class == "InputLayer" {
		return x, nil
	}
	if len(in) == 0 {
		return nil, fmt.Errorf("%s without an input", l.Class)
	}
	switch l.Class {
	case "Conv2D":
		return m.conv(e, l, in[0])
	case "Activation":
		return activate(l.Config.Activation, in[0])
	case "Concatenate":
		return ops.Concat(1, in...)
	case "Add":
		y := in[0]
		for _, z := range in[1:] {
			var err error
			if y, err = ops.Add(y, z); err != nil {
				return nil, err
			}
		}
		return y, nil
	case "UpSampling2D":
		if l.Config.Interpolation != "nearest" {
			return nil, fmt.Errorf("interpolation %q", l.Config.Interpolation)
		}
		return ops.Upsample(in[0], ops.UpsampleParams{Scale: []float64{float64(l.Config.Size[0]), float64(l.Config.Size[1])}})
	}
	return nil, fmt.Errorf("class %s is not read", l.Class)
}

func (m *Model) conv(e *ops.Engine, l layer, x *ops.Tensor) (*ops.Tensor, error) {
	k, b := m.weights[l.Name+"/kernel"], m.weights[l.Name+"/bias"]
	w, err := e.Tensor(k.data, k.shape...)
	if err != nil {
		return nil, err
	}
	if w, err = ops.Transpose(w, 3, 2, 0, 1); err != nil { // [h, w, in, out] to [out, in, h, w]
		return nil, err
	}
	bias, err := e.Tensor(b.data, b.shape...)
	if err != nil {
		return nil, err
	}
	p := ops.ConvParams{Stride: l.Config.Strides, Dilation: l.Config.DilationRate, Groups: l.Config.Groups}
	if l.Config.Padding == "same" {
		p.AutoPad = spec.SameUpper
	}
	y, err := ops.Conv(x, w, bias, p)
	if err != nil {
		return nil, err
	}
	return activate(l.Config.Activation, y)
}

func activate(name string, x *ops.Tensor) (*ops.Tensor, error) {
	if name == "linear" {
		return x, nil
	}
	f, err := spec.ParsePointwise(name)
	if err != nil {
		return nil, err
	}
	return ops.Pointwise(x, f.Default())
}
