package gpu

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReleaseAndReuse(t *testing.T) {
	onEach(t, Options{}, func(t *testing.T, d *Device) {
		a := newBuffer(t, d, 1000)
		s := d.Stats()
		assert.Equal(t, 1, s.LiveBuffers)
		assert.EqualValues(t, 1024, s.LiveBytes)
		a.Release()
		a.Release() // harmless
		s = d.Stats()
		assert.Zero(t, s.LiveBuffers)
		assert.Zero(t, s.LiveBytes)
		assert.Equal(t, 1, s.PooledBuffers)
		assert.EqualValues(t, 1024, s.PooledBytes)

		b := newBuffer(t, d, 900) // the same class
		assert.EqualValues(t, 1, d.Stats().Reused)
		assert.EqualValues(t, 1, d.Stats().Created)
		require.ErrorIs(t, d.Write(a, 0, words(1)), ErrReleased, "the old name of reused memory is still dead")
		a.Release()
		assert.Equal(t, 1, d.Stats().LiveBuffers, "nor does it release what now is another's")
		require.NoError(t, d.Write(b, 0, words(1)))

		newBuffer(t, d, 2000)
		assert.EqualValues(t, 1024+2048, d.Stats().PeakBytes)
		b.Release()
		assert.EqualValues(t, 1024+2048, d.Stats().PeakBytes)
		d.Trim()
		s = d.Stats()
		assert.Zero(t, s.PooledBuffers)
		assert.Zero(t, s.PooledBytes)
		assert.Equal(t, 1, s.LiveBuffers)
		var none *Buffer
		none.Release()
	})
}

// A buffer may be released as soon as the work with it is recorded, and even
// given back to the driver.
func TestReleaseWhileRecorded(t *testing.T) {
	onEach(t, Options{}, func(t *testing.T, d *Device) {
		k := kernelOf(t, d, scaleProgram)
		y := newBuffer(t, d, 256)
		x := bufferOf(t, d, count(0, 64))
		require.NoError(t, d.Dispatch(k, words(64, 2, 0), []*Buffer{x, y}, [3]int{1, 1, 1}))
		x.Release()
		z := bufferOf(t, d, count(1000, 64)) // reuses x's memory
		assert.EqualValues(t, 1, d.Stats().Reused)
		got := contents(t, d, y)
		for i := range 64 {
			require.Equal(t, uint32(2*i), word(got, i), "the dispatch saw the old contents")
		}
		require.NoError(t, d.Dispatch(k, words(64, 3, 0), []*Buffer{z, y}, [3]int{1, 1, 1}))
		z.Release()
		d.Trim()
		got = contents(t, d, y)
		for i := range 64 {
			require.Equal(t, uint32(3*(1000+i)), word(got, i))
		}
		assert.Equal(t, 0, d.Stats().BindGroupsHeld, "bind groups go with their buffers")
	})
}

func TestManyBindGroups(t *testing.T) {
	d, f := openFake(t, Options{})
	k := kernelOf(t, d, scaleProgram)
	var buffers []*Buffer
	for range 70 {
		buffers = append(buffers, newBuffer(t, d, 256))
	}
	n := 0
	for _, x := range buffers {
		for _, y := range buffers {
			if x != y {
				require.NoError(t, d.Dispatch(k, words(64, 1, 0), []*Buffer{x, y}, [3]int{1, 1, 1}))
				n++
			}
		}
	}
	require.NoError(t, d.Flush())
	s := d.Stats()
	assert.EqualValues(t, n, s.BindGroups)
	assert.Equal(t, groupsHeld, s.BindGroupsHeld)
	inDriver := 0
	for _, what := range f.live {
		if what == "group" {
			inDriver++
		}
	}
	assert.Equal(t, groupsHeld, inDriver, "evicted groups are freed")
	for _, b := range buffers {
		b.Release()
	}
	d.Trim()
	assert.Zero(t, d.Stats().BindGroupsHeld)
}

// Different buffers with equal hashes are different bind groups.
func TestBindGroupCollisions(t *testing.T) {
	var c groupCache
	l := &layout{id: 1}
	var groups []*group
	for i := range 5 {
		g := &group{layout: l, buffers: []*memory{{id: uint64(i)}}, hash: 7}
		groups = append(groups, g)
		c.add(g)
	}
	for _, g := range groups {
		assert.Same(t, g, c.find(7, l, g.buffers))
		assert.Same(t, g, c.newest)
		assert.Nil(t, c.find(7, &layout{id: 2}, g.buffers))
	}
	for _, i := range []int{2, 0, 4, 1, 3} {
		c.remove(groups[i])
		assert.Nil(t, c.find(7, l, groups[i].buffers))
	}
	assert.Zero(t, c.count)
	assert.Empty(t, c.table)
	assert.Nil(t, c.newest)
	assert.Nil(t, c.oldest)
}

