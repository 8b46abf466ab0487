//go:build cgo

package gpu

// Submitting, waiting, and a read-back that survives the garbage collector.
//
// The binding's Buffer.MapAsync and Queue.OnSubmittedWorkDone hand C a pointer
// to a Go variable that nothing keeps alive until the callback comes; one
// collection in between, and the process panics. Both are called here from C
// instead, with a status word in C memory. Polling and submitting are too: they
// panic in Rust when they find the device lost, which only C can catch (see
// native_guard.c). The handles are read out of the binding's structs, whose
// layout is checked first.

/*
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#ifdef _WIN32
#include <windows.h>
#else
#include <time.h>
#endif

#include "native_guard.h"

typedef void (*kansu_callback)(uint32_t status, void *userdata);
typedef void (*kansu_error_callback)(uint32_t type, char const *message, void *userdata);

// Of the library that the binding links; enums and flags are 32 bits wide.
extern void wgpuBufferMapAsync(void *buffer, uint32_t mode, size_t offset, size_t size, kansu_callback callback, void *userdata);
extern void wgpuQueueOnSubmittedWorkDone(void *queue, kansu_callback callback, void *userdata);
extern void wgpuQueueSubmit(void *queue, size_t count, void *const *commands);
extern uint32_t wgpuDevicePoll(void *device, uint32_t wait, void const *index);
extern void wgpuDevicePushErrorScope(void *device, uint32_t filter);
extern void wgpuDevicePopErrorScope(void *device, kansu_error_callback callback, void *userdata);

// kansu_wait is one thing to wait for: 0 while pending, else 1 + the status.
// It belongs to the callback and to the Go side; the last of the two frees it,
// so that a callback that comes after the Go side gave up finds it still there.
typedef struct { _Atomic uint32_t state; atomic_int owners; } kansu_wait;

static void kansu_leave(kansu_wait *w) {
	if (atomic_fetch_sub(&w->owners, 1) == 1) free(w);
}
static void kansu_arrived(uint32_t status, void *userdata) {
	kansu_wait *w = userdata;
	atomic_store(&w->state, 1 + status);
	kansu_leave(w);
}
static kansu_wait *kansu_new_wait(void) {
	kansu_wait *w = calloc(1, sizeof *w);
	if (w) atomic_store(&w->owners, 2);
	return w;
}
static uint32_t kansu_state(kansu_wait *w) { return atomic_load(&w->state); }

// What the guarded calls take and give.
typedef struct {
	void *device, *queue, *object;
	size_t size;
	kansu_wait *wait; // the result, where there is one
} kansu_call;

static void kansu_ignore(uint32_t type, char const *message, void *userdata) {
	(void)type, (void)message, (void)userdata;
}

static void do_poll(void *p) { wgpuDevicePoll(((kansu_call *)p)->device, 0, NULL); }

// A failure is in the callback's status too; without the error scope the
// library would make a panic of it.
static void do_map(void *p) {
	kansu_call *c = p;
	wgpuDevicePushErrorScope(c->device, 0); // 0: validation
	wgpuBufferMapAsync(c->object, 1, 0, c->size, kansu_arrived, c->wait); // 1: for reading
	wgpuDevicePopErrorScope(c->device, kansu_ignore, NULL);
}

static void do_submit(void *p) {
	kansu_call *c = p;
	wgpuQueueSubmit(c->queue, c->object ? 1 : 0, &c->object);
	wgpuQueueOnSubmittedWorkDone(c->queue, kansu_arrived, c->wait);
}

static int kansu_poll(kansu_call *c) { return kansu_guard(do_poll, c); }
static int kansu_map(kansu_call *c) { return kansu_guard(do_map, c); }
static int kansu_submit(kansu_call *c) { return kansu_guard(do_submit, c); }

// Pauses for some microseconds. Go's own timers are a millisecond coarse on an
// idle process.
static void kansu_pause(uint32_t ns) {
#ifdef _WIN32
	if (ns < 200000) SwitchToThread(); else Sleep(1);
#else
	struct timespec t = {0, (long)ns};
	nanosleep(&t, NULL);
#endif
}
*/
import "C"

