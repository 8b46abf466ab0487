// Package safetensors reads and writes weights in the safetensors format
// (github.com/huggingface/safetensors): eight bytes with the header's length,
// little endian, a JSON header that names each tensor's type, shape and place,
// and the raw numbers, without gaps.
//
// A file is checked as a whole before anything of it is used; one that is
// damaged, or that was made to mislead, is refused with an error that says what
// is wrong (ErrFormat).
package safetensors

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"sort"

	"github.com/kansu-dev/kansu/spec"
)

// ErrFormat marks a file that is not a sound safetensors file.
var ErrFormat = errors.New("not a sound safetensors file")

// Tensor is one named array.
type Tensor struct {
	Shape []int
	Data  []float32 // row-major
}

// File is the contents of a file.
type File struct {
	Tensors  map[string]Tensor
	Metadata map[string]string // free text; may be nil
}

// maxHeader is the length of a header beyond which the format's own reader
// refuses a file.
const maxHeader = 100 << 20

// entry is a tensor in the header.
type entry struct {
	DType   string    `json:"dtype"`
	Shape   []int     `json:"shape"`
	Offsets [2]uint64 `json:"data_offsets"`
}

const metadataKey = "__metadata__"

// Load reads a file. All numbers become float32, which holds F32, F16, BF16, BOOL
// and integers of up to 2^24 exactly; others are rounded. (PyTorch saves a count of
// type I64 with every batch normalization.) Types of 8-bit floats are refused.
func Load(path string) (*File, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	f, err := Decode(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

// Decode reads the contents of a file; see Load.
func Decode(raw []byte) (*File, error) {
	if len(raw) < 8 {
		return nil, fmt.Errorf("%w: %d bytes are too few for a header", ErrFormat, len(raw))
	}
	n := binary.LittleEndian.Uint64(raw)
	if n > maxHeader || n > uint64(len(raw)-8) {
		return nil, fmt.Errorf("%w: the header claims %d bytes of a file of %d", ErrFormat, n, len(raw))
	}
	header, body := raw[8:8+n], raw[8+n:]
	if len(header) == 0 || header[0] != '{' {
		return nil, fmt.Errorf("%w: the header does not begin with {", ErrFormat)
	}
	if err := refuseDuplicates(header); err != nil {
		return nil, err
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(header, &fields); err != nil {
		return nil, fmt.Errorf("%w: the header is no JSON: %v", ErrFormat, err)
	}
	f := &File{Tensors: map[string]Tensor{}}
	entries := map[string]entry{}
	for name, field := range fields {
		if name == metadataKey {
			if err := json.Unmarshal(field, &f.Metadata); err != nil {
				return nil, fmt.Errorf("%w: the metadata are no texts: %v", ErrFormat, err)
			}
			continue
		}
		d := json.NewDecoder(bytes.NewReader(field))
		d.DisallowUnknownFields()
		var e entry
		if err := d.Decode(&e); err != nil {
			return nil, fmt.Errorf("%w: tensor %q: %v", ErrFormat, name, err)
		}
		entries[name] = e
	}
	if err := checkLayout(entries, uint64(len(body))); err != nil {
		return nil, err
	}
	for name, e := range entries {
		f.Tensors[name] = Tensor{Shape: e.Shape, Data: numbers(e.DType, body[e.Offsets[0]:e.Offsets[1]])}
	}
	return f, nil
}

// refuseDuplicates refuses a header that names a tensor twice, of which JSON
// readers would keep either.
func refuseDuplicates(header []byte) error {
	d := json.NewDecoder(bytes.NewReader(header))
	seen, depth, key := map[string]bool{}, 0, true
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%w: the header is no JSON: %v", ErrFormat, err)
		}
		switch v := tok.(type) {
		case json.Delim:
			if v == '{' || v == '[' {
				depth++
			} else {
				depth--
				key = depth == 1
			}
			continue
		case string:
			if depth == 1 && key {
				if seen[v] {
					return fmt.Errorf("%w: tensor %q occurs twice", ErrFormat, v)
				}
				seen[v] = true
				key = false
				continue
			}
		}
		if depth == 1 {
			key = true
		}
	}
}

// checkLayout verifies that the tensors fill the body without gap or overlap, and
// that each has room for its shape.
func checkLayout(entries map[string]entry, size uint64) error {
	names := make([]string, 0, len(entries))
	for name := range entries {
		names = append(names, name)
	}
	sort.Slice(names, func(i, j int) bool {
		a, b := entries[names[i]].Offsets, entries[names[j]].Offsets
		return a[0] < b[0] || a[0] == b[0] && (a[1] < b[1] || a[1] == b[1] && names[i] < names[j])
	})
	at := uint64(0)
	for _, name := range names {
		e := entries[name]
		width := widths[e.DType]
		if width == 0 {
			return fmt.Errorf("%w: tensor %q has type %q; F64, F32, F16, BF16, integers and BOOL are read", ErrFormat, name, e.DType)
		}
		if e.Offsets[0] != at || e.Offsets[1] < e.Offsets[0] || e.Offsets[1] > size {
			return fmt.Errorf("%w: tensor %q lies at %d to %d, where %d was to follow in %d bytes", ErrFormat, name, e.Offsets[0], e.Offsets[1], at, size)
		}
		at = e.Offsets[1]
		n, err := elements(e.Shape)
		if err != nil {
			return fmt.Errorf("%w: tensor %q: %v", ErrFormat, name, err)
		}
		if uint64(n*width) != e.Offsets[1]-e.Offsets[0] {
			return fmt.Errorf("%w: tensor %q of shape %v takes %d bytes, but has %d", ErrFormat, name, e.Shape, n*width, e.Offsets[1]-e.Offsets[0])
		}
	}
	if at != size {
		return fmt.Errorf("%w: %d bytes follow the last tensor", ErrFormat, size-at)
	}
	return nil
}

// widths are the bytes of one number of each type that is read.
var widths = map[string]int{
	"F64": 8, "F32": 4, "F16": 2, "BF16": 2,
	"I64": 8, "I32": 4, "I16": 2, "I8": 1, "U64": 8, "U32": 4, "U16": 2, "U8": 1, "BOOL": 1,
}

func numbers(dtype string, raw []byte) []float32 {
	out := make([]float32, len(raw)/widths[dtype])
	for i := range out {
		switch dtype {
		case "F32":
			out[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
		case "F64":
			out[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(raw[8*i:])))
		case "BF16":
			out[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(raw[2*i:])) << 16)
		case "F16":
			out[i] = fromHalf(binary.LittleEndian.Uint16(raw[2*i:]))
		case "I64":
			out[i] = float32(int64(binary.LittleEndian.Uint64(raw[8*i:])))
		case "U64":
			out[i] = float32(binary.LittleEndian.Uint64(raw[8*i:]))
		case "I32":
			out[i] = float32(int32(binary.LittleEndian.Uint32(raw[4*i:])))
		case "U32":
			out[i] = float32(binary.LittleEndian.Uint32(raw[4*i:]))
		case "I16":
			out[i] = float32(int16(binary.LittleEndian.Uint16(raw[2*i:])))
		case "U16":
			out[i] = float32(binary.LittleEndian.Uint16(raw[2*i:]))
		case "I8":
			out[i] = float32(int8(raw[i]))
		case "U8", "BOOL":
			out[i] = float32(raw[i])
		}
	}
	return out
}