func TestIdleBuffersAreBounded(t *testing.T) {
	d, _ := openFake(t, Options{})
	for i := range 60 { // 8 to 23 MiB, never two of them live
		newBuffer(t, d, 8<<20+i<<18).Release()
	}
	assert.Positive(t, d.Stats().PooledBuffers)
	assert.LessOrEqual(t, d.Stats().PooledBytes, int64(idleBytes))
}

func TestOutOfMemory(t *testing.T) {
	d, f := openFake(t, Options{})
	f.set(func() { f.memory = 1 << 20 })
	k := kernelOf(t, d, addProgram)
	x := bufferOf(t, d, count(0, 64))
	require.NoError(t, d.Dispatch(k, words(64, 1), []*Buffer{x}, [3]int{1, 1, 1}))

	_, err := d.NewBuffer(2 << 20)
	require.ErrorIs(t, err, ErrOutOfMemory)
	require.ErrorContains(t, err, "2097152 bytes asked for while 1 buffers hold 256 bytes")

	// Idle buffers make room before it fails.
	newBuffer(t, d, 500<<10).Release()
	b := newBuffer(t, d, 700<<10)
	assert.Equal(t, 2, d.Stats().LiveBuffers)
	b.Release()

	// The read-back needs more than is left and takes smaller steps.
	big := newBuffer(t, d, 600<<10)
	data := make([]byte, 600<<10)
	copy(data[599<<10:], "the end")
	require.NoError(t, d.Write(big, 0, data))
	f.set(func() { f.memory = f.used + 64<<10 })
	err = d.Read(big, 0, make([]byte, 600<<10))
	require.ErrorIs(t, err, ErrOutOfMemory, "steps under 1 MiB are not cut")

	f.set(func() { f.memory = 1 << 20 })
	got := contents(t, d, x)
	assert.Equal(t, uint32(64), word(got, 63), "what was recorded ran, other buffers are intact")
}

func TestReadInSteps(t *testing.T) {
	d, f := openFake(t, Options{})
	const n = 130 << 20 // three steps
	b := newBuffer(t, d, n)
	for _, at := range []int{0, stagingBytes - 4, stagingBytes, 2 * stagingBytes, n - 4} {
		require.NoError(t, d.Write(b, at, words(uint32(at+1))))
	}
	dst := make([]byte, n)
	require.NoError(t, d.Read(b, 0, dst))
	for _, at := range []int{0, stagingBytes - 4, stagingBytes, 2 * stagingBytes, n - 4} {
		require.Equal(t, uint32(at+1), word(dst[at:], 0), "at %d", at)
	}
	assert.LessOrEqual(t, d.Stats().PooledBytes, int64(stagingBytes))

	// With little memory left the steps are smaller.
	d.Trim()
	clear(dst)
	f.set(func() { f.memory = f.used + 10<<20 })
	require.NoError(t, d.Read(b, 0, dst))
	require.Equal(t, uint32(n-4+1), word(dst[n-4:], 0))
}

// A failing driver call is an error of the call that made it, and the device
// goes on.
func TestDriverErrors(t *testing.T) {
	d, f := openFake(t, Options{})
	k := kernelOf(t, d, addProgram)
	x := bufferOf(t, d, make([]byte, 256))
	odd := errors.New("driver error: odd")
	step := func() error { return d.Dispatch(k, words(64, 1), []*Buffer{x}, [3]int{1, 1, 1}) }
	dst := make([]byte, 256)
	unknown := scaleProgram

	for _, c := range []struct {
		fails string
		call  func() error
	}{
		{"newGroup", step},
		{"newBuffer", func() error { _, err := d.NewBuffer(4096); return err }},
		{"write", func() error { return d.Write(x, 0, words(0)) }},
		{"newLayout", func() error { _, err := d.Kernel(&unknown); return err }},
		{"newKernel", func() error { unknown.Name = "another"; _, err := d.Kernel(&unknown); return err }},
		{"newQueries", func() error { _, err := d.Time(step); return err }},
		{"wait", func() error { require.NoError(t, step()); return d.Wait() }},
		{"read", func() error { return d.Read(x, 0, dst) }},
	} {
		t.Run(c.fails, func(t *testing.T) {
			require.NoError(t, d.Wait())
			f.set(func() { f.fail[c.fails] = fmt.Errorf("%w: odd", ErrDriver) })
			err := c.call()
			require.ErrorIs(t, err, ErrDriver)
			require.ErrorContains(t, err, odd.Error())
			require.NoError(t, c.call(), "the next one goes well")
		})
	}

	require.NoError(t, d.Write(x, 0, make([]byte, 256)))
	require.NoError(t, d.Wait())
	require.NoError(t, step())
	require.NoError(t, step())
	f.set(func() { f.fail["submit"] = fmt.Errorf("%w: odd", ErrDriver) })
	err := d.Flush()
	require.ErrorIs(t, err, ErrDriver)
	require.ErrorContains(t, err, "2 recorded dispatches were dropped")
	require.NoError(t, step())
	assert.Equal(t, uint32(1), word(contents(t, d, x), 0))
}
