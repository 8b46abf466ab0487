package gpu

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// everyCall is each method that returns an error, on objects of the device.
func everyCall(d *Device, k *Kernel, b *Buffer) map[string]func() error {
	fresh := addProgram
	fresh.Name = "fresh"
	return map[string]func() error{
		"NewBuffer": func() error { _, err := d.NewBuffer(12345); return err },
		"Write":     func() error { return d.Write(b, 0, words(1)) },
		"Read":      func() error { return d.Read(b, 0, make([]byte, 4)) },
		"Kernel":    func() error { _, err := d.Kernel(&fresh); return err },
		"Dispatch":  func() error { return d.Dispatch(k, words(1, 1), []*Buffer{b}, [3]int{1, 1, 1}) },
		"Flush":     d.Flush,
		"Wait":      d.Wait,
		"Time":      func() error { _, err := d.Time(func() error { return nil }); return err },
		"Guards":    d.CheckGuards,
	}
}

func TestClosed(t *testing.T) {
	onEach(t, Options{}, func(t *testing.T, d *Device) {
		k, b := kernelOf(t, d, addProgram), bufferOf(t, d, make([]byte, 256))
		require.NoError(t, d.Dispatch(k, words(64, 1), []*Buffer{b}, [3]int{1, 1, 1}))
		require.NoError(t, d.Close())
		for name, call := range everyCall(d, k, b) {
			require.ErrorIs(t, call(), ErrClosed, name)
		}
		require.NoError(t, d.Close(), "again")
		b.Release()
		d.Trim()
		assert.Zero(t, d.Stats().LiveBuffers)
		assert.NotEmpty(t, d.Info().Name)
	})
}

// Close while other goroutines are at work: each of their calls succeeds or
// says that the device is closed.
func TestCloseUnderWay(t *testing.T) {
	for _, c := range []struct {
		name string
		open func(t *testing.T) *Device
	}{
		{"fake", func(t *testing.T) *Device { d, _ := openFake(t, Options{}); return d }},
		{"device", func(t *testing.T) *Device { return openTest(t, Options{}) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			for range 5 {
				d := c.open(t)
				k := kernelOf(t, d, addProgram)
				var all sync.WaitGroup
				for range 4 {
					all.Go(func() {
						b, err := d.NewBuffer(256)
						for err == nil {
							if err = d.Dispatch(k, words(64, 1), []*Buffer{b}, [3]int{1, 1, 1}); err == nil {
								err = d.Read(b, 0, make([]byte, 256))
							}
						}
						assert.ErrorIs(t, err, ErrClosed)
					})
				}
				time.Sleep(5 * time.Millisecond)
				assert.NoError(t, d.Close())
				all.Wait()
			}
		})
	}
}

func TestLost(t *testing.T) {
	for _, when := range []string{"newBuffer", "write", "newKernel", "newGroup", "submit", "wait", "read"} {
		t.Run(when, func(t *testing.T) {
			d, f := openFake(t, Options{})
			k, b := kernelOf(t, d, addProgram), bufferOf(t, d, make([]byte, 256))
			spare := newBuffer(t, d, 512)
			calls := everyCall(d, k, b)
			f.set(func() { f.fail[when] = errLost })
			first := map[string]string{
				"newBuffer": "NewBuffer", "write": "Write", "newKernel": "Kernel", "newGroup": "Dispatch",
				"submit": "Read", "wait": "Wait", "read": "Read",
			}[when]
			f.set(func() { f.lost = when == "submit" }) // nothing works any more
			require.ErrorIs(t, calls[first](), ErrDeviceLost)
			f.set(func() { f.lost = true })
			for name, call := range calls {
				require.ErrorIs(t, call(), ErrDeviceLost, name)
			}
			spare.Release() // all harmless
			d.Trim()
			require.NoError(t, d.Close())
			assert.Equal(t, []bool{false}, f.closed, "a lost device is left alone")
			require.ErrorIs(t, d.Flush(), ErrClosed)
		})
	}
}

