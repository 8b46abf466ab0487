//go:build cgo

package gpu

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func init() { children["panic"] = childPanic }

func TestBindingLayout(t *testing.T) { require.NoError(t, checkLayout()) }

// What the library answers with a panic, a device found lost, is ErrDeviceLost
// here, and the process and its other devices live on.
func TestLibraryPanics(t *testing.T) {
	assert.Contains(t, runChild(t, "panic"), "panicked at", "the library's own report")
}

func childPanic() error {
	d, err := childDevice()
	if err != nil {
		return err
	}
	other, err := Open(Options{})
	if err != nil {
		return err
	}
	k, err := d.Kernel(&addProgram)
	if err != nil {
		return err
	}
	b, err := d.NewBuffer(256)
	if err != nil {
		return err
	}
	caught, err := d.drv.(*binding).provokePanic()
	if !caught {
		return fmt.Errorf("%w: panics of the library end the process on this platform", errSkip)
	}
	if !errors.Is(err, ErrDeviceLost) {
		return fmt.Errorf("a panic gave %v", err)
	}
	if err := d.Write(b, 0, words(1)); !errors.Is(err, ErrDeviceLost) { // the first call that meets the driver
		return fmt.Errorf("Write on the lost device gave %v", err)
	}
	for name, call := range everyCall(d, k, b) {
		if err := call(); !errors.Is(err, ErrDeviceLost) {
			return fmt.Errorf("%s on the lost device gave %v", name, err)
		}
	}
	b.Release()
	d.Trim()
	if err := d.Close(); err != nil {
		return err
	}

	// The other device works, on this thread and on others, and so does a new one.
	fresh, err := Open(Options{})
	if err != nil {
		return err
	}
	var all sync.WaitGroup
	failed := make(chan error, 20)
	for i := range 20 {
		all.Go(func() { failed <- churn([]*Device{other, fresh}[i%2], 20, uint32(i)) })
	}
	all.Wait()
	close(failed)
	for err := range failed {
		if err != nil {
			return err
		}
	}
	return errors.Join(other.Close(), fresh.Close())
}

// Waits of the library end after 5 s as if the work were done. A read of work
// that takes longer must see its result all the same.
func TestLongWork(t *testing.T) {
	if testing.Short() {
		t.Skip("takes more than 6 s")
	}
	d := openTest(t, Options{})
	k := kernelOf(t, d, Program{Name: "slow", ParamBytes: 4, Writes: []bool{true}, Source: `
@group(0) @binding(0) var<uniform> n: u32;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) g: vec3<u32>) {
  var s = g.x;
  for (var i = 0u; i < n; i++) { s = s * 1664525u + 1013904223u; }
  y[g.x] = s;
}`})
	const loops, groups = 50000, 64
	y := newBuffer(t, d, 4*groups)
	var got []byte
	const over = 5500 * time.Millisecond
	for repeat, took := 8, time.Duration(0); took < over; repeat = int(1.2*float64(repeat)*over.Seconds()/took.Seconds()) + 1 {
		if repeat > batchDispatches {
			t.Skip("the device is too fast for this test")
		}
		require.NoError(t, d.Write(y, 0, make([]byte, 4*groups)))
		start := time.Now()
		for range repeat {
			require.NoError(t, d.Dispatch(k, words(loops), []*Buffer{y}, [3]int{groups, 1, 1}))
		}
		got = contents(t, d, y)
		took = time.Since(start)
		t.Logf("%d dispatches took %v", repeat, took)
	}
	for g := range uint32(groups) {
		s := g
		for range loops {
			s = s*1664525 + 1013904223
		}
		require.Equal(t, s, word(got, int(g)), "workgroup %d", g)
	}
}

func TestClassify(t *testing.T) {
	for text, kind := range map[string]error{
		"Parent device is lost":   ErrDeviceLost,
		"Not enough memory left.": ErrOutOfMemory,
		"wgpu.(*Device).CreateBuffer(): In wgpuDeviceCreateBuffer\n    Not enough memory left.": ErrOutOfMemory,
		"something else": ErrDriver,
	} {
		assert.ErrorIs(t, classify(text, ErrDriver), kind, text)
	}
	assert.Equal(t, "In f\nbad\n  deeper", tidy("wgpu.(*Device).F(): Validation Error\n\nCaused by:\n    In f\n    bad  \n      deeper\n"))
}
