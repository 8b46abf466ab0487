package conformance

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kansu-dev/kansu/internal/enginetest"
	"github.com/kansu-dev/kansu/ops"
)

// TestByHand runs cases that were worked out by hand from the specifications:
// attributes, defaults and versions that tell operators apart.
func TestByHand(t *testing.T) {
	files, err := Load("testdata")
	require.NoError(t, err)
	enginetest.Each(t, func(t *testing.T, e *ops.Engine) {
		for _, f := range files {
			for i := range f.Cases {
				out := Run(e, f.Suite, &f.Cases[i])
				assert.Equal(t, Passed, out.Status, "%s: %s: %v%s", f.Suite, f.Cases[i].Name, out.Err, out.Reason)
			}
		}
		assert.Zero(t, e.Stats().LiveTensors)
	})
}

func TestTensorForms(t *testing.T) {
	read := func(text string) (Tensor, error) {
		var x Tensor
		err := json.Unmarshal([]byte(text), &x)
		return x, err
	}
	x, err := read(`{"name":"a","shape":[6],"dtype":"float32","data":[1, -0.0,"NaN","Infinity","-Infinity",1e-45]}`)
	require.NoError(t, err)
	assert.Equal(t, float32(1), x.F[0])
	assert.True(t, math.Signbit(float64(x.F[1])))
	assert.True(t, math.IsNaN(float64(x.F[2])))
	assert.True(t, math.IsInf(float64(x.F[3]), 1))
	assert.True(t, math.IsInf(float64(x.F[4]), -1))
	assert.Equal(t, float32(math.SmallestNonzeroFloat32), x.F[5])

	x, err = read(`{"shape":[2,2],"dtype":"float32","fill":2.5}`)
	require.NoError(t, err)
	assert.Equal(t, []float32{2.5, 2.5, 2.5, 2.5}, x.F)

	x, err = read(`{"shape":[],"dtype":"int64","data":[9007199254740993]}`)
	require.NoError(t, err)
	assert.Equal(t, []int64{9007199254740993}, x.I, "an integer must not pass through a float")
	x, err = read(`{"shape":[2],"dtype":"uint64","data":[18446744073709551615, 1]}`)
	require.NoError(t, err)
	assert.Equal(t, []int64{-1, 1}, x.I)
	x, err = read(`{"shape":[2],"dtype":"bool","data":[true,false]}`)
	require.NoError(t, err)
	assert.Equal(t, []int64{1, 0}, x.I)

	for dtype, c := range map[string]struct {
		raw  []byte
		want any
	}{
		"float32":  {[]byte{0, 0, 0x80, 0xbf}, float32(-1)},
		"float64":  {[]byte{0, 0, 0, 0, 0, 0, 0xf8, 0x3f}, float32(1.5)},
		"float16":  {[]byte{0x00, 0xc2}, float32(-3)},
		"bfloat16": {[]byte{0x80, 0x3f}, float32(1)},
		"int8":     {[]byte{0xff}, int64(-1)},
		"uint8":    {[]byte{0xff}, int64(255)},
		"int32":    {[]byte{0xfe, 0xff, 0xff, 0xff}, int64(-2)},
	} {
		x, err := read(`{"shape":[1],"dtype":"` + dtype + `","b64":"` + base64.StdEncoding.EncodeToString(c.raw) + `"}`)
		require.NoError(t, err, dtype)
		if x.IsFloat() {
			assert.Equal(t, c.want, x.F[0], dtype)
		} else {
			assert.Equal(t, c.want, x.I[0], dtype)
		}
	}

	for name, text := range map[string]string{
		"too few":        `{"shape":[2],"dtype":"float32","data":[1]}`,
		"no data":        `{"shape":[1],"dtype":"float32"}`,
		"no list":        `{"shape":[1],"dtype":"float32","data":1}`,
		"no number":      `{"shape":[1],"dtype":"float32","data":["x"]}`,
		"no integer":     `{"shape":[1],"dtype":"int64","data":[1.5]}`,
		"huge shape":     `{"shape":[4294967296,4294967296],"dtype":"float32","data":[]}`,
		"negative shape": `{"shape":[-1],"dtype":"float32","data":[]}`,
		"half an item":   `{"shape":[1],"dtype":"float32","b64":"AAA="}`,
		"unknown dtype":  `{"shape":[1],"dtype":"float8","b64":"AAAA"}`,
	} {
		_, err := read(text)
		assert.Error(t, err, name)
	}
}

