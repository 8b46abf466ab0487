// Package onnx reads the models and tensors of ONNX files as far as the tests
// need them: the graph, its attributes and its weights, from the protobuf wire
// format that onnx.proto describes.
package onnx

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/kansu-dev/kansu/tests/conformance"
)

// Model is a network: its graph, and what its files say goes in and comes out.
type Model struct {
	conformance.Graph
	Weights map[string]*conformance.Value
	Inputs  []string // those that are not weights
	Outputs []string
}

// Read reads a model's file.
func Read(path string) (*Model, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	m := &Model{Weights: map[string]*conformance.Value{}}
	err = fields(raw, func(f field) error {
		switch f.num {
		case 7: // ModelProto.graph
			return m.graph(f.bytes)
		case 8: // ModelProto.opset_import
			return m.opset(f.bytes)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if m.Opset == 0 {
		m.Opset = 1
	}
	return m, nil
}

// ReadTensor reads a file with a single tensor.
func ReadTensor(path string) (*conformance.Value, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	t, err := readTensor(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return t.value()
}

// field is one field of a message: a number or bytes, by its wire type.
type field struct {
	num   protowire.Number
	u     uint64
	bytes []byte
}

func (f field) float() float32 { return math.Float32frombits(uint32(f.u)) }

// fields calls visit for each field of a message.
func fields(raw []byte, visit func(field) error) error {
	for len(raw) > 0 {
		num, typ, n := protowire.ConsumeTag(raw)
		if n < 0 {
			return protowire.ParseError(n)
		}
		raw = raw[n:]
		f := field{num: num}
		switch typ {
		case protowire.VarintType:
			f.u, n = protowire.ConsumeVarint(raw)
		case protowire.Fixed32Type:
			var v uint32
			v, n = protowire.ConsumeFixed32(raw)
			f.u = uint64(v)
		case protowire.Fixed64Type:
			f.u, n = protowire.ConsumeFixed64(raw)
		case protowire.BytesType:
			f.bytes, n = protowire.ConsumeBytes(raw)
		default:
			n = protowire.ConsumeFieldValue(num, typ, raw)
		}
		if n < 0 {
			return protowire.ParseError(n)
		}
		raw = raw[n:]
		if err := visit(f); err != nil {
			return err
		}
	}
	return nil
}

// varints appends the numbers of a repeated field, packed or not.
func varints(to []int64, f field) ([]int64, error) {
	if f.bytes == nil {
		return append(to, int64(f.u)), nil
	}
	for b := f.bytes; len(b) > 0; {
		v, n := protowire.ConsumeVarint(b)
		if n < 0 {
			return to, protowire.ParseError(n)
		}
		to, b = append(to, int64(v)), b[n:]
	}
	return to, nil
}

// floats appends the numbers of a repeated float field, packed or not.
func floats(to []float32, f field) []float32 {
	if f.bytes == nil {
		return append(to, f.float())
	}
	for b := f.bytes; len(b) >= 4; b = b[4:] {
		to = append(to, math.Float32frombits(binary.LittleEndian.Uint32(b)))
	}
	return to
}

func (m *Model) opset(raw []byte) error {
	domain, version := "", 0
	err := fields(raw, func(f field) error {
		switch f.num {
		case 1:
			domain = string(f.bytes)
		case 2:
			version = int(f.u)
		}
		return nil
	})
	if domain == "" {
		m.Opset = version
	}
	return err
}

func (m *Model) graph(raw []byte) error {
	var inputs []string
	err := fields(raw, func(f field) error {
		switch f.num {
		case 1: // GraphProto.node
			n, err := node(f.bytes)
			m.Nodes = append(m.Nodes, n)
			return err
		case 5: // initializer
			t, err := readTensor(f.bytes)
			if err != nil {
				return err
			}
			m.Weights[t.name], err = t.value()
			return err
		case 11: // input
			inputs = append(inputs, name(f.bytes))
		case 12: // output
			m.Outputs = append(m.Outputs, name(f.bytes))
		}
		return nil
	})
	for _, in := range inputs {
		if m.Weights[in] == nil {
			m.Inputs = append(m.Inputs, in)
		}
	}
	return err
}

// name returns the first field of a ValueInfoProto.
func name(raw []byte) (s string) {
	_ = fields(raw, func(f field) error {
		if f.num == 1 {
			s = string(f.bytes)
		}
		return nil
	})
	return s
}

func node(raw []byte) (conformance.Node, error) {
	n := conformance.Node{Attrs: conformance.Attrs{}}
	err := fields(raw, func(f field) error {
		switch f.num {
		case 1:
			n.Inputs = append(n.Inputs, conformance.Edge{Name: string(f.bytes)})
		case 2:
			n.Outputs = append(n.Outputs, string(f.bytes))
		case 4:
			n.Op = string(f.bytes)
		case 5:
			return attribute(f.bytes, n.Attrs)
		}
		return nil
	})
	return n, err
}

// attribute adds an AttributeProto to the attributes of a node.
func attribute(raw []byte, to conformance.Attrs) error {
	var key string
	var value any
	var ints []int64
	var list []float32
	err := fields(raw, func(f field) (err error) {
		switch f.num {
		case 1:
			key = string(f.bytes)
		case 2:
			value = f.float()
		case 3:
			value = int64(f.u)
		case 4:
			value = string(f.bytes)
		case 5:
			var t *tensor
			if t, err = readTensor(f.bytes); err == nil {
				value = t.json()
			}
		case 7:
			list = floats(list, f)
		case 8:
			ints, err = varints(ints, f)
		}
		return err
	})
	if err != nil {
		return err
	}
	switch {
	case ints != nil:
		value = ints
	case list != nil:
		value = list
	}
	to[key], err = json.Marshal(value)
	return err
}

// tensor is a TensorProto, its elements as raw little-endian bytes.
type tensor struct {
	name  string
	shape []int
	dtype string
	raw   []byte
}

func readTensor(raw []byte) (*tensor, error) {
	t := &tensor{shape: []int{}}
	var dims, ints []int64
	var list []float32
	err := fields(raw, func(f field) (err error) {
		switch f.num {
		case 1:
			dims, err = varints(dims, f)
		case 2:
			t.dtype = map[uint64]string{1: "float32", 6: "int32", 7: "int64", 11: "float64"}[f.u]
			if t.dtype == "" {
				err = fmt.Errorf("element type %d is not read", f.u)
			}
		case 4:
			list = floats(list, f)
		case 5, 7:
			ints, err = varints(ints, f)
		case 8:
			t.name = string(f.bytes)
		case 9:
			t.raw = f.bytes
		}
		return err
	})
	for _, d := range dims {
		t.shape = append(t.shape, int(d))
	}
	for _, v := range list {
		t.raw = binary.LittleEndian.AppendUint32(t.raw, math.Float32bits(v))
	}
	for _, v := range ints {
		if t.dtype == "int32" {
			t.raw = binary.LittleEndian.AppendUint32(t.raw, uint32(v))
		} else {
			t.raw = binary.LittleEndian.AppendUint64(t.raw, uint64(v))
		}
	}
	return t, err
}

// json returns the tensor in the form of conformance-v1.
func (t *tensor) json() any {
	return map[string]any{
		"name": t.name, "shape": t.shape, "dtype": t.dtype, "b64": base64.StdEncoding.EncodeToString(t.raw),
	}
}

func (t *tensor) value() (*conformance.Value, error) {
	raw, err := json.Marshal(t.json())
	if err != nil {
		return nil, err
	}
	var c conformance.Tensor
	if err := json.Unmarshal(raw, &c); err != nil {
		return nil, err
	}
	return c.Value(), nil
}
