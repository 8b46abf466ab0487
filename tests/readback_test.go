package tests

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kansu-dev/kansu/internal/steady"
	"github.com/kansu-dev/kansu/ops"
)

// TestReadBackUnderGC reads 10,000 results from 8 goroutines while the garbage
// collector runs without pause. A read-back whose memory the collector moved or
// freed would be lost or wrong; a buffer or a handle that it forgot would show
// as growth.
func TestReadBackUnderGC(t *testing.T) {
	const workers = 8
	rounds := 10_000 / workers
	if testing.Short() {
		rounds = 50
	}
	s := seed(t)
	onEach(t, func(t *testing.T, e *ops.Engine) {
		defer debug.SetGCPercent(debug.SetGCPercent(1))
		var stop atomic.Bool
		var collector sync.WaitGroup
		collector.Go(func() {
			for !stop.Load() {
				runtime.GC()
			}
		})
		defer collector.Wait()
		defer stop.Store(true)
		run := func(rounds int) {
			var wg sync.WaitGroup
			errs := make(chan error, workers)
			for g := range workers {
				wg.Go(func() { errs <- readBack(e, rand.New(rand.NewPCG(s, uint64(g))), rounds) })
			}
			wg.Wait()
			for range workers {
				require.NoError(t, <-errs)
			}
			for e.Stats().LiveTensors > 0 { // what nobody holds is released some time after it was found
				time.Sleep(time.Millisecond)
			}
		}
		run(max(rounds/5, 10)) // pools fill, kernels compile
		buffers := e.Stats().GPU.LiveBuffers
		steady.Require(t, "idle buffers", 1<<20, func() int64 { run(max(rounds/5, 10)); return e.Stats().GPU.PooledBytes })
		steady.Require(t, "the process", 8<<20, func() int64 { run(max(rounds/5, 10)); return resident(t) })
		require.LessOrEqual(t, e.Stats().GPU.LiveBuffers, buffers, "live buffers grew")
	})
}

// readBack computes small results that are known and reads them. Every other
// tensor is left to the collector.
func readBack(e *ops.Engine, r *rand.Rand, rounds int) error {
	for i := range rounds {
		data := make([]float32, 1+r.IntN(2000))
		for j := range data {
			data[j] = float32(r.IntN(2001) - 1000)
		}
		x, err := e.Tensor(data, len(data))
		if err != nil {
			return err
		}
		y, err := ops.ReLU(x)
		if err != nil {
			return err
		}
		got, err := y.Data()
		if err != nil {
			return fmt.Errorf("read-back %d: %w", i, err)
		}
		for j, v := range data {
			if got[j] != max(v, 0) {
				return fmt.Errorf("read-back %d: element %d of %d is %v, want %v", i, j, len(data), got[j], max(v, 0))
			}
		}
		if i%2 == 0 {
			x.Release()
			y.Release()
		}
	}
	return nil
}

// resident returns the memory of the process, native memory too, in bytes; 0
// where the system does not tell.
func resident(t *testing.T) int64 {
	raw, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(raw))
	require.Greater(t, len(fields), 1)
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	require.NoError(t, err)
	return pages * int64(os.Getpagesize())
}
