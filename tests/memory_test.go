package tests

import (
	"flag"
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/kansu-dev/kansu/cpuref/fast"
	"github.com/kansu-dev/kansu/internal/steady"
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
	"github.com/kansu-dev/kansu/tests/cases"
)

var longFlag = flag.Bool("long", false, "memory: every workload that kansu bench times, not only the small ones")

// slack is what a call may take beside 1.5 times its tensors: plans, kernels'
// texts and the smallest scratch buffers.
const slack = 1 << 20

// leanSlack is the same for the workloads in lean: the engine, its goroutines and
// what pools hold.
const leanSlack = 128 << 10

var lean = map[string]bool{
	"cpu/conv3x3_64x56x56": true, "cpu/conv3x3_64x56x56_grad_input": true,
	"cpu/conv3x3_256x14x14": true, "cpu/conv3x3_256x14x14_grad_input": true,
}

// wasteful are the workloads that take more than 1.5 times their tensors, and how
// much they may take. It is a list of what is to be mended, and not to grow.
var wasteful = map[string]float64{}

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
// a GPU the engine's buffers count, the idle ones included.
func TestPeakMemory(t *testing.T) {
	for _, b := range backends(t) {
		for _, w := range cases.Workloads() {
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
				t.Logf("%.2f MiB for tensors of %.2f MiB: %.2f", float64(held)/(1<<20), float64(tensors)/(1<<20), float64(held)/float64(tensors))
				limit, beside := max(1.5, wasteful[b.name+"/"+w.Name]), int64(slack)
				if lean[b.name+"/"+w.Name] {
					beside = leanSlack
				}
				require.LessOrEqual(t, held, int64(limit*float64(tensors))+beside)
			})
		}
	}
}

// peak runs a case once and returns the most memory held and the size of the
// tensors that go in and come out.
func peak(t *testing.T, b backend, c cases.Case) (held, tensors int64) {
	e, err := b.open()
	require.NoError(t, err)
	defer e.Close()
	most := 0
	for _, i := range c.Inputs() {
		if i.Shape != nil {
			most = max(most, spec.Count(i.Shape))
		}
	}
	zeros, places := make([]float32, most), make([]int32, most)
	fast.FreeScratch()
	before := heap()
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	var in []*ops.Tensor
	for _, i := range c.Inputs() {
		var x *ops.Tensor
		if i.Shape != nil {
			n := spec.Count(i.Shape)
			tensors += 4 * int64(n)
			if i.Indices {
				x, err = e.Indices(places[:n], i.Shape...)
			} else {
				x, err = e.Tensor(zeros[:n], i.Shape...)
			}
			require.NoError(t, err)
		}
		in = append(in, x)
	}
	require.NoError(t, e.Wait())
	out, err := c.Call(in)
	require.NoError(t, err)
	require.NoError(t, e.Wait())
	for _, y := range out {
		if y != nil {
			tensors += 4 * int64(spec.Count(y.Shape()))
		}
	}
	if e.GPU() != nil {
		held = e.Stats().GPU.PeakBytes
	} else {
		held = uncollected() - before
	}
	runtime.KeepAlive(zeros)
	runtime.KeepAlive(places)
	for _, x := range append(in, out...) {
		if x != nil {
			x.Release()
		}
	}
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
