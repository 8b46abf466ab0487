package ops_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/kansu-dev/kansu/internal/enginetest"
	"github.com/kansu-dev/kansu/ops"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestConcurrentCalls(t *testing.T) {
	enginetest.Each(t, func(t *testing.T, e *ops.Engine) {
		var wg sync.WaitGroup
		errs := make(chan error, 8)
		for g := range 8 {
			wg.Go(func() { errs <- convolveAndCompare(e, uint64(g)) })
		}
		wg.Wait()
		for range 8 {
			require.NoError(t, <-errs)
		}
	})
}

// convolveAndCompare runs small chains of calls whose results are known.
func convolveAndCompare(e *ops.Engine, seed uint64) error {
	r := rand.New(rand.NewPCG(seed, 0))
	for range 25 {
		n := 1 + r.IntN(40)
		data := make([]float32, n)
		for i := range data {
			data[i] = float32(r.IntN(200) - 100)
		}
		x, err := e.Tensor(data, 1, 1, n)
		if err != nil {
			return err
		}
		w, err := e.Tensor([]float32{2}, 1, 1, 1)
		if err != nil {
			return err
		}
		y, err := ops.Conv(x, w, nil, ops.ConvParams{})
		if err != nil {
			return err
		}
		z, err := ops.ReLU(y)
		if err != nil {
			return err
		}
		x.Release() // early, while recorded work still uses it
		y.Release()
		got, err := z.Data()
		if err != nil {
			return err
		}
		for i := range got {
			if want := max(0, 2*data[i]); got[i] != want {
				return fmt.Errorf("element %d is %v, want %v", i, got[i], want)
			}
		}
		z.Release()
		w.Release()
	}
	return nil
}

func TestConcurrentReleaseIsAnErrorOrAnAnswer(t *testing.T) {
	enginetest.Each(t, func(t *testing.T, e *ops.Engine) {
		for range 50 {
			x, err := e.Tensor([]float32{1, -1, 2, -2}, 4)
			require.NoError(t, err)
			var wg sync.WaitGroup
			wg.Go(x.Release)
			wg.Go(func() {
				y, err := ops.ReLU(x)
				if err != nil {
					assert.ErrorIs(t, err, ops.ErrReleased)
					return
				}
				got, err := y.Data()
				assert.NoError(t, err)
				assert.Equal(t, []float32{1, 0, 2, 0}, got)
				y.Release()
			})
			wg.Wait()
		}
	})
}

func TestConcurrentEnginesInOneProcess(t *testing.T) {
	enginetest.Each(t, func(t *testing.T, a *ops.Engine) {
		enginetest.Each(t, func(t *testing.T, b *ops.Engine) {
			var wg sync.WaitGroup
			for i, e := range []*ops.Engine{a, b} {
				wg.Go(func() { assert.NoError(t, convolveAndCompare(e, uint64(i))) })
			}
			wg.Wait()
			x, err := a.Tensor([]float32{1}, 1, 1, 1)
			require.NoError(t, err)
			w, err := b.Tensor([]float32{1}, 1, 1, 1)
			require.NoError(t, err)
			_, err = ops.Conv(x, w, nil, ops.ConvParams{})
			require.ErrorIs(t, err, ops.ErrEngine)
		})
	})
}

func TestFinalisedTensorsGoBackToThePool(t *testing.T) {
	enginetest.Each(t, func(t *testing.T, e *ops.Engine) {
		for range 100 {
			_, err := e.Tensor(make([]float32, 1000), 1000) // dropped at once
			require.NoError(t, err)
		}
		for e.Stats().LiveTensors > 0 { // where they do not, this hangs
			runtime.GC()
			time.Sleep(time.Millisecond)
		}
	})
}

// Tensors that are dropped without Release do not fill the device: 2 GB are made
// here of which nothing is kept.
func TestDroppedTensorsDoNotFillTheDevice(t *testing.T) {
	enginetest.Each(t, func(t *testing.T, e *ops.Engine) {
		const mb = 16
		x, err := e.Tensor(make([]float32, mb<<18), mb<<18)
		require.NoError(t, err)
		most := int64(0)
		for range 2048 / mb {
			_, err := ops.ReLU(x)
			require.NoError(t, err)
			most = max(most, e.Stats().LiveTensors)
		}
		require.Less(t, most*mb, int64(1024), "megabytes in use at once")
		x.Release()
	})
}

func TestViewsShareMemory(t *testing.T) {
	enginetest.Each(t, func(t *testing.T, e *ops.Engine) {
		x, err := e.Tensor([]float32{1, 2, 3, 4, 5, 6}, 2, 3)
		require.NoError(t, err)
		v, err := x.Reshape(3, -1)
		require.NoError(t, err)
		require.Equal(t, []int{3, 2}, v.Shape())
		require.EqualValues(t, 1, e.Stats().LiveTensors)
		x.Release()
		x.Release() // harmless
		_, err = x.Data()
		require.ErrorIs(t, err, ops.ErrReleased)
		got, err := v.Data()
		require.NoError(t, err)
		require.Equal(t, []float32{1, 2, 3, 4, 5, 6}, got)
		v.Release()
		require.EqualValues(t, 0, e.Stats().LiveTensors)

		s, err := e.Tensor([]float32{7})
		require.NoError(t, err)
		require.Equal(t, []int{}, s.Shape())
		f, err := s.Flatten(0, -1)
		require.NoError(t, err)
		require.Equal(t, []int{1}, f.Shape())
		for _, bad := range [][]int{{4}, {-1, -1}, {0, 6}, {-2, 3}, {7, -1}, {1 << 20, 1 << 20}} {
			_, err := f.Reshape(bad...)
			require.Error(t, err, bad)
		}
	})
}
