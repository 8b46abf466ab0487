package gpu

import (
	"encoding/binary"
	"testing"

	"github.com/kansu-dev/kansu/internal/gputest"
	"github.com/stretchr/testify/require"
)

// scaleWGSL computes y[i] = x[i] * scale + bias on 32-bit integers, for i < n.
const scaleWGSL = `
struct Params { n: u32, scale: u32, bias: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) g: vec3<u32>) {
  if (g.x < p.n) { y[g.x] = x[g.x] * p.scale + p.bias; }
}`

// addWGSL computes x[i] = x[i] + step in place, for i < n.
const addWGSL = `
struct Params { n: u32, step: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> x: array<u32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) g: vec3<u32>) {
  if (g.x < p.n) { x[g.x] = x[g.x] + p.step; }
}`

var (
	scaleProgram = Program{Name: "scale", Source: scaleWGSL, Writes: []bool{false, true}, ParamBytes: 12}
	addProgram   = Program{Name: "add", Source: addWGSL, Writes: []bool{true}, ParamBytes: 8}
)

// openTest opens the device of the machine; see gputest for where it has none.
func openTest(t testing.TB, o Options) *Device {
	t.Helper()
	d, err := Open(o)
	if err != nil {
		require.ErrorIs(t, err, ErrNoDevice)
		gputest.Missing(t, err)
	}
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	return d
}

// words is the bytes of 32-bit words, for parameters and contents.
func words(v ...uint32) []byte {
	b := make([]byte, 0, 4*len(v))
	for _, w := range v {
		b = binary.LittleEndian.AppendUint32(b, w)
	}
	return b
}

// count is the bytes of first, first+1, ... n words.
func count(first uint32, n int) []byte {
	b := make([]byte, 0, 4*n)
	for i := range n {
		b = binary.LittleEndian.AppendUint32(b, first+uint32(i))
	}
	return b
}

func word(b []byte, i int) uint32 { return binary.LittleEndian.Uint32(b[4*i:]) }

func newBuffer(t testing.TB, d *Device, bytes int) *Buffer {
	t.Helper()
	b, err := d.NewBuffer(bytes)
	require.NoError(t, err)
	return b
}

func bufferOf(t testing.TB, d *Device, data []byte) *Buffer {
	t.Helper()
	b := newBuffer(t, d, len(data))
	require.NoError(t, d.Write(b, 0, data))
	return b
}

func kernelOf(t testing.TB, d *Device, p Program) *Kernel {
	t.Helper()
	k, err := d.Kernel(&p)
	require.NoError(t, err)
	return k
}

func contents(t testing.TB, d *Device, b *Buffer) []byte {
	t.Helper()
	dst := make([]byte, b.Size())
	require.NoError(t, d.Read(b, 0, dst))
	return dst
}
