package gpu

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTime(t *testing.T) {
	onEach(t, Options{}, func(t *testing.T, d *Device) {
		if !d.Info().Timestamps {
			_, err := d.Time(func() error { return nil })
			require.ErrorIs(t, err, ErrNoTimestamps)
			return
		}
		_, err := d.Time(func() error { return nil })
		require.NoError(t, err)
		assert.Positive(t, d.Info().NsPerTick)
		// From here on with a period whose doubt is known: on a busy machine it is large.
		period, doubt, err := d.measurePeriod()
		require.NoError(t, err)
		if _, simulated := d.drv.(*fake); simulated {
			assert.InDelta(t, fakeTick, period, period*doubt+1e-3)
		}
		d.info.NsPerTick = period
		k := kernelOf(t, d, addProgram)
		x := bufferOf(t, d, make([]byte, 256))
		for _, n := range []int{0, 1, 3 * batchDispatches} {
			ran := false
			start := time.Now()
			device, err := d.Time(func() error {
				ran = true
				for range n {
					if err := d.Dispatch(k, words(64, 1), []*Buffer{x}, [3]int{1, 1, 1}); err != nil {
						return err
					}
				}
				return nil
			})
			require.NoError(t, err)
			assert.True(t, ran)
			assert.GreaterOrEqual(t, device, time.Duration(0))
			// Not a performance claim: what the device spent lies within what passed here.
			assert.LessOrEqual(t, float64(device), float64(time.Since(start))/(1-doubt)+period)
		}
		assert.Equal(t, uint32(1+3*batchDispatches), word(contents(t, d, x), 0), "the work was done")

		failed := errors.New("no")
		_, err = d.Time(func() error { return failed })
		require.Same(t, failed, err)
		assert.Panics(t, func() { _, _ = d.Time(func() error { panic("no") }) })
		_, err = d.Time(func() error { return d.Dispatch(k, words(64, 1), []*Buffer{x}, [3]int{1, 1, 1}) })
		require.NoError(t, err, "after a failure and a panic")
	})
}

func TestNoTimestamps(t *testing.T) {
	d, f := openFake(t, Options{})
	f.adapter.Timestamps = false
	d.info.Timestamps = false
	_, err := d.Time(func() error { t.Error("ran"); return nil })
	require.ErrorIs(t, err, ErrNoTimestamps)
}

func TestSnapPeriod(t *testing.T) {
	for _, c := range []struct{ ns, doubt, want float64 }{
		{1.003, 0.001, 1},
		{83.1, 0.005, 1000. / 12},
		{39.9, 0.005, 40},
		{41.5, 0.005, 1000. / 24},
		{52.2, 0.001, 1000 / 19.2},
		{17.3, 0.005, 17.3}, // no usual clock
		{1.04, 0.05, 1},     // a poor measurement
	} {
		assert.InDelta(t, c.want, snapPeriod(c.ns, c.doubt), 1e-9, "%v", c.ns)
	}
}
