//go:build cgo

package gpu

// The part of the driver that only the native library has: adapters with their
// descriptions, timestamps, polling, and a read-back that survives the garbage
// collector.
//
// The binding's Buffer.MapAsync and Queue.OnSubmittedWorkDone hand C a pointer
// to a Go variable that nothing keeps alive until the callback comes; one
// collection in between, and the process panics. Both are called here from C
// instead, with a status word in C memory. The handles of buffer and queue are
// read out of the binding's structs, whose layout is checked first.

/*
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

typedef void (*kansu_callback)(uint32_t status, void *userdata);

// Of the library that the binding links; enums and flags are 32 bits wide.
extern void wgpuBufferMapAsync(void *buffer, uint32_t mode, size_t offset, size_t size, kansu_callback callback, void *userdata);
extern void wgpuQueueOnSubmittedWorkDone(void *queue, kansu_callback callback, void *userdata);

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

static kansu_wait *kansu_map(void *buffer, size_t size) {
	kansu_wait *w = kansu_new_wait();
	if (w) wgpuBufferMapAsync(buffer, 1, 0, size, kansu_arrived, w); // 1: for reading
	return w;
}
static kansu_wait *kansu_work_done(void *queue) {
	kansu_wait *w = kansu_new_wait();
	if (w) wgpuQueueOnSubmittedWorkDone(queue, kansu_arrived, w);
	return w;
}
*/
import "C"

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/cogentcore/webgpu/wgpu"
)

// instance is a WebGPU instance with the number of its users. Each device has
// one of its own: the library keeps the objects of all devices of an instance
// in common tables, and two devices that submit at the same time can find each
// other's command buffers there, over which it aborts the process.
type instance struct {
	*wgpu.Instance
	users atomic.Int32
}

func (i *instance) leave() {
	if i.users.Add(-1) == 0 {
		i.Release()
	}
}

// starting is held while an instance is made: that touches the environment.
var starting sync.Mutex

// backends leaves OpenGL out: its compute shaders are incomplete, and Mesa
// writes to standard error when it is asked.
const backends = wgpu.InstanceBackendVulkan | wgpu.InstanceBackendMetal | wgpu.InstanceBackendDX12

// openInstance makes an instance. The library and Mesa's window-system parts
// write to standard error where there is no display; both are told not to.
func openInstance() (i *instance, err error) {
	starting.Lock()
	defer starting.Unlock()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: the WebGPU library did not start: %v", ErrNoDevice, p)
		}
	}()
	if err := checkLayout(); err != nil {
		return nil, err
	}
	wgpu.SetLogLevel(wgpu.LogLevelOff)
	if runtime.GOOS == "linux" {
		for name, value := range map[string]string{
			"NODEVICE_SELECT": "1",          // Mesa's layer that asks the window system which GPU to show first
			"XDG_RUNTIME_DIR": os.TempDir(), // which libwayland misses loudly
			"EGL_LOG_LEVEL":   "fatal",
		} {
			if _, set := os.LookupEnv(name); !set {
				os.Setenv(name, value)
				defer os.Unsetenv(name)
			}
		}
	}
	// A descriptor would pass uninitialised memory (the binding fills it in part).
	return &instance{Instance: wgpu.CreateInstance(nil)}, nil
}

func findAdapters() ([]candidate, error) {
	inst, err := openInstance()
	if err != nil {
		return nil, err
	}
	inst.users.Add(1)
	defer inst.leave()
	var found []candidate
	for _, a := range inst.EnumerateAdapters(&wgpu.InstanceEnumerateAdapterOptons{Backends: backends}) {
		info := describe(a)
		inst.users.Add(1)
		found = append(found, candidate{
			info: info,
			open: func() (driver, error) {
				b, err := openBinding(a, info)
				if err != nil {
					return nil, err
				}
				inst.users.Add(1)
				b.closed = inst.leave
				return b, nil
			},
			release: func() {
				a.Release()
				inst.leave()
			},
		})
	}
	return found, nil
}

