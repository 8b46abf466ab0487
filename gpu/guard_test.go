package gpu

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestGuardsFindStrayWrites(t *testing.T) {
	onEach(t, Options{Debug: true}, func(t *testing.T, d *Device) {
		k := kernelOf(t, d, addProgram)
		a, b := bufferOf(t, d, make([]byte, 256)), bufferOf(t, d, make([]byte, 401))
		require.NoError(t, d.Dispatch(k, words(64, 1), []*Buffer{a}, [3]int{1, 1, 1}))
		require.NoError(t, d.Dispatch(k, words(101, 1), []*Buffer{b}, [3]int{2, 1, 1}))
		require.NoError(t, d.CheckGuards())

		// One element too many in each.
		require.NoError(t, d.Dispatch(k, words(65, 1), []*Buffer{a}, [3]int{2, 1, 1}))
		err := d.CheckGuards()
		require.ErrorIs(t, err, ErrGuard)
		require.ErrorContains(t, err, `bytes 256 to 260 were written behind a buffer of 256 bytes`)
		require.ErrorContains(t, err, `"add"`)

		// A broken zone found at Release is reported by the next check, once.
		require.NoError(t, d.Dispatch(k, words(110, 1), []*Buffer{b}, [3]int{2, 1, 1}))
		a.Release()
		b.Release()
		b.Release()
		err = d.CheckGuards()
		require.ErrorIs(t, err, ErrGuard)
		require.ErrorContains(t, err, "bytes 404 to 440 were written behind a buffer of 401 bytes")
		require.NoError(t, d.CheckGuards())
	})
}

func TestPoison(t *testing.T) {
	onEach(t, Options{Debug: true}, func(t *testing.T, d *Device) {
		poisoned := func(b *Buffer) {
			got := contents(t, d, b)
			for i := range len(got) / 4 {
				require.True(t, math.IsNaN(float64(math.Float32frombits(word(got, i)))), "word %d", i)
			}
		}
		b := newBuffer(t, d, 1000)
		poisoned(b)
		require.NoError(t, d.Write(b, 0, make([]byte, 1000)))
		b.Release()
		before := d.Stats().Created
		again := newBuffer(t, d, 990) // of the same class
		assert.Equal(t, before, d.Stats().Created)
		poisoned(again)
	})
}

func TestNoGuardsWithoutDebug(t *testing.T) {
	d, _ := openFake(t, Options{})
	newBuffer(t, d, 100)
	require.NoError(t, d.CheckGuards())
}

func TestBrokenZone(t *testing.T) {
	good := words(poisonWord, poisonWord, poisonWord)
	require.NoError(t, brokenZone(good, 10, "k"))
	bad := words(poisonWord, 1, 2, poisonWord)
	require.ErrorContains(t, brokenZone(bad, 10, "k"), `bytes 16 to 24 were written behind a buffer of 10 bytes; the last kernel that had it writable is "k"`)
}
