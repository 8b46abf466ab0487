package gpu

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/kansu-dev/kansu/internal/steady"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Read-backs survive a collection at any moment: 10,000 from 8 goroutines, with
// the collector running all the time. None is lost, none is wrong, and neither
// memory nor buffers grow with every read.
func TestReadsUnderCollection(t *testing.T) {
	if runtime.GOOS == "js" {
		t.Skip("a browser's callbacks hold no pointers of C")
	}
	onEach(t, Options{}, func(t *testing.T, d *Device) {
		reads := 10000
		if testing.Short() {
			reads = 1000
		}
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

		const goroutines = 8
		round := func(reads int) {
			var all sync.WaitGroup
			for g := range goroutines {
				all.Go(func() { assert.NoError(t, readRepeatedly(d, reads/goroutines, uint32(g))) })
			}
			all.Wait()
		}
		round(reads / 5)
		after := d.Stats()
		assert.EqualValues(t, reads/5, after.Reads)
		assert.Zero(t, after.LiveBuffers)
		assert.LessOrEqual(t, after.PooledBuffers, 2*goroutines, "each has at most a buffer and a read-back at a time")
		assert.LessOrEqual(t, after.BindGroupsHeld, goroutines)
		if !raceDetector {
			steady.Require(t, "resident memory", 4<<20, func() int64 { round(reads * 2 / 5); return resident() })
		} else {
			round(reads * 4 / 5)
		}
	})
}

func readRepeatedly(d *Device, n int, id uint32) error {
	k, err := d.Kernel(&addProgram)
	if err != nil {
		return err
	}
	const elements = 300
	b, err := d.NewBuffer(4 * elements)
	if err != nil {
		return err
	}
	defer b.Release()
	if err := d.Write(b, 0, count(id<<20, elements)); err != nil {
		return err
	}
	for i := range uint32(n) {
		if err := d.Dispatch(k, words(elements, 1), []*Buffer{b}, [3]int{5, 1, 1}); err != nil {
			return err
		}
		dst := make([]byte, 4*elements) // garbage, for the collector
		if err := d.Read(b, 0, dst); err != nil {
			return err
		}
		for e := range uint32(elements) {
			if want := id<<20 + e + i + 1; word(dst, int(e)) != want {
				return fmt.Errorf("goroutine %d, read %d, element %d: %d instead of %d", id, i, e, word(dst, int(e)), want)
			}
		}
	}
	return nil
}

// resident is the resident memory of the process in bytes, 0 where it is not known.
func resident() int64 {
	status, _ := os.ReadFile("/proc/self/status")
	for _, line := range strings.Split(string(status), "\n") {
		var kib int64
		if _, err := fmt.Sscanf(line, "VmRSS: %d kB", &kib); err == nil {
			return kib << 10
		}
	}
	return 0
}

// Many goroutines allocate, write, compute, read and release, each in its own
// order, on two devices at once.
func TestGoroutines(t *testing.T) {
	open := func(t *testing.T, simulated bool) *Device {
		if simulated {
			d, _ := openFake(t, Options{})
			return d
		}
		return openTest(t, Options{})
	}
	for name, simulated := range map[string]bool{"fake": true, "device": false} {
		t.Run(name, func(t *testing.T) {
			var all sync.WaitGroup
			for range 2 {
				d := open(t, simulated)
				for g := range 6 {
					all.Go(func() { assert.NoError(t, churn(d, 60, uint32(g))) })
				}
				all.Go(func() {
					for range 20 {
						d.Trim()
						assert.NoError(t, d.Wait())
						assert.GreaterOrEqual(t, d.Stats().LiveBuffers, 0)
					}
				})
			}
			all.Wait()
		})
	}
}

func churn(d *Device, rounds int, id uint32) error {
	p := scaleProgram
	p.Name = fmt.Sprintf("scale %d", id%3)
	for r := range uint32(rounds) {
		k, err := d.Kernel(&p)
		if err != nil {
			return err
		}
		n := int(64 + 97*(r%7) + id)
		x, err := d.NewBuffer(4 * n)
		if err != nil {
			return err
		}
		y, err := d.NewBuffer(4 * n)
		if err != nil {
			return err
		}
		if err := d.Write(x, 0, count(r, n)); err != nil {
			return err
		}
		if err := d.Dispatch(k, words(uint32(n), id, r), []*Buffer{x, y}, [3]int{(n + 63) / 64, 1, 1}); err != nil {
			return err
		}
		x.Release()
		dst := make([]byte, 4*n)
		if err := d.Read(y, 0, dst); err != nil {
			return err
		}
		y.Release()
		for i := range n {
			if want := (r+uint32(i))*id + r; word(dst, i) != want {
				return fmt.Errorf("goroutine %d, round %d, element %d: %d instead of %d", id, r, i, word(dst, i), want)
			}
		}
	}
	return nil
}

// Two devices are apart: neither takes the other's objects, both work at once.
func TestTwoDevices(t *testing.T) {
	a, b := openTest(t, Options{}), openTest(t, Options{})
	ka, kb := kernelOf(t, a, addProgram), kernelOf(t, b, addProgram)
	xa, xb := bufferOf(t, a, count(0, 64)), bufferOf(t, b, count(1000, 64))
	for range 10 {
		require.NoError(t, a.Dispatch(ka, words(64, 1), []*Buffer{xa}, [3]int{1, 1, 1}))
		require.NoError(t, b.Dispatch(kb, words(64, 2), []*Buffer{xb}, [3]int{1, 1, 1}))
	}
	require.ErrorIs(t, a.Dispatch(ka, words(64, 1), []*Buffer{xb}, [3]int{1, 1, 1}), ErrInvalid)
	require.ErrorIs(t, a.Dispatch(kb, words(64, 1), []*Buffer{xa}, [3]int{1, 1, 1}), ErrInvalid)
	assert.Equal(t, count(10, 64), contents(t, a, xa))
	assert.Equal(t, count(1020, 64), contents(t, b, xb))
	require.NoError(t, a.Close())
	assert.Equal(t, count(1020, 64), contents(t, b, xb))
}

// Devices come and go, in any order, used and unused.
func TestOpenAndClose(t *testing.T) {
	var open []*Device
	for i := range 12 {
		d := openTest(t, Options{})
		open = append(open, d)
		if i%3 != 0 { // a third is closed without a submission
			b := bufferOf(t, d, count(uint32(i), 64))
			require.Equal(t, count(uint32(i), 64), contents(t, d, b))
		}
		if i%2 == 1 {
			at := i % len(open)
			require.NoError(t, open[at].Close())
			open = append(open[:at], open[at+1:]...)
		}
	}
	for _, d := range open {
		b := bufferOf(t, d, count(7, 64))
		require.Equal(t, count(7, 64), contents(t, d, b))
	}
}

func TestOpenAtOnce(t *testing.T) {
	openTest(t, Options{}) // skips where there is none
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			d, err := Open(Options{})
			if !assert.NoError(t, err) {
				return
			}
			assert.NoError(t, churn(d, 20, 1))
			assert.NoError(t, d.Close())
		})
	}
	all.Wait()
}