func describe(a *wgpu.Adapter) Info {
	c := a.GetInfo()
	i := Info{Name: c.Name, Driver: c.DriverDescription, Vendor: vendorName(c.VendorId)}
	if strings.HasPrefix(i.Name, "0x") {
		// The library of most platforms puts the name where the driver belongs,
		// and the numbers of device and vendor where name and driver belong.
		i.Name, i.Driver = i.Driver, ""
	} else if c.VendorName != "" {
		i.Driver = strings.TrimSpace(c.VendorName + " " + i.Driver)
	}
	switch c.BackendType {
	case wgpu.BackendTypeD3D12:
		i.Backend = "dx12"
	case wgpu.BackendTypeMetal:
		i.Backend = "metal"
	case wgpu.BackendTypeVulkan:
		i.Backend = "vulkan"
	case wgpu.BackendTypeOpenGL, wgpu.BackendTypeOpenGLES:
		i.Backend = "opengl"
	default:
		i.Backend = c.BackendType.String()
	}
	switch c.AdapterType {
	case wgpu.AdapterTypeDiscreteGPU:
		i.Type = Discrete
	case wgpu.AdapterTypeIntegratedGPU:
		i.Type = Integrated
	case wgpu.AdapterTypeCPU:
		i.Type = CPU
		if !softwareName(i.Name) { // the library has one number for both
			i.Type = Virtual
		}
	default:
		i.Type = Other
	}
	i.Limits = limitsOf(a.GetLimits().Limits)
	for _, f := range a.EnumerateFeatures() {
		i.Timestamps = i.Timestamps || f == wgpu.FeatureNameTimestampQuery
		i.Features = append(i.Features, featureName(f))
	}
	slices.Sort(i.Features)
	i.Refused = refusal(i)
	return i
}

// featureName names the features that matter to compute shaders.
func featureName(f wgpu.FeatureName) string {
	switch f {
	case wgpu.FeatureNameTimestampQuery:
		return "timestamp-query"
	case wgpu.FeatureNameShaderF16:
		return "shader-f16"
	case wgpu.NativeFeaturePushConstants:
		return "push-constants"
	case wgpu.NativeFeaturePipelineStatisticsQuery:
		return "pipeline-statistics-query"
	case wgpu.NativeFeatureMappablePrimaryBuffers:
		return "mappable-primary-buffers"
	case wgpu.NativeFeatureBufferBindingArray:
		return "buffer-binding-array"
	case wgpu.NativeFeatureShaderF64:
		return "shader-f64"
	case wgpu.NativeFeatureShaderI16:
		return "shader-i16"
	}
	return fmt.Sprintf("feature-%#x", uint32(f))
}

func requestDevice(a *wgpu.Adapter, info Info) (*wgpu.Device, error) {
	limits := a.GetLimits().Limits
	limits.MaxPushConstantSize = 0 // what the binding reads there is garbage
	desc := &wgpu.DeviceDescriptor{RequiredLimits: &wgpu.RequiredLimits{Limits: limits}}
	if info.Timestamps {
		desc.RequiredFeatures = []wgpu.FeatureName{wgpu.FeatureNameTimestampQuery}
	}
	// No DeviceLostCallback: the binding passes C an unpinned pointer for it.
	return a.RequestDevice(desc)
}

func submitTo(q *wgpu.Queue, commands ...*wgpu.CommandBuffer) { q.Submit(commands...) }

func endPass(p *wgpu.ComputePassEncoder) error { return p.End() }

func (b *binding) newQueries() (handle, error) {
	var q *wgpu.QuerySet
	err := b.guarded(ErrDriver, func() (err error) {
		q, err = b.dev.CreateQuerySet(&wgpu.QuerySetDescriptor{Type: wgpu.QueryTypeTimestamp, Count: 2})
		return err
	})
	return q, err
}