import (
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"sync"
	"time"
	"unsafe"

	"github.com/cogentcore/webgpu/wgpu"
)

// checkLayout verifies that the binding's structs are what nativeHandle takes
// them for: the object's handle in the field ref, alone or behind the device's.
func checkLayout() error {
	for v, at := range map[any]uintptr{wgpu.Device{}: 0, wgpu.CommandBuffer{}: 0, wgpu.Buffer{}: 1, wgpu.Queue{}: 1} {
		t := reflect.TypeOf(v)
		ref, ok := t.FieldByName("ref")
		word := unsafe.Sizeof(uintptr(0))
		if !ok || ref.Type.Kind() != reflect.Pointer || ref.Offset != at*word || t.Size() != (at+1)*word {
			return fmt.Errorf("%w: %v of this version of the binding is not laid out as expected", ErrNoDevice, t)
		}
	}
	return nil
}

// nativeHandle is the library's handle of an object of the binding.
func nativeHandle[T wgpu.Device | wgpu.CommandBuffer | wgpu.Buffer | wgpu.Queue](p *T) unsafe.Pointer {
	return *(*unsafe.Pointer)(unsafe.Add(unsafe.Pointer(p), unsafe.Sizeof(*p)-unsafe.Sizeof(uintptr(0))))
}

// catching makes a guarded call. A thread on which the library panicked before
// refuses; then another one is found. A panic in these calls means that the
// device is lost, and nothing calls the library for it from then on.
func (b *binding) catching(f func() C.int) error {
	if b.lost.Load() {
		return errLibraryGaveUp
	}
	rc := f()
	for rc == C.KANSU_TAINTED {
		result := make(chan C.int)
		go func() {
			runtime.LockOSThread()
			rc := f()
			if rc == C.KANSU_OK {
				runtime.UnlockOSThread() // else the thread ends with this goroutine
			}
			result <- rc
		}()
		rc = <-result
	}
	if rc == C.KANSU_PANICKED {
		b.lost.Store(true)
		return errLibraryGaveUp
	}
	return nil
}

var errLibraryGaveUp = fmt.Errorf("%w: the WebGPU library gave up on it and wrote why to standard error", ErrDeviceLost)

// newCall is the argument of a guarded call with what it tells Go about its end.
func (b *binding) newCall(object unsafe.Pointer, size int) (*C.kansu_call, error) {
	c := &C.kansu_call{
		device: nativeHandle(b.dev), queue: nativeHandle(b.queue), object: object, size: C.size_t(size),
		wait: C.kansu_new_wait(),
	}
	if c.wait == nil {
		return nil, fmt.Errorf("%w: of the process", ErrOutOfMemory)
	}
	return c, nil
}

// submitCommands submits what is uploaded and, where commands is not nil, what
// is encoded, and starts to watch for its completion.
func (b *binding) submitCommands(seq uint64, commands *wgpu.CommandBuffer) error {
	var object unsafe.Pointer
	if commands != nil {
		object = nativeHandle(commands)
	}
	c, err := b.newCall(object, 0)
	if err != nil {
		return err
	}
	if err := b.catching(func() C.int { return C.kansu_submit(c) }); err != nil {
		return err // c.wait stays: the library may hold it
	}
	b.done.add(seq, c.wait)
	return nil
}

// completions tells which submissions are complete.
type completions struct {
	polling sync.Mutex

	mu      sync.Mutex
	pending []pendingWait // in order of submission
	last    uint64        // all up to this one are complete
}

type pendingWait struct {
	seq  uint64
	wait *C.kansu_wait
}

func (c *completions) add(seq uint64, w *C.kansu_wait) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pending = append(c.pending, pendingWait{seq, w})
}

// reached reports whether submission seq is known to be complete.
func (c *completions) reached(seq uint64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for n < len(c.pending) && C.kansu_state(c.pending[n].wait) != 0 {
		c.last = c.pending[n].seq
		C.kansu_leave(c.pending[n].wait)
		n++
	}
	c.pending = slices.Delete(c.pending, 0, n)
	return c.last >= seq
}

