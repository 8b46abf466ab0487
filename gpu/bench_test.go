package gpu

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkDispatch is the cost of recording one dispatch in the steady state:
// "recording" without a driver, "device" with its share of encoding and
// submitting, the device's own time left out.
func BenchmarkDispatch(b *testing.B) {
	b.Run("recording", func(b *testing.B) {
		d, _ := openFake(b, Options{})
		benchmarkDispatch(b, d)
	})
	b.Run("device", func(b *testing.B) { benchmarkDispatch(b, openTest(b, Options{})) })
}

func benchmarkDispatch(b *testing.B, d *Device) {
	k := kernelOf(b, d, Program{Name: "nothing", Source: `
@group(0) @binding(0) var<uniform> p: vec4<u32>;
@group(0) @binding(1) var<storage, read_write> x: array<u32>;
@compute @workgroup_size(1) fn main() { if (p.x == 1u) { x[0] = p.y; } }`, Writes: []bool{true}, ParamBytes: 16})
	params, buffers := words(0, 0, 0, 0), []*Buffer{newBuffer(b, d, 256)}
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		if err := d.Dispatch(k, params, buffers, [3]int{1, 1, 1}); err != nil {
			b.Fatal(err)
		}
		if i%batchDispatches == batchDispatches-1 { // it submitted
			b.StopTimer()
			require.NoError(b, d.Wait())
			b.StartTimer()
		}
	}
}

// BenchmarkRead is a read-back of 4 bytes with nothing recorded, and with one
// dispatch before it.
func BenchmarkRead(b *testing.B) {
	d := openTest(b, Options{})
	k := kernelOf(b, d, addProgram)
	x := bufferOf(b, d, make([]byte, 256))
	dst := make([]byte, 4)
	for _, n := range []int{0, 1} {
		b.Run([]string{"idle", "after a dispatch"}[n], func(b *testing.B) {
			for b.Loop() {
				for range n {
					require.NoError(b, d.Dispatch(k, words(1, 1), []*Buffer{x}, [3]int{1, 1, 1}))
				}
				if err := d.Read(x, 0, dst); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkNewBuffer is a buffer from the pool and back.
func BenchmarkNewBuffer(b *testing.B) {
	d, _ := openFake(b, Options{})
	b.ReportAllocs()
	for b.Loop() {
		x, err := d.NewBuffer(1000)
		if err != nil {
			b.Fatal(err)
		}
		x.Release()
	}
}
