package gpu

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// fake is a driver without a device, for tests of everything above a driver.
// It keeps the queue's rules (a write takes effect at the next submission,
// before its work), runs the two test programs in Go, fails on demand, and
// fails the test where the device does what a real driver answers with the end
// of the process: naming a freed object.
type fake struct {
	t testing.TB

	mu        sync.Mutex
	adapter   Info
	memory    uint64           // bytes that fit, 0 = any number
	used      uint64           // bytes of live buffers
	fail      map[string]error // by method: its next call fails
	lost      bool             // every call fails
	hang      bool             // nothing ever completes
	submitted uint64
	pending   []func() // writes since the last submission
	live      map[any]string
	calls     map[string]int
	closed    []bool // the argument of each close
}

type fakeBuffer struct {
	data []byte
	kind bufferKind
}

type fakeLayout struct{ key layoutKey }

type fakeKernel struct {
	layout *fakeLayout
	run    func(params []byte, bound [][]byte)
}

type fakeGroup struct {
	layout     *fakeLayout
	arena      *fakeBuffer
	paramBytes int
	buffers    []*fakeBuffer
}

// fakeTick is the nanoseconds between ticks of the fake's clock, of 25 MHz.
const fakeTick = 40

var fakeStart = time.Now()

type fakeQueries struct{ ticks [2]uint64 }

func fakeInfo() Info {
	return Info{
		Name: "fake", Vendor: "test", Backend: "vulkan", Type: Discrete, Timestamps: true,
		Limits: Limits{
			MaxBufferSize: 1 << 30, MaxBindingSize: 1 << 28, MaxWorkgroupStorage: 32 << 10, MaxInvocations: 256,
			MaxWorkgroupSizeX: 256, MaxWorkgroupSizeY: 256, MaxWorkgroupSizeZ: 64, MaxGroups: 65535,
			MaxStorageBuffers: 8, MaxParamBytes: 64 << 10, MinUniformAlign: 64,
		},
	}
}

// openFake opens a device on a fake driver. It is closed with the test, and
// nothing may be left in the driver then.
func openFake(t testing.TB, o Options) (*Device, *fake) {
	t.Helper()
	f := &fake{t: t, adapter: fakeInfo(), live: map[any]string{}, calls: map[string]int{}, fail: map[string]error{}}
	d, err := newDevice(f, o)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, d.Close())
		if !f.lost && !f.hang {
			assert.Empty(t, f.live, "objects left in the driver")
			assert.Equal(t, []bool{true}, f.closed)
		}
	})
	return d, f
}

// set changes how the driver behaves.
func (f *fake) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

// enter begins a call; the lock is held until the returned function runs.
func (f *fake) enter(name string) (func(), error) {
	f.mu.Lock()
	f.calls[name]++
	if f.lost {
		return f.mu.Unlock, fmt.Errorf("%w: as the test wants", ErrDeviceLost)
	}
	err := f.fail[name]
	delete(f.fail, name)
	return f.mu.Unlock, err
}

func (f *fake) alive(h any, what string) {
	if _, ok := f.live[h]; !ok {
		f.t.Errorf("%s names a freed object: %T", what, h)
	}
}

func (f *fake) free(h any) {
	f.alive(h, "free")
	delete(f.live, h)
}

func (f *fake) info() Info { return f.adapter }

func (f *fake) newBuffer(size uint64, kind bufferKind) (handle, error) {
	leave, err := f.enter("newBuffer")
	defer leave()
	if err != nil {
		return nil, err
	}
	if f.memory > 0 && f.used+size > f.memory {
		return nil, fmt.Errorf("%w: Not enough memory left.", ErrOutOfMemory)
	}
	b := &fakeBuffer{data: make([]byte, size), kind: kind}
	f.used += size
	f.live[b] = "buffer"
	return b, nil
}

func (f *fake) freeBuffer(h handle) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for o := range f.live {
		if g, ok := o.(*fakeGroup); ok {
			for _, b := range g.buffers {
				if b == h {
					f.t.Errorf("a buffer is freed before a bind group that names it")
				}
			}
		}
	}
	f.used -= uint64(len(h.(*fakeBuffer).data))
	f.free(h)
}

func (f *fake) write(h handle, offset uint64, data []byte) error {
	leave, err := f.enter("write")
	defer leave()
	if err != nil {
		return err
	}
	f.alive(h, "write")
	b := h.(*fakeBuffer)
	if offset%4 != 0 || len(data)%4 != 0 || len(data) == 0 || offset+uint64(len(data)) > uint64(len(b.data)) {
		f.t.Errorf("write of %d bytes at %d to %d", len(data), offset, len(b.data))
	}
	kept := append([]byte(nil), data...)
	f.pending = append(f.pending, func() { copy(b.data[offset:], kept) })
	return nil
}

func (f *fake) newLayout(l layoutKey) (handle, error) {
	leave, err := f.enter("newLayout")
	defer leave()
	if err != nil {
		return nil, err
	}
	h := &fakeLayout{l}
	f.live[h] = "layout"
	return h, nil
}

func (f *fake) freeLayout(h handle) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.free(h)
}