func (b *binding) freeQueries(h handle) { h.(*wgpu.QuerySet).Release() }

func writeTimestamp(enc *wgpu.CommandEncoder, queries handle, index uint32) error {
	return enc.WriteTimestamp(queries.(*wgpu.QuerySet), index)
}

func resolveTimestamps(enc *wgpu.CommandEncoder, queries handle, to *wgpu.Buffer) error {
	return enc.ResolveQuerySet(queries.(*wgpu.QuerySet), 0, 2, to, 0)
}

// checkLayout verifies that wgpu.Buffer and wgpu.Queue are what nativeHandle
// takes them for: two pointers, the second being the object.
func checkLayout() error {
	for _, v := range []any{wgpu.Buffer{}, wgpu.Queue{}} {
		t := reflect.TypeOf(v)
		if t.NumField() != 2 || t.Field(1).Name != "ref" || t.Field(1).Type.Kind() != reflect.Pointer ||
			t.Field(1).Offset != unsafe.Sizeof(uintptr(0)) || t.Size() != 2*unsafe.Sizeof(uintptr(0)) {
			return fmt.Errorf("%w: %v of this version of the binding is not laid out as expected", ErrNoDevice, t)
		}
	}
	return nil
}

func nativeHandle[T wgpu.Buffer | wgpu.Queue](p *T) unsafe.Pointer {
	return (*[2]unsafe.Pointer)(unsafe.Pointer(p))[1]
}

// completions tells which submissions are complete.
type completions struct {
	b       *binding
	polling sync.Mutex

	mu      sync.Mutex
	pending []pendingWait // in order of submission
	last    uint64        // all up to this one are complete
}

type pendingWait struct {
	seq  uint64
	wait *C.kansu_wait
}

func newCompletions(b *binding) (*completions, error) { return &completions{b: b}, nil }

// track starts to watch for the completion of what was submitted so far.
func (c *completions) track(seq uint64) error {
	w := C.kansu_work_done(nativeHandle(c.b.queue))
	if w == nil {
		return errors.New("out of memory")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pending = append(c.pending, pendingWait{seq, w})
	return nil
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

// poll lets the library look which work is complete, unless another goroutine
// does so at this moment. It never waits inside of the library, whose waits end
// after five seconds as if the work were done.
func (c *completions) poll() {
	if c.polling.TryLock() {
		defer c.polling.Unlock()
		c.b.dev.Poll(false, nil)
	}
}

func (c *completions) free() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.pending {
		C.kansu_leave(p.wait)
	}
	c.pending = nil
}

// pauseAfter pauses for about 1/16 of the time waited so far, at most 1 ms: a
// wait ends at most 6 % late, and polling costs next to nothing once it is long.
func pauseAfter(waited time.Duration) {
	if p := min(waited/16, time.Millisecond); p < 5*time.Microsecond {
		runtime.Gosched()
	} else {
		time.Sleep(p)
	}
}

func (b *binding) wait(seq uint64, waited, slice time.Duration) (bool, error) {
	start := time.Now()
	for {
		if b.done.reached(seq) {
			return true, nil
		}
		b.done.poll()
		if b.done.reached(seq) {
			return true, nil
		}
		spent := time.Since(start)
		if spent >= slice {
			return false, nil
		}
		pauseAfter(waited + spent)
	}
}

// Statuses of a mapping, as the library counts them.
const (
	mapSuccess    = 0
	mapDeviceLost = 3
)

func (b *binding) read(h handle, dst []byte) error {
	buf := h.(*wgpu.Buffer)
	size := roundUp(len(dst), 4)
	w := C.kansu_map(nativeHandle(buf), C.size_t(size))
	if w == nil {
		return fmt.Errorf("%w: mapping", ErrOutOfMemory)
	}
	defer C.kansu_leave(w)
	const patience = 10 * time.Second // the work is complete, this takes microseconds
	start := time.Now()
	for C.kansu_state(w) == 0 {
		b.done.poll()
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
