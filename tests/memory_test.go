package tests

import (
	"flag"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/kansu-dev/kansu/cpuref/fast"
	"github.com/kansu-dev/kansu/internal/steady"
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
	"github.com/kansu-dev/kansu/tests/cases"
)

var longFlag = flag.Bool("long", false, "memory: every workload that kansu bench times, not only the small ones")

// slack is what is counted beside a call's memory: in pure Go the engine, plans,
// goroutines and what the heap rounds up, which come to 32 KiB at most; on a GPU
// buffers of single numbers and tables, 256 bytes at the least, and rounding.
const slack = 64 << 10

// wasteful are the workloads that take more than 1.5 times their tensors, and how
// much they may take. It is a list of what is to be mended, and not to grow.
var wasteful = map[string]float64{
	"gpu/upsample_trilinear2_grad": 1.6,
	"gpu/unpool2x2s2_grad":         1.58,
}

// heap returns the bytes of live objects on the Go heap.
func heap() int64 {
	runtime.GC()
	runtime.GC() // what pools kept goes in the second
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// uncollected returns the bytes on the Go heap, garbage included.
func uncollected() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestPeakMemory runs each workload once with a new engine: at no time may it
// hold more than 1.5 times its inputs, weights and outputs. In pure Go nothing
// is collected meanwhile, so that every byte that the call allocates counts; on
// a GPU the engine's buffers count, the idle ones included. Two threads compute:
// each has scratch memory of its own, up to some hundred KiB, and more of them
// take more.
func TestPeakMemory(t *testing.T) {
	defer fast.SetThreads(fast.SetThreads(2))
	for _, b := range backends(t) {
		for _, w := range slices.Concat(cases.Workloads(), cases.RestWorkloads()) {
			switch w.Case.(type) {
			case *cases.NetworkCase, *cases.TrainCase:
				continue // what flows between the layers is neither input nor output
			}
			flops, bytes := w.Case.Work()
			if !*longFlag && (bytes > 8<<20 || flops > 1e9) {
				continue
			}
			t.Run(b.name+"/"+w.Name, func(t *testing.T) {
				held, tensors := peak(t, b, w.Case)
				t.Logf("%.3f MiB for tensors of %.3f MiB, %d KiB over 1.5: %.3f", float64(held)/(1<<20), float64(tensors)/(1<<20), (2*held-3*tensors)/2048, float64(held)/float64(tensors))
				limit := max(1.5, wasteful[b.name+"/"+w.Name])
				require.LessOrEqual(t, held, int64(limit*float64(tensors))+slack)
			})
		}
	}
}

// hostTensor is a tensor's contents: floats, or indices.
type hostTensor struct {
	shape   []int
	values  []float32
	indices []int32
}

func (h *hostTensor) upload(e *ops.Engine) (*ops.Tensor, error) {
	if h.indices != nil {
		return e.Indices(h.indices, h.shape...)
	}
	return e.Tensor(h.values, h.shape...)
}

// inputsOf returns normal numbers for what a case takes, zeros for indices, and
// nil for what is absent.
func inputsOf(c cases.Case) []*hostTensor {
	most := 0
	for _, i := range c.Inputs() {
		if i.Shape != nil {
			most = max(most, spec.Count(i.Shape))
		}
	}
	values, places := make([]float32, most), make([]int32, most)
	r := rand.New(rand.NewPCG(1, 1))
	for i := range values[:min(most, 1<<20)] {
		values[i] = float32(r.NormFloat64())
	}
	for i := 1 << 20; i < most; i *= 2 {
		copy(values[i:], values[:i])
	}
	var all []*hostTensor
	for _, i := range c.Inputs() {
		var h *hostTensor
		if i.Shape != nil {
			n := spec.Count(i.Shape)
			if h = (&hostTensor{shape: i.Shape, values: values[:n]}); i.Indices {
				h.indices = places[:n]
			}
		}
		all = append(all, h)
	}
	return all
}

func uploadAll(t *testing.T, e *ops.Engine, host []*hostTensor) []*ops.Tensor {
	ts := make([]*ops.Tensor, len(host))
	for i, h := range host {
		if h != nil {
			var err error
			ts[i], err = h.upload(e)
			require.NoError(t, err)
		}
	}
	return ts
}

func releaseAll(ts []*ops.Tensor) {
	for _, x := range ts {
		if x != nil {
			x.Release()
		}
	}
}

// savedOf returns what the gradient takes of the forward call, which an engine of
// its own makes.
func savedOf(t *testing.T, b backend, c cases.Backward, in []*hostTensor) []*hostTensor {
	e, err := b.open()
	require.NoError(t, err)
	defer e.Close()
	ts := uploadAll(t, e, in)
	saved, err := c.Save(ts)
	require.NoError(t, err)
	var all []*hostTensor
	for _, s := range saved {
		var h *hostTensor
		if s != nil {
			h = &hostTensor{shape: s.Shape()}
			if s.DType() == ops.Int32 {
				h.indices, err = s.Int32s()
			} else {
				h.values, err = s.Data()
			}
			require.NoError(t, err)
		}
		all = append(all, h)
	}
	releaseAll(append(ts, saved...))
	return all
}

// peak runs a case once and returns the most memory held and the size of the
// tensors that go in and come out. Of a gradient that takes something of the
// forward call, only its own call counts.
func peak(t *testing.T, b backend, c cases.Case) (held, tensors int64) {
	host := inputsOf(c)
	inputs := len(host)
	back, isBack := c.(cases.Backward)
	if isBack {
		host = append(host, savedOf(t, b, back, host)...)
	}
	e, err := b.open()
	require.NoError(t, err)
	defer e.Close()
	fast.FreeScratch()
	before := heap()
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	in := uploadAll(t, e, host)
	require.NoError(t, e.Wait())
	var out []*ops.Tensor
	if isBack {
		out, err = back.Gradient(in[:inputs], in[inputs:])
	} else {
		out, err = c.Call(in)
	}
	require.NoError(t, err)
	require.NoError(t, e.Wait())
	for _, x := range slices.Concat(in, out) {
		if x != nil {
			tensors += 4 * int64(spec.Count(x.Shape()))
		}
	}
	if e.GPU() != nil {
		held = e.Stats().GPU.PeakBytes
	} else {
		held = uncollected() - before
	}
	runtime.KeepAlive(host)
	releaseAll(append(in, out...))
	return held, tensors
}

// TestNoGrowth makes at least 10,000 calls: after the first 1,000 nothing may grow.
func TestNoGrowth(t *testing.T) {
	onEach(t, func(t *testing.T, e *ops.Engine) {
		type call struct {
			c  cases.Case
			in []*ops.Tensor
		}
		var calls []call
		for _, c := range []cases.Case{
			&cases.ConvCase{X: []int{1, 4, 9, 9}, W: []int{8, 4, 3, 3}, Bias: true, Params: ops.ConvParams{Padding: []int{1}}},
			&cases.LinearCase{X: []int{5, 30}, W: []int{20, 30}, Bias: true},
			&cases.PoolCase{Kind: "max", X: []int{2, 3, 12, 12}, Params: ops.PoolParams{Kernel: []int{2}, Stride: []int{2}}},
			&cases.BatchNormTrainCase{X: []int{4, 6, 5, 5}, Scale: true, Shift: true, Running: true},
			&cases.SoftmaxCase{X: []int{16, 100}, Axis: 1},
		} {
			in, err := cases.Upload(e, c, cases.Draws(c, 1))
			require.NoError(t, err)
			calls = append(calls, call{c, in})
		}
		run := func(n int) (ops.Stats, int64) {
			for i := range n {
				c := calls[i%len(calls)]
				out, err := c.c.Call(c.in)
				require.NoError(t, err)
				if i%100 == 0 {
					_, err := out[0].Data()
					require.NoError(t, err)
				}
				for _, y := range out {
					if y != nil {
						y.Release()
					}
				}
			}
			require.NoError(t, e.Wait())
			h := heap()
			return e.Stats(), h
		}
		early, _ := run(1000)
		late, _ := run(3000)
		t.Logf("after 1,000 calls %+v; after 4,000 %+v", early, late)
		runtime.KeepAlive(calls)
		require.Equal(t, early.LiveTensors, late.LiveTensors)
		require.Equal(t, early.GPU.LiveBuffers, late.GPU.LiveBuffers)
		require.Equal(t, early.GPU.LiveBytes, late.GPU.LiveBytes)
		require.Equal(t, early.GPU.PeakBytes, late.GPU.PeakBytes)
		require.LessOrEqual(t, late.GPU.BindGroupsHeld, early.GPU.BindGroupsHeld+64)
		steady.Require(t, "live objects", 16<<10, func() int64 { _, h := run(3000); return h })
	})
}