var errLost = errors.Join(ErrDeviceLost, errors.New("as the test wants"))

func TestTimeout(t *testing.T) {
	d, f := openFake(t, Options{Timeout: 20 * time.Millisecond})
	k, b := kernelOf(t, d, addProgram), bufferOf(t, d, make([]byte, 256))
	f.set(func() { f.hang = true })
	require.NoError(t, d.Dispatch(k, words(64, 1), []*Buffer{b}, [3]int{1, 1, 1}))
	require.ErrorIs(t, d.Read(b, 0, make([]byte, 4)), ErrTimeout)
	require.ErrorIs(t, d.Wait(), ErrTimeout)
	require.ErrorContains(t, d.Wait(), "20ms")

	f.set(func() { f.hang = false })
	assert.Equal(t, uint32(1), word(contents(t, d, b), 0), "late is not lost")
}

// A goroutine that waits for a device that never answers comes back at Close.
func TestCloseEndsWaits(t *testing.T) {
	d, f := openFake(t, Options{})
	b := bufferOf(t, d, make([]byte, 256))
	f.set(func() { f.hang = true })
	failed := make(chan error)
	go func() { failed <- d.Read(b, 0, make([]byte, 4)) }()
	time.Sleep(10 * time.Millisecond)
	go func() {
		time.Sleep(10 * time.Millisecond)
		f.set(func() { f.hang = false }) // else Close would wait for its patience to end
	}()
	closed := make(chan error)
	go func() { closed <- d.Close() }()
	if err := <-failed; err != nil { // it may have finished first
		require.ErrorIs(t, err, ErrClosed)
	}
	require.NoError(t, <-closed)
}

// While one goroutine waits for the device, others record.
func TestRecordingDuringAWait(t *testing.T) {
	d, f := openFake(t, Options{})
	k, b := kernelOf(t, d, addProgram), bufferOf(t, d, make([]byte, 256))
	f.set(func() { f.hang = true })
	read := make(chan error)
	go func() { read <- d.Read(b, 0, make([]byte, 4)) }()
	time.Sleep(10 * time.Millisecond)
	done := make(chan error)
	go func() {
		var err error
		for range 2 * batchDispatches { // and submit
			err = errors.Join(err, d.Dispatch(k, words(64, 1), []*Buffer{b}, [3]int{1, 1, 1}))
		}
		done <- err
	}()
	require.NoError(t, <-done, "where recording waits for the reader, this hangs")
	f.set(func() { f.hang = false })
	require.NoError(t, <-read)
}

// A program that records faster than the device works is held back.
func TestThrottle(t *testing.T) {
	d, f := openFake(t, Options{Timeout: 20 * time.Millisecond})
	b := bufferOf(t, d, make([]byte, 256))
	require.NoError(t, d.Wait())
	f.set(func() { f.hang = true })
	var err error
	n := 0
	for ; err == nil && n < 10*flightDepth; n++ {
		if err = d.Write(b, 0, words(uint32(n))); err == nil {
			err = d.Flush()
		}
	}
	require.ErrorIs(t, err, ErrTimeout)
	assert.Equal(t, flightDepth+1, n)

	f.set(func() { f.hang = false })
	require.NoError(t, d.Wait())

	// The same for the bytes of uploads.
	big := newBuffer(t, d, uploadBytes)
	data := make([]byte, uploadBytes)
	require.NoError(t, d.Write(big, 0, data))
	require.NoError(t, d.Wait())
	f.set(func() { f.hang = true })
	for n, err = 0, nil; err == nil && n < 100; n++ {
		err = d.Write(big, 0, data)
	}
	require.ErrorIs(t, err, ErrTimeout)
	assert.LessOrEqual(t, n, flightBytes/uploadBytes+2)
	f.set(func() { f.hang = false }) // for Close
}