// elements is spec.Elements that takes an axis of size 0: a file may hold a tensor
// without elements.
func elements(shape []int) (int, error) {
	full := slices.Clone(shape)
	for i, n := range full {
		if n == 0 {
			full[i] = 1
		}
	}
	n, err := spec.Elements(full)
	if slices.Contains(shape, 0) {
		n = 0
	}
	return n, err
}

// fromHalf widens an IEEE 754 half.
func fromHalf(h uint16) float32 {
	sign, exp, frac := uint32(h>>15)<<31, uint32(h>>10)&31, uint32(h)&0x3ff
	switch exp {
	case 0: // zero or subnormal
		v := float32(frac) * 0x1p-24
		return math.Float32frombits(math.Float32bits(v) | sign)
	case 31:
		return math.Float32frombits(sign | 0x7f800000 | frac<<13)
	}
	return math.Float32frombits(sign | (exp+112)<<23 | frac<<13)
}

// Save writes a file, by way of a temporary one beside it, so that a file of
// that name is never half written.
func Save(path string, f *File) (err error) {
	// Unlike os.CreateTemp this leaves the rights of the file to the umask.
	name := fmt.Sprintf("%s.%d", path, rand.Uint64())
	tmp, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return fmt.Errorf("%s cannot be saved: %w", path, errors.Unwrap(err)) // without the temporary name
	}
	defer func() {
		if err != nil {
			os.Remove(tmp.Name())
		}
	}()
	w := bufio.NewWriter(tmp)
	if err := errors.Join(Encode(w, f), w.Flush(), tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}

// Encode writes the contents of a file: tensors in the order of their names, as
// F32. It returns an error for a tensor whose data do not fit its shape.
func Encode(w io.Writer, f *File) error {
	if f == nil {
		return fmt.Errorf("%w: there is no file to write", ErrFormat)
	}
	names := make([]string, 0, len(f.Tensors))
	for name := range f.Tensors {
		names = append(names, name)
	}
	slices.Sort(names)
	header := map[string]any{}
	if f.Metadata != nil {
		header[metadataKey] = f.Metadata
	}
	at := uint64(0)
	for _, name := range names {
		t := f.Tensors[name]
		n, err := elements(t.Shape)
		if err != nil {
			return fmt.Errorf("safetensors: tensor %q: %w", name, err)
		}
		if n != len(t.Data) || name == metadataKey {
			return fmt.Errorf("safetensors: tensor %q of shape %v has %d numbers", name, t.Shape, len(t.Data))
		}
		shape := t.Shape
		if shape == nil {
			shape = []int{}
		}
		header[name] = entry{DType: "F32", Shape: shape, Offsets: [2]uint64{at, at + uint64(4*n)}}
		at += uint64(4 * n)
	}
	raw, err := json.Marshal(header)
	if err != nil {
		return err
	}
	for len(raw)%8 != 0 { // the numbers begin aligned
		raw = append(raw, ' ')
	}
	if err := binary.Write(w, binary.LittleEndian, uint64(len(raw))); err != nil {
		return err
	}
	if _, err := w.Write(raw); err != nil {
		return err
	}
	for _, name := range names {
		if err := binary.Write(w, binary.LittleEndian, f.Tensors[name].Data); err != nil {
			return err
		}
	}
	return nil
}
