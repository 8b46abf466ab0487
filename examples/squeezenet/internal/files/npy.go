package files

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
)

// npyHeader is the dictionary of a version 1 file with little-endian float32 in
// C order. (The library npyio, at v0.14, drops the last digit of the shape where
// no comma follows it, as in the files at hand.)
var npyHeader = regexp.MustCompile(`^{ *'descr': '<f4', 'fortran_order': False, 'shape': \(([0-9, ]*)\),? *} *\n$`)

// NPY reads a NumPy array of float32 and its shape.
func NPY(path string) (data []float32, shape []int, err error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	const magic = "\x93NUMPY\x01\x00"
	if len(raw) < 10 || string(raw[:8]) != magic {
		return nil, nil, errors.New("no version 1 .npy file")
	}
	end := 10 + int(binary.LittleEndian.Uint16(raw[8:]))
	m := npyHeader.FindSubmatch(raw[10:min(end, len(raw))])
	if m == nil {
		return nil, nil, errors.New("no .npy file of little-endian float32 in C order")
	}
	count := 1
	for _, field := range strings.FieldsFunc(string(m[1]), func(r rune) bool { return r == ',' || r == ' ' }) {
		size, err := strconv.Atoi(field)
		if err != nil {
			return nil, nil, err
		}
		shape = append(shape, size)
		count *= size
	}
	if len(raw)-end != 4*count {
		return nil, nil, io.ErrUnexpectedEOF
	}
	data = make([]float32, count)
	return data, shape, binary.Read(bytes.NewReader(raw[end:]), binary.LittleEndian, data)
}