func (c *completions) free() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.pending {
		C.kansu_leave(p.wait)
	}
	c.pending = nil
}

// poll lets the library look which work is complete, unless another goroutine
// does so at this moment. It never waits inside of the library: a wait there
// keeps others from submitting, and ends after five seconds as if the work were
// done.
func (b *binding) poll() error {
	if !b.done.polling.TryLock() {
		return nil
	}
	defer b.done.polling.Unlock()
	c := C.kansu_call{device: nativeHandle(b.dev)}
	return b.catching(func() C.int { return C.kansu_poll(&c) })
}

// pauseAfter pauses for about 1/16 of the time waited so far, at most 1 ms: a
// wait ends at most 6 % late, and polling costs next to nothing once it is long.
func pauseAfter(waited time.Duration) {
	if p := min(waited/16, time.Millisecond); p < 5*time.Microsecond {
		runtime.Gosched()
	} else {
		C.kansu_pause(C.uint32_t(p))
	}
}

func (b *binding) wait(seq uint64, waited, slice time.Duration) (bool, error) {
	start := time.Now()
	for !b.done.reached(seq) {
		if err := b.poll(); err != nil {
			return false, err
		}
		if b.done.reached(seq) {
			break
		}
		spent := time.Since(start)
		if spent >= slice {
			return false, nil
		}
		pauseAfter(waited + spent)
	}
	return true, nil
}

// Statuses of a mapping, as the library counts them.
const (
	mapSuccess    = 0
	mapDeviceLost = 3
)

func (b *binding) read(h handle, dst []byte) error {
	buf := h.(*wgpu.Buffer)
	size := roundUp(len(dst), 4)
	c, err := b.newCall(nativeHandle(buf), size)
	if err != nil {
		return err
	}
	err = b.guarded(ErrDriver, func() error { return b.catching(func() C.int { return C.kansu_map(c) }) })
	if err != nil {
		return err
	}
	w := c.wait
	defer C.kansu_leave(w)
	const patience = 10 * time.Second // the work is complete, this takes microseconds
	for start := time.Now(); C.kansu_state(w) == 0; {
		if err := b.poll(); err != nil {
			return err
		}
		if C.kansu_state(w) != 0 {
			break
		}
		spent := time.Since(start)
		if spent > patience {
			return fmt.Errorf("%w: the result is not mapped", ErrTimeout)
		}
		pauseAfter(spent)
	}
	switch status := C.kansu_state(w) - 1; status {
	case mapSuccess:
	case mapDeviceLost:
		return fmt.Errorf("%w: while mapping a result", ErrDeviceLost)
	default:
		return fmt.Errorf("%w: mapping a result failed with status %d", ErrDriver, status)
	}
	copy(dst, buf.GetMappedRange(0, uint(size)))
	runtime.KeepAlive(buf)
	return b.guarded(ErrDriver, buf.Unmap)
}

// provokePanic submits a copy from a buffer that was destroyed in between, over
// which the library panics, for the test of the guard. ok is false where panics
// are not caught.
func (b *binding) provokePanic() (ok bool, err error) {
	if C.kansu_guarded() == 0 {
		return false, nil
	}
	from, err := b.newBuffer(256, storageBuffer)
	if err != nil {
		return true, err
	}
	to, err := b.newBuffer(256, storageBuffer)
	if err != nil {
		return true, err
	}
	return true, b.guarded(ErrDriver, func() error {
		enc, err := b.dev.CreateCommandEncoder(nil)
		if err != nil {
			return err
		}
		if err := enc.CopyBufferToBuffer(from.(*wgpu.Buffer), 0, to.(*wgpu.Buffer), 0, 256); err != nil {
			return err
		}
		cmd, err := enc.Finish(nil)
		if err != nil {
			return err
		}
		from.(*wgpu.Buffer).Destroy()
		return b.submitCommands(1, cmd)
	})
}
