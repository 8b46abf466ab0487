package gpu

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/kansu-dev/kansu/internal/testseed"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Every mistake is an error of its kind that names the value, and leaves what
// is recorded and what is in the buffers as it was.
func TestMisuse(t *testing.T) {
	onEach(t, Options{}, func(t *testing.T, d *Device) {
		other, _ := openFake(t, Options{})
		k := kernelOf(t, d, scaleProgram)
		x, y := bufferOf(t, d, count(0, 64)), bufferOf(t, d, count(100, 64))
		released := newBuffer(t, d, 256)
		released.Release()
		foreign := newBuffer(t, other, 256)
		foreignKernel := kernelOf(t, other, scaleProgram)
		p := words(64, 2, 1)
		one := [3]int{1, 1, 1}
		b := func(v ...*Buffer) []*Buffer { return v }
		dispatch := func(k *Kernel, p []byte, v []*Buffer, g [3]int) func() error {
			return func() error { return d.Dispatch(k, p, v, g) }
		}
		// Recorded before all the mistakes, and read after them.
		require.NoError(t, d.Dispatch(k, p, b(x, y), one))

		for name, c := range map[string]struct {
			call func() error
			kind error
			says string
		}{
			"nil kernel":         {dispatch(nil, p, b(x, y), one), ErrInvalid, "nil kernel"},
			"foreign kernel":     {dispatch(foreignKernel, p, b(x, y), one), ErrInvalid, "another device"},
			"no groups":          {dispatch(k, p, b(x, y), [3]int{0, 1, 1}), ErrInvalid, "0 workgroups in dimension x"},
			"negative groups":    {dispatch(k, p, b(x, y), [3]int{1, -2, 1}), ErrInvalid, "-2 workgroups in dimension y"},
			"too many groups":    {dispatch(k, p, b(x, y), [3]int{1, 1, 65536}), ErrTooLarge, "65536 workgroups in dimension z"},
			"no params":          {dispatch(k, nil, b(x, y), one), ErrInvalid, "0 parameter bytes, the kernel takes 12"},
			"long params":        {dispatch(k, make([]byte, 20), b(x, y), one), ErrInvalid, "20 parameter bytes"},
			"few buffers":        {dispatch(k, p, b(x), one), ErrInvalid, "1 buffers, the kernel takes 2"},
			"many buffers":       {dispatch(k, p, b(x, y, y), one), ErrInvalid, "3 buffers"},
			"nil written":        {dispatch(k, p, b(x, nil), one), ErrInvalid, "buffer 1 is nil"},
			"released":           {dispatch(k, p, b(released, y), one), ErrReleased, "buffer 0"},
			"foreign buffer":     {dispatch(k, p, b(x, foreign), one), ErrInvalid, "buffer 1 belongs to another device"},
			"read and written":   {dispatch(k, p, b(x, x), one), ErrInvalid, "bound as 0 and 1"},
			"write nil":          {func() error { return d.Write(nil, 0, p) }, ErrInvalid, "nil buffer"},
			"write released":     {func() error { return d.Write(released, 0, p) }, ErrReleased, ""},
			"write foreign":      {func() error { return d.Write(foreign, 0, p) }, ErrInvalid, "another device"},
			"write odd offset":   {func() error { return d.Write(x, 2, p) }, ErrInvalid, "offset 2"},
			"write below":        {func() error { return d.Write(x, -4, p) }, ErrInvalid, "offset -4"},
			"write over the end": {func() error { return d.Write(x, 248, p) }, ErrInvalid, "bytes 248 to 260 of a buffer of 256"},
			"write behind":       {func() error { return d.Write(x, 260, nil) }, ErrInvalid, "260"},
			"read nil":           {func() error { return d.Read(nil, 0, p) }, ErrInvalid, "nil buffer"},
			"read released":      {func() error { return d.Read(released, 0, p) }, ErrReleased, ""},
			"read foreign":       {func() error { return d.Read(foreign, 0, p) }, ErrInvalid, "another device"},
			"read odd offset":    {func() error { return d.Read(x, 1, p) }, ErrInvalid, "offset 1"},
			"read over the end":  {func() error { return d.Read(x, 0, make([]byte, 257)) }, ErrInvalid, "bytes 0 to 257 of a buffer of 256"},
			"negative size":      {func() error { _, err := d.NewBuffer(-1); return err }, ErrInvalid, "-1"},
			"over the limit": {func() error { _, err := d.NewBuffer(int(d.limit) + 1); return err }, ErrTooLarge,
				fmt.Sprintf("%d bytes asked for, the device takes at most %d", d.limit+1, d.limit)},
			"far over the limit": {func() error { _, err := d.NewBuffer(1<<62 - 1); return err }, ErrTooLarge, "4611686018427387903"},
		} {
			t.Run(name, func(t *testing.T) {
				err := c.call()
				require.ErrorIs(t, err, c.kind)
				require.ErrorContains(t, err, c.says)
				require.ErrorContains(t, err, "gpu: ")
			})
		}

		got := contents(t, d, y)
		for i := range 64 {
			require.Equal(t, uint32(2*i+1), word(got, i))
		}
		assert.Equal(t, count(0, 64), contents(t, d, x))
	})
}

