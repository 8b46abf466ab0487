package main

import (
	"math"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/kansu-dev/kansu/cpuref/fast"
	"github.com/kansu-dev/kansu/internal/gputest"
	"github.com/kansu-dev/kansu/internal/steady"
	"github.com/kansu-dev/kansu/ops"
	"github.com/stretchr/testify/require"
)

// trained is what a run leaves: the losses of its first steps and the accuracy.
type trained struct {
	losses   []float32
	accuracy float64
	live     int64
}

func train(t *testing.T, epochs int, opt ops.Option) trained {
	e, err := ops.Open(opt)
	require.NoError(t, err)
	defer e.Close()
	tr, err := newTrainer(e, 1, 64, 1e-3)
	require.NoError(t, err)
	var out trained
	for range epochs {
		require.NoError(t, tr.epoch(func(loss float32) {
			out.losses = append(out.losses, loss)
			if len(out.losses) == 5 {
				out.live = e.Stats().LiveTensors
			} else if len(out.losses) > 5 {
				require.Equal(t, out.live, e.Stats().LiveTensors, "step %d leaks", len(out.losses))
			}
		}))
	}
	out.accuracy, err = tr.accuracy(tr.test)
	require.NoError(t, err)

	path := filepath.Join(t.TempDir(), "w.safetensors")
	require.NoError(t, tr.net.save(path))
	require.NoError(t, tr.net.load(path))
	again, err := tr.accuracy(tr.test)
	require.NoError(t, err)
	require.Equal(t, out.accuracy, again, "weights read back")
	require.NoError(t, os.Truncate(path, 1000))
	require.Error(t, tr.net.load(path), "a damaged file")

	tr.release()
	require.EqualValues(t, 0, e.Stats().LiveTensors)
	return out
}

func TestTrainsToReadDigits(t *testing.T) {
	const epochs = 15
	cpu := train(t, epochs, ops.WithAdapter("cpu"))
	t.Logf("pure Go: %.1f%%", 100*cpu.accuracy)
	require.GreaterOrEqual(t, cpu.accuracy, 0.95)
	require.Equal(t, cpu.losses[:40], train(t, 2, ops.WithAdapter("cpu")).losses[:40], "the same bits on every run")

	e, err := ops.Open(ops.RequireGPU())
	if err != nil {
		gputest.Missing(t, err)
	}
	e.Close()
	gpu := train(t, epochs, ops.RequireGPU())
	t.Logf("GPU: %.1f%%", 100*gpu.accuracy)
	require.GreaterOrEqual(t, gpu.accuracy, 0.95)
	require.Equal(t, gpu.losses[:40], train(t, 2, ops.RequireGPU()).losses[:40], "the same bits on every run")
	for i := range 20 {
		require.LessOrEqual(t, math.Abs(float64(gpu.losses[i]-cpu.losses[i])), 1e-3, "step %d", i)
	}
}

// TestThousandSteps trains for 1,000 steps: after the first 50 nothing may grow.
func TestThousandSteps(t *testing.T) {
	for _, b := range []struct {
		name string
		opt  ops.Option
	}{{"cpu", ops.WithAdapter("cpu")}, {"gpu", ops.RequireGPU()}} {
		t.Run(b.name, func(t *testing.T) {
			e, err := ops.Open(b.opt)
			if err != nil {
				gputest.Missing(t, err)
			}
			defer e.Close()
			tr, err := newTrainer(e, 1, 8, 1e-3)
			require.NoError(t, err)
			at := 0
			run := func(steps int) (ops.Stats, int64) {
				for range steps {
					which := make([]int, 8)
					for i := range which {
						which[i] = at % tr.set.Len()
						at++
					}
					_, err := tr.step(which)
					require.NoError(t, err)
				}
				require.NoError(t, e.Wait())
				fast.FreeScratch()
				runtime.GC()
				runtime.GC()
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				return e.Stats(), int64(m.HeapAlloc)
			}
			early, _ := run(50)
			late, _ := run(350)
			t.Logf("after 50 steps %+v; after 400 %+v", early, late)
			require.Equal(t, early.LiveTensors, late.LiveTensors)
			require.Equal(t, early.GPU.LiveBuffers, late.GPU.LiveBuffers)
			require.Equal(t, early.GPU.LiveBytes, late.GPU.LiveBytes)
			require.Equal(t, early.GPU.PeakBytes, late.GPU.PeakBytes)
			require.Equal(t, early.HostPooled, late.HostPooled)
			steady.Require(t, "live objects, but for bind groups, of which a bounded number is kept,", 20<<10, func() int64 {
				s, held := run(300)
				return held - 512*int64(s.GPU.BindGroupsHeld)
			})
			tr.release()
		})
	}
}

// TestMistakesAreErrors: what cannot be is told, before the time for it is spent
// where that can be.
func TestMistakesAreErrors(t *testing.T) {
	absent := filepath.Join(t.TempDir(), "no", "folder")
	for _, c := range []struct {
		says string
		err  error
	}{
		{"must be positive", run(0, 64, 1e-3, 1, "", "cpu")},
		{"must be positive", run(1, 0, 1e-3, 1, "", "cpu")},
		{"learning rate is NaN", run(1, 64, math.NaN(), 1, "", "cpu")},
		{absent, run(1000, 64, 1e-3, 1, absent, "cpu")},
		{"nosuch", run(1, 64, 1e-3, 1, "", "nosuch")},
		{"the loss is NaN", run(1, 64, 1e30, 1, "", "cpu")},
	} {
		require.ErrorContains(t, c.err, c.says)
	}
}
