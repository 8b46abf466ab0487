package safetensors

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRoundTrip(t *testing.T) {
	f := &File{
		Tensors: map[string]Tensor{
			"conv.weight": {Shape: []int{2, 3}, Data: []float32{1, -2, float32(math.Inf(1)), 0x1p-149, 5, float32(math.Copysign(0, -1))}},
			"scalar":      {Shape: []int{}, Data: []float32{7}},
			"漢字":          {Shape: []int{1}, Data: []float32{3}},
		},
		Metadata: map[string]string{"format": "kansu"},
	}
	path := filepath.Join(t.TempDir(), "w.safetensors")
	require.NoError(t, Save(path, f))
	g, err := Load(path)
	require.NoError(t, err)
	require.Equal(t, f, g)

	require.ErrorIs(t, Save(path, nil), ErrFormat)
	g, err = Load(path)
	require.NoError(t, err, "what cannot be saved leaves the file as it was")
	require.Equal(t, f, g)
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, entries, 1, "no temporary file is left")

	other := filepath.Join(t.TempDir(), "plain")
	require.NoError(t, os.WriteFile(other, nil, 0o666))
	want, err := os.Stat(other)
	require.NoError(t, err)
	got, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, want.Mode(), got.Mode(), "the rights of any other new file")
}

// file builds a file of a header and a body.
func file(header string, body []byte) []byte {
	var b bytes.Buffer
	_ = binary.Write(&b, binary.LittleEndian, uint64(len(header)))
	b.WriteString(header)
	b.Write(body)
	return b.Bytes()
}

func TestOtherTypes(t *testing.T) {
	f, err := Decode(file(`{"h":{"dtype":"F16","shape":[4],"data_offsets":[0,8]},"b":{"dtype":"BF16","shape":[1],"data_offsets":[8,10]}}`,
		[]byte{0x00, 0x3c, 0x00, 0xc0, 0x01, 0x00, 0x00, 0x7c, 0x80, 0x3f}))
	require.NoError(t, err)
	require.Equal(t, []float32{1, -2, 0x1p-24, float32(math.Inf(1))}, f.Tensors["h"].Data)
	require.Equal(t, []float32{1}, f.Tensors["b"].Data)

	f, err = Decode(file(`{"bn.num_batches_tracked":{"dtype":"I64","shape":[],"data_offsets":[0,8]},"i":{"dtype":"I32","shape":[1],"data_offsets":[8,12]},`+
		`"s":{"dtype":"I16","shape":[1],"data_offsets":[12,14]},"c":{"dtype":"I8","shape":[1],"data_offsets":[14,15]},"t":{"dtype":"BOOL","shape":[2],"data_offsets":[15,17]},`+
		`"u":{"dtype":"U16","shape":[1],"data_offsets":[17,19]},"w":{"dtype":"U32","shape":[1],"data_offsets":[19,23]},"q":{"dtype":"U64","shape":[1],"data_offsets":[23,31]},`+
		`"none":{"dtype":"F32","shape":[0,3],"data_offsets":[31,31]}}`,
		[]byte{57, 48, 0, 0, 0, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff, 0xfd, 0xff, 0xfc, 1, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0x80}))
	require.NoError(t, err)
	for name, want := range map[string][]float32{
		"bn.num_batches_tracked": {12345}, "i": {-2}, "s": {-3}, "c": {-4}, "t": {1, 0}, "u": {65535}, "w": {0x1p32}, "q": {0x1p63}, "none": {},
	} {
		require.Equal(t, want, f.Tensors[name].Data, name)
	}
	var b bytes.Buffer
	require.NoError(t, Encode(&b, f))
	g, err := Decode(b.Bytes())
	require.NoError(t, err)
	require.Equal(t, f, g)
}

func TestDamagedFilesAreRefused(t *testing.T) {
	body := make([]byte, 8)
	for name, raw := range map[string][]byte{
		"empty":           {},
		"short":           {1, 2, 3},
		"header too long": binary.LittleEndian.AppendUint64(nil, 1<<40),
		"header cut":      file(`{"a":`, nil),
		"no object":       file(`[]`, nil),
		"hole":            file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, body),
		"overlap":         file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, body),
		"past the end":    file(`{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}`, body),
		"bytes left":      file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, body),
		"shape and size":  file(`{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}`, body),
		"huge shape":      file(`{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]}}`, body),
		"negative":        file(`{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}`, body),
		"type":            file(`{"a":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,8]}}`, body),
		"unknown field":   file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1}}`, body),
		"twice":           file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, body),
		"metadata":        file(`{"__metadata__":{"a":1}}`, nil),
	} {
		_, err := Decode(raw)
		require.ErrorIs(t, err, ErrFormat, name)
	}
	require.Error(t, Encode(&bytes.Buffer{}, &File{Tensors: map[string]Tensor{"a": {Shape: []int{2}, Data: []float32{1}}}}))
}

func FuzzDecode(f *testing.F) {
	f.Add(file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, make([]byte, 8)))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if g, err := Decode(raw); err == nil {
			var b bytes.Buffer
			require.NoError(t, Encode(&b, g))
		}
	})
}
