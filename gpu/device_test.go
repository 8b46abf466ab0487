package gpu

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDispatchAndRead(t *testing.T) {
	d := openTest(t, Options{})
	const n = 1000
	k := kernelOf(t, d, scaleProgram)
	x, y := bufferOf(t, d, count(0, n)), newBuffer(t, d, 4*n)
	require.NoError(t, d.Dispatch(k, words(n, 3, 7), []*Buffer{x, y}, [3]int{(n + 63) / 64, 1, 1}))
	got := contents(t, d, y)
	for i := range n {
		require.Equal(t, uint32(3*i+7), word(got, i), "element %d", i)
	}
}

// The device has its adapter's limits, not the defaults: its largest buffer can
// be made, bound and used to the end.
func TestLargestBuffer(t *testing.T) {
	d := openTest(t, Options{})
	l := d.Info().Limits
	require.GreaterOrEqual(t, l.MaxBindingSize, uint64(128<<20))
	require.Equal(t, 65535, l.MaxGroups)
	size := int(d.limit / sizeStep * sizeStep)
	if size > 512<<20 {
		t.Skipf("%d bytes are too many for a test", size)
	}
	b, err := d.NewBuffer(size)
	if errors.Is(err, ErrOutOfMemory) {
		t.Skip(err)
	}
	require.NoError(t, err)
	k := kernelOf(t, d, Program{Name: "end", ParamBytes: 4, Writes: []bool{true}, Source: `
@group(0) @binding(0) var<uniform> at: u32;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;
@compute @workgroup_size(1) fn main() { y[at] = arrayLength(&y); }`})
	require.NoError(t, d.Dispatch(k, words(uint32(size/4-1)), []*Buffer{b}, [3]int{1, 1, 1}))
	got := make([]byte, 8)
	require.NoError(t, d.Read(b, size-8, got))
	require.Equal(t, words(0, uint32(size/4)), got)
}