func (f *fake) newKernel(layout handle, source, entry string) (handle, error) {
	leave, err := f.enter("newKernel")
	defer leave()
	if err != nil {
		return nil, err
	}
	f.alive(layout, "newKernel")
	k := &fakeKernel{layout: layout.(*fakeLayout), run: func([]byte, [][]byte) {}}
	switch source {
	case scaleWGSL:
		k.run = func(p []byte, b [][]byte) {
			for i := range int(word(p, 0)) {
				binary.LittleEndian.PutUint32(b[1][4*i:], word(b[0], i)*word(p, 1)+word(p, 2))
			}
		}
	case addWGSL:
		k.run = func(p []byte, b [][]byte) {
			for i := range int(word(p, 0)) {
				binary.LittleEndian.PutUint32(b[0][4*i:], word(b[0], i)+word(p, 1))
			}
		}
	}
	f.live[k] = "kernel"
	return k, nil
}

func (f *fake) freeKernel(h handle) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.free(h)
}

func (f *fake) newGroup(layout, arena handle, paramBytes int, buffers []*memory) (handle, error) {
	leave, err := f.enter("newGroup")
	defer leave()
	if err != nil {
		return nil, err
	}
	f.alive(layout, "newGroup")
	f.alive(arena, "newGroup")
	g := &fakeGroup{layout: layout.(*fakeLayout), arena: arena.(*fakeBuffer), paramBytes: paramBytes}
	for _, m := range buffers {
		f.alive(m.handle, "newGroup")
		g.buffers = append(g.buffers, m.handle.(*fakeBuffer))
	}
	f.live[g] = "group"
	return g, nil
}

func (f *fake) freeGroup(h handle) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.free(h)
}

func (f *fake) newQueries() (handle, error) {
	leave, err := f.enter("newQueries")
	defer leave()
	if err != nil {
		return nil, err
	}
	q := &fakeQueries{}
	f.live[q] = "queries"
	return q, nil
}

func (f *fake) freeQueries(h handle) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.free(h)
}

func (f *fake) submit(s *submission) error {
	leave, err := f.enter("submit")
	defer leave()
	if err != nil {
		return err
	}
	if s.seq != f.submitted+1 {
		f.t.Errorf("submission %d after %d", s.seq, f.submitted)
	}
	f.submitted = s.seq
	for _, w := range f.pending {
		w()
	}
	f.pending = nil
	copy(s.arena.(*fakeBuffer).data, s.params)
	stamp := func(i int) {
		q := s.queries.(*fakeQueries)
		f.alive(q, "timestamp")
		q.ticks[i] = uint64(time.Since(fakeStart) / fakeTick)
	}
	if s.begin {
		stamp(0)
	}
	for i := range s.work {
		f.runCommand(&s.work[i])
	}
	if s.end {
		stamp(1)
		f.alive(s.resolve, "resolve")
		q := s.queries.(*fakeQueries)
		binary.LittleEndian.PutUint64(s.resolve.(*fakeBuffer).data, q.ticks[0])
		binary.LittleEndian.PutUint64(s.resolve.(*fakeBuffer).data[8:], q.ticks[1])
	}
	for _, c := range s.copies {
		f.alive(c.from, "copy")
		f.alive(c.to, "copy")
		from, to := c.from.(*fakeBuffer), c.to.(*fakeBuffer)
		copy(to.data[c.toOffset:c.toOffset+c.size], from.data[c.fromOffset:c.fromOffset+c.size])
	}
	return nil
}

func (f *fake) runCommand(w *command) {
	f.alive(w.kernel.handle, "submission")
	f.alive(w.group.handle, "submission")
	k, g := w.kernel.handle.(*fakeKernel), w.group.handle.(*fakeGroup)
	if k.layout != g.layout {
		f.t.Errorf("kernel %q runs with a bind group of another layout", w.kernel.name)
	}
	var bound [][]byte
	for _, b := range g.buffers {
		f.alive(b, "submission")
		bound = append(bound, b.data)
	}
	if int(w.offset)%f.adapter.Limits.MinUniformAlign != 0 {
		f.t.Errorf("parameters at %d", w.offset)
	}
	k.run(g.arena.data[w.offset:int(w.offset)+g.paramBytes], bound)
}

func (f *fake) wait(seq uint64, _, slice time.Duration) (bool, error) {
	runtime.Gosched() // as a real wait does; without preemption (js) others would starve
	leave, err := f.enter("wait")
	if err == nil && seq > f.submitted {
		f.t.Errorf("wait for submission %d of %d", seq, f.submitted)
	}
	hang := f.hang
	leave()
	if err != nil {
		return false, err
	}
	if hang {
		time.Sleep(min(slice, time.Millisecond))
		return false, nil
	}
	return true, nil
}

func (f *fake) read(h handle, dst []byte) error {
	leave, err := f.enter("read")
	defer leave()
	if err != nil {
		return err
	}
	f.alive(h, "read")
	copy(dst, h.(*fakeBuffer).data)
	return nil
}

func (f *fake) close(idle bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = append(f.closed, idle)
}

// onEach runs a test on the fake driver and on the machine's device.
func onEach(t *testing.T, o Options, test func(t *testing.T, d *Device)) {
	t.Run("fake", func(t *testing.T) {
		d, _ := openFake(t, o)
		test(t, d)
	})
	t.Run("device", func(t *testing.T) { test(t, openTest(t, o)) })
}