func TestTolerances(t *testing.T) {
	ulp := func(n float64) *Tolerance { return &Tolerance{ULP: &n} }
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	next := math.Nextafter32(1, 2)
	for _, c := range []struct {
		name      string
		tol       *Tolerance
		got, want float32
		passes    bool
	}{
		{"equal", nil, 1, 1, true},
		{"exact", nil, next, 1, false},
		{"zeros", ulp(0), float32(math.Copysign(0, -1)), 0, true},
		{"NaN equals NaN", ulp(0), nan, nan, true},
		{"NaN is no number", &Tolerance{Abs: 1e9}, nan, 1, false},
		{"a number is not NaN", &Tolerance{Abs: 1e9}, 1, nan, false},
		{"one ulp", ulp(1), next, 1, true},
		{"two ulp", ulp(1), math.Nextafter32(next, 2), 1, false},
		{"ulp across zero", ulp(2), math.SmallestNonzeroFloat32, -math.SmallestNonzeroFloat32, true},
		{"ulp to infinity", ulp(1), math.MaxFloat32, inf, true},
		{"infinities", &Tolerance{Rel: 1}, inf, -inf, false},
		{"infinity is not large", &Tolerance{Rel: 1}, math.MaxFloat32, inf, false},
		{"relative", &Tolerance{Rel: 1e-3}, 1000.9, 1000, true},
		{"beyond relative", &Tolerance{Rel: 1e-3}, 1001.1, 1000, false},
		{"absolute", &Tolerance{Abs: 1e-3}, 0.0009, 0, true},
		{"the sum of both", &Tolerance{Abs: 1, Rel: 1e-3}, 1001.9, 1000, true},
	} {
		assert.Equal(t, c.passes, c.tol.excess(c.got, c.want) <= 1, c.name)
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	_, err := Load(dir)
	assert.ErrorContains(t, err, "no cases")
	write("deep/er/a.json", `{"format":"conformance-v1","suite":"onnx","family":"f","cases":[{"name":"c","op":"Relu","opset":9,"dtypes":["float32"],"attrs":{},"inputs":[{"name":"x","shape":[1],"dtype":"float32","data":[-1]}],"outputs":[{"name":"y","shape":[1],"dtype":"float32","data":[0]}]}]}`)
	write("other.json", `{"format":"something else"}`)
	write("text.txt", `not JSON`)
	files, err := Load(dir)
	require.NoError(t, err)
	require.Len(t, files, 1)
	require.Len(t, files[0].Cases, 1)
	write("damaged.json", `{"format":"conformance-v1", "cases":[{]}`)
	_, err = Load(dir)
	assert.ErrorContains(t, err, "damaged.json")
}

func TestReport(t *testing.T) {
	e, err := ops.Open(ops.WithAdapter("cpu"))
	require.NoError(t, err)
	defer e.Close()
	text := `{"format":"conformance-v1","suite":"onnx","family":"f","cases":[
		{"name":"right","op":"Relu","opset":9,"dtypes":["float32"],"inputs":[{"shape":[1],"dtype":"float32","data":[-1]}],"outputs":[{"shape":[1],"dtype":"float32","data":[0]}]},
		{"name":"wrong","op":"Relu","opset":9,"dtypes":["float32"],"inputs":[{"shape":[2],"dtype":"float32","data":[-1,2]}],"outputs":[{"name":"y","shape":[2],"dtype":"float32","data":[0,3]}],"tolerance":{"rtol":0.001,"atol":0}},
		{"name":"bad call","op":"Conv","opset":9,"dtypes":["float32"],"inputs":[{"shape":[1],"dtype":"float32","data":[-1]},{"shape":[1],"dtype":"float32","data":[1]}],"outputs":[]},
		{"name":"no input","op":"Relu","opset":9,"dtypes":["float32"],"inputs":[null],"outputs":[]},
		{"name":"issue","op":"Relu","known_issue":"wrong","dtypes":["float32"],"inputs":[],"outputs":[]},
		{"name":"half","op":"Relu","dtypes":["float16"],"inputs":[],"outputs":[]},
		{"name":"other","op":"NonMaxSuppression","dtypes":["float32"],"inputs":[],"outputs":[]}]}`
	f, err := Parse([]byte(text))
	require.NoError(t, err)
	var w strings.Builder
	n := RunAll(&w, e, []*File{f})
	assert.Equal(t, Count{1, 3, 3}, n)
	assert.Equal(t, "1 passed, 3 failed, 3 skipped", n.String())
	for _, part := range []string{
		`FAIL onnx/f "wrong" (Relu): output y: 1 of 2 elements are off; worst is element 1 of [2]: got 2, want 3`,
		"rtol 0.001, atol 0",
		`"bad call" (Conv): ops.Conv: `,
		`"no input" (Relu): Relu: input 0 is missing`,
		"skipped    1: known issue of the suite",
		"skipped    1: element type float16",
		"skipped    1: outside of the design: operator NonMaxSuppression",
	} {
		assert.Contains(t, w.String(), part)
	}
}

// large matches numbers that make sizes which only take time and memory.
var large = regexp.MustCompile(`[0-9]{3}|[0-9.][eE]|"fill"|"b64"|[^.0-9][0-9]{2}.*[^.0-9][0-9]{2}.*[^.0-9][0-9]{2}`)

// FuzzParse: a damaged file is an error, never a panic, and its cases can be run
// without one.
func FuzzParse(f *testing.F) {
	for _, suite := range []string{"onnx", "webnn", "pytorch"} {
		raw, err := os.ReadFile(filepath.Join("testdata", suite+".json"))
		require.NoError(f, err)
		file, err := Parse(raw)
		require.NoError(f, err)
		var each struct{ Cases []json.RawMessage }
		require.NoError(f, json.Unmarshal(raw, &each))
		require.Len(f, each.Cases, len(file.Cases))
		for _, c := range each.Cases {
			f.Add(suite, string(c))
		}
	}
	e, err := ops.Open(ops.WithAdapter("cpu"))
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, suite, text string) {
		var c Case
		if large.MatchString(text) || json.Unmarshal([]byte(text), &c) != nil {
			return
		}
		require.NotErrorIs(t, Run(e, suite, &c).Err, errPanic)
	})
}