// The order of writes, dispatches and reads is the order of the calls, however
// they fall into submissions.
func TestOrder(t *testing.T) {
	onEach(t, Options{}, func(t *testing.T, d *Device) {
		r := rand.New(rand.NewPCG(testseed.Of(t, 1), 0))
		add, scale := kernelOf(t, d, addProgram), kernelOf(t, d, scaleProgram)
		const n, buffers = 100, 5
		var have []*Buffer
		want := make([][]uint32, buffers)
		for i := range want {
			have = append(have, bufferOf(t, d, make([]byte, 4*n)))
			want[i] = make([]uint32, n)
		}
		check := func(i int) {
			got := contents(t, d, have[i])
			for j := range n {
				require.Equal(t, want[i][j], word(got, j), "buffer %d, element %d", i, j)
			}
		}
		for range 2000 {
			i, j := r.IntN(buffers), r.IntN(buffers)
			switch op := r.IntN(100); {
			case op < 40:
				step := r.Uint32()
				require.NoError(t, d.Dispatch(add, words(n, step), []*Buffer{have[i]}, [3]int{2, 1, 1}))
				for e := range n {
					want[i][e] += step
				}
			case op < 80 && i != j:
				s, b := r.Uint32(), r.Uint32()
				require.NoError(t, d.Dispatch(scale, words(n, s, b), []*Buffer{have[i], have[j]}, [3]int{2, 1, 1}))
				for e := range n {
					want[j][e] = want[i][e]*s + b
				}
			case op < 92:
				first, at := r.Uint32(), r.IntN(n/2)
				require.NoError(t, d.Write(have[i], 4*at, count(first, n/2)))
				for e := range n / 2 {
					want[i][at+e] = first + uint32(e)
				}
			case op < 95: // a released buffer's memory goes to the next
				have[i].Release()
				have[i] = bufferOf(t, d, make([]byte, 4*n))
				want[i] = make([]uint32, n)
			case op < 97:
				check(i)
			case op < 99:
				require.NoError(t, d.Flush())
			default:
				require.NoError(t, d.Wait())
			}
		}
		for i := range have {
			check(i)
		}
	})
}

func TestBatches(t *testing.T) {
	onEach(t, Options{}, func(t *testing.T, d *Device) {
		k := kernelOf(t, d, addProgram)
		x := bufferOf(t, d, make([]byte, 256))
		before := d.Stats()
		for range batchDispatches - 1 {
			require.NoError(t, d.Dispatch(k, words(64, 1), []*Buffer{x}, [3]int{1, 1, 1}))
		}
		assert.Equal(t, before.Submits, d.Stats().Submits, "recorded only")
		require.NoError(t, d.Dispatch(k, words(64, 1), []*Buffer{x}, [3]int{1, 1, 1}))
		s := d.Stats()
		assert.Equal(t, before.Submits+1, s.Submits, "a full batch is submitted by itself")
		assert.EqualValues(t, batchDispatches, s.Dispatches)
		assert.EqualValues(t, 1, s.BindGroups)
		assert.EqualValues(t, batchDispatches-1, s.BindGroupHits)
		assert.Equal(t, uint32(batchDispatches), word(contents(t, d, x), 0))
		before = d.Stats()
		require.NoError(t, d.Flush())
		require.NoError(t, d.Wait())
		assert.Equal(t, before.Submits, d.Stats().Submits, "nothing to submit")
	})
}

