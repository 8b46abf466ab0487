package conformance

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// File is one file of cases.
type File struct {
	Format string `json:"format"`
	Suite  string `json:"suite"`  // onnx, webnn or pytorch: whose operators
	Family string `json:"family"` // conv, pool, ...
	Cases  []Case `json:"cases"`
}

// Case is one operator, or a graph of them, with inputs and expected outputs.
type Case struct {
	Name       string     `json:"name"`
	Op         string     `json:"op"` // "Graph" where Nodes says what to compute
	Opset      int        `json:"opset"`
	DTypes     []string   `json:"dtypes"`
	Attrs      Attrs      `json:"attrs"`
	Nodes      []Node     `json:"nodes"`
	Inputs     []*Tensor  `json:"inputs"` // nil: an optional input left out
	Outputs    []*Tensor  `json:"outputs"`
	Tolerance  *Tolerance `json:"tolerance"`
	KnownIssue string     `json:"known_issue"`
}

// Node is one operator of a graph.
type Node struct {
	Op      string   `json:"op"`
	Attrs   Attrs    `json:"attrs"`
	Inputs  []Edge   `json:"inputs"`
	Outputs []string `json:"outputs"`
}

// Edge names a tensor that goes into a node, and in WebNN the parameter that it
// is for. The empty name is an optional input left out.
type Edge struct {
	Name  string `json:"name"`
	Param string `json:"param"`
}

// UnmarshalJSON takes a name, null, or an object with name and param.
func (e *Edge) UnmarshalJSON(raw []byte) error {
	if len(raw) > 0 && raw[0] == '{' {
		type plain Edge
		return json.Unmarshal(raw, (*plain)(e))
	}
	return json.Unmarshal(raw, &e.Name)
}

// Tolerance is what an output may differ by: ULP units in the last place, or
// Abs + Rel*|expected|. Without any it must be equal.
type Tolerance struct {
	Rel float64  `json:"rtol"`
	Abs float64  `json:"atol"`
	ULP *float64 `json:"ulp"`
}

// String prints the tolerance as the files have it.
func (t *Tolerance) String() string {
	switch {
	case t == nil:
		return "exact"
	case t.ULP != nil:
		return fmt.Sprintf("%g ulp", *t.ULP)
	}
	return fmt.Sprintf("rtol %g, atol %g", t.Rel, t.Abs)
}

// Tensor is an array of a file. Floats are in F, integers and truth values in I.
type Tensor struct {
	Name      string
	Param     string
	Role      string
	Shape     []int
	DType     string
	F         []float32
	I         []int64 // uint64 as its bits
	Tolerance *Tolerance
}

// IsFloat reports whether the elements are numbers with a fraction.
func (t *Tensor) IsFloat() bool { return isFloat(t.DType) }

func isFloat(dtype string) bool {
	return strings.HasPrefix(dtype, "float") || strings.HasPrefix(dtype, "bfloat")
}

// UnmarshalJSON reads the tensor and decodes its elements.
func (t *Tensor) UnmarshalJSON(raw []byte) error {
	var in struct {
		Name, Param, Role, DType string
		Shape                    []int
		Data, Fill               json.RawMessage
		B64                      *string
		Tolerance                *Tolerance
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		return err
	}
	*t = Tensor{Name: in.Name, Param: in.Param, Role: in.Role, Shape: in.Shape, DType: in.DType, Tolerance: in.Tolerance}
	n := 1
	for _, s := range t.Shape {
		if s < 0 || s > 0 && n > math.MaxInt32/s {
			return fmt.Errorf("tensor %q: shape %v", t.Name, t.Shape)
		}
		n *= s
	}
	var err error
	switch {
	case in.Data != nil:
		err = t.decodeList(in.Data, n)
	case in.B64 != nil:
		err = t.decodeRaw(*in.B64)
	case in.Fill != nil:
		if err = t.decodeList(append(append([]byte{'['}, in.Fill...), ']'), 1); err == nil {
			t.repeat(n)
		}
	default:
		err = fmt.Errorf("no data, b64 or fill")
	}
	if err == nil && len(t.F)+len(t.I) != n {
		err = fmt.Errorf("shape %v takes %d elements, there are %d", t.Shape, n, len(t.F)+len(t.I))
	}
	if err != nil {
		return fmt.Errorf("tensor %q (%s): %w", t.Name, t.DType, err)
	}
	return nil
}

// decodeList reads a flat JSON list of numbers, truth values, and the names of
// the numbers that JSON lacks. A decimal goes to float32 by way of float64, as
// the files were written; integers never go through a float.
func (t *Tensor) decodeList(raw []byte, n int) error {
	raw = bytes.TrimSpace(raw)
	if len(raw) < 2 || raw[0] != '[' || raw[len(raw)-1] != ']' {
		return fmt.Errorf("data is not a list")
	}
	raw = bytes.TrimSpace(raw[1 : len(raw)-1])
	if len(raw) == 0 {
		return nil
	}
	float := t.IsFloat()
	if n = min(n, len(raw)/2+1); float {
		t.F = make([]float32, 0, n)
	} else {
		t.I = make([]int64, 0, n)
	}
	for len(raw) > 0 {
		var item []byte
		item, raw, _ = bytes.Cut(raw, []byte{','})
		s := strings.Trim(string(bytes.TrimSpace(item)), `"`)
		if float {
			v, err := parseFloat(s)
			if err != nil {
				return err
			}
			t.F = append(t.F, float32(v))
			continue
		}
		v, err := parseInt(s)
		if err != nil {
			return err
		}
		t.I = append(t.I, v)
	}
	return nil
}

func parseFloat(s string) (float64, error) {
	switch s {
	case "NaN":
		return math.NaN(), nil
	case "Infinity":
		return math.Inf(1), nil
	case "-Infinity":
		return math.Inf(-1), nil
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil && !math.IsInf(v, 0) { // a decimal past float64 is an infinity
		return 0, fmt.Errorf("%q is not a number", s)
	}
	return v, nil
}

func parseInt(s string) (int64, error) {
	switch s {
	case "true":
		return 1, nil
	case "false":
		return 0, nil
	}
	if v, err := strconv.ParseInt(s, 10, 64); err == nil {
		return v, nil
	}
	v, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is not an integer", s)
	}
	return int64(v), nil
}

// decodeRaw reads base64 of the little-endian elements.
func (t *Tensor) decodeRaw(b64 string) error {
	raw, err := base64.StdEncoding.DecodeString(b64)
	if err != nil {
		return err
	}
	size := map[string]int{
		"float64": 8, "int64": 8, "uint64": 8, "float32": 4, "int32": 4, "uint32": 4,
		"float16": 2, "bfloat16": 2, "int16": 2, "uint16": 2, "int8": 1, "uint8": 1, "bool": 1,
	}[t.DType]
	if size == 0 || len(raw)%size != 0 {
		return fmt.Errorf("%d bytes are no list of %s", len(raw), t.DType)
	}
	for ; len(raw) > 0; raw = raw[size:] {
		var u uint64
		switch size {
		case 8:
			u = binary.LittleEndian.Uint64(raw)
		case 4:
			u = uint64(binary.LittleEndian.Uint32(raw))
		case 2:
			u = uint64(binary.LittleEndian.Uint16(raw))
		case 1:
			u = uint64(raw[0])
		}
		switch t.DType {
		case "float64":
			t.F = append(t.F, float32(math.Float64frombits(u)))
		case "float32":
			t.F = append(t.F, math.Float32frombits(uint32(u)))
		case "float16":
			t.F = append(t.F, halfToFloat(uint16(u)))
		case "bfloat16":
			t.F = append(t.F, math.Float32frombits(uint32(u)<<16))
		case "int32", "int16", "int8":
			shift := 64 - 8*size
			t.I = append(t.I, int64(u)<<shift>>shift)
		default:
			t.I = append(t.I, int64(u))
		}
	}
	return nil
}

// halfToFloat widens an IEEE 754 binary16.
func halfToFloat(h uint16) float32 {
	sign, exp, frac := float64(1), int(h>>10)&31, float64(h&1023)
	if h>>15 == 1 {
		sign = -1
	}
	switch exp {
	case 0:
		return float32(sign * math.Ldexp(frac, -24))
	case 31:
		if frac != 0 {
			return float32(math.NaN())
		}
		return float32(math.Inf(int(sign)))
	}
	return float32(sign * math.Ldexp(1024+frac, exp-25))
}

func (t *Tensor) repeat(n int) {
	if len(t.F) == 1 {
		v := t.F[0]
		t.F = make([]float32, n)
		for i := range t.F {
			t.F[i] = v
		}
	} else if len(t.I) == 1 {
		v := t.I[0]
		t.I = make([]int64, n)
		for i := range t.I {
			t.I[i] = v
		}
	}
}

// Parse reads a file's content. Other JSON gives no file and no error.
func Parse(raw []byte) (*File, error) {
	var head struct{ Format string }
	if err := json.Unmarshal(raw, &head); err != nil {
		return nil, err
	}
	if head.Format != "conformance-v1" {
		return nil, nil
	}
	f := new(File)
	if err := json.Unmarshal(raw, f); err != nil {
		return nil, err
	}
	return f, nil
}

// Load reads every file of cases in a folder and the folders within it. A
// damaged file, and a folder without any case, is an error.
func Load(dir string) ([]*File, error) {
	var files []*File
	cases := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".json" {
			return err
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		f, err := Parse(raw)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if f != nil {
			files = append(files, f)
			cases += len(f.Cases)
		}
		return nil
	})
	if err == nil && cases == 0 {
		err = fmt.Errorf("no cases of the format conformance-v1 in %s", dir)
	}
	return files, err
}