// Parameter blocks larger than the arena's share go to a batch of their own.
func TestArenaIsFull(t *testing.T) {
	onEach(t, Options{}, func(t *testing.T, d *Device) {
		const words32 = 4096 // 16 KiB of parameters
		k := kernelOf(t, d, Program{Name: "last", ParamBytes: 4 * words32, Writes: []bool{true}, Source: fmt.Sprintf(`
@group(0) @binding(0) var<uniform> p: array<vec4<u32>, %d>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;
@compute @workgroup_size(1)
fn main() { y[p[0].x] = p[%d].w; }`, words32/4, words32/4-1)})
		y := bufferOf(t, d, make([]byte, 256))
		before := d.Stats().Submits
		for i := range uint32(40) {
			p := make([]uint32, words32)
			p[0], p[words32-1] = i, 1000+i
			require.NoError(t, d.Dispatch(k, words(p...), []*Buffer{y}, [3]int{1, 1, 1}))
		}
		require.NoError(t, d.Flush())
		assert.EqualValues(t, 5, d.Stats().Submits-before, "8 blocks of 16 KiB fit")
		if _, simulated := d.drv.(*fake); !simulated {
			got := contents(t, d, y)
			for i := range 40 {
				require.Equal(t, uint32(1000+i), word(got, i))
			}
		}
	})
}

// A kernel without parameters, nil for a buffer that is only read, one buffer
// bound twice for reading, parameters padded to 16 bytes.
func TestForms(t *testing.T) {
	d := openTest(t, Options{})
	y := bufferOf(t, d, make([]byte, 256))
	x := bufferOf(t, d, count(5, 64))

	bare := kernelOf(t, d, Program{Name: "bare", Writes: []bool{true}, Source: `
@group(0) @binding(1) var<storage, read_write> y: array<u32>;
@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) i: u32) { y[i] = i; }`})
	require.NoError(t, d.Dispatch(bare, nil, []*Buffer{y}, [3]int{1, 1, 1}))
	assert.Equal(t, count(0, 64), contents(t, d, y))

	sum := Program{Name: "sum", Entry: "sum", Writes: []bool{false, false, true}, ParamBytes: 4, Source: `
@group(0) @binding(0) var<uniform> n: u32;
@group(0) @binding(1) var<storage, read> a: array<u32>;
@group(0) @binding(2) var<storage, read> b: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<u32>;
@compute @workgroup_size(64)
fn sum(@builtin(local_invocation_index) i: u32) { if (i < n) { y[i] = a[i] + b[i]; } }`}
	k := kernelOf(t, d, sum)
	require.NoError(t, d.Dispatch(k, words(64), []*Buffer{x, nil, y}, [3]int{1, 1, 1}))
	assert.Equal(t, count(5, 64), contents(t, d, y), "nil is zeros")
	require.NoError(t, d.Dispatch(k, words(3, 0, 0, 0), []*Buffer{x, x, y}, [3]int{1, 1, 1}))
	got := contents(t, d, y)
	assert.Equal(t, words(10, 12, 14, 8), got[:16])
}

// Writes of every length: the rest of the last word becomes 0, nothing else
// changes.
func TestWriteLengths(t *testing.T) {
	onEach(t, Options{}, func(t *testing.T, d *Device) {
		for n := range 14 {
			b := newBuffer(t, d, 32)
			old := make([]byte, 32)
			for i := range old {
				old[i] = 0xee
			}
			require.NoError(t, d.Write(b, 0, old))
			data := make([]byte, n)
			for i := range data {
				data[i] = byte(i + 1)
			}
			require.NoError(t, d.Write(b, 8, data))
			want := append([]byte(nil), old...)
			copy(want[8:], data)
			for i := 8 + n; i%4 != 0; i++ {
				want[i] = 0
			}
			require.Equal(t, want, contents(t, d, b), "%d bytes", n)
			for m := range 9 { // and reads of every length
				dst := make([]byte, m)
				require.NoError(t, d.Read(b, 4, dst))
				require.Equal(t, want[4:4+m], dst)
			}
			b.Release()
		}
	})
}

func TestOddSizes(t *testing.T) {
	onEach(t, Options{}, func(t *testing.T, d *Device) {
		for _, n := range []int{0, 1, 2, 3, 5, 255, 257, 1023} {
			data := make([]byte, n)
			for i := range data {
				data[i] = byte(i)
			}
			b := bufferOf(t, d, data)
			assert.Equal(t, n, b.Size())
			assert.Equal(t, data, contents(t, d, b), "%d bytes", n)
			b.Release()
		}
	})
}
