package gpu

import (
	"math/rand/v2"
	"testing"

	"github.com/kansu-dev/kansu/internal/testseed"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSizeClass(t *testing.T) {
	for _, c := range []struct{ bytes, want uint64 }{
		{0, 256}, {1, 256}, {255, 256}, {256, 256}, {257, 512}, {2048, 2048}, {2049, 2304},
		{4096, 4096}, {4097, 4608}, {1 << 20, 1 << 20}, {1 << 16, 1 << 16}, {1<<16 + 1, 1<<16 + 1<<11}, {1<<20 + 1, 1<<20 + 1<<15}, {1<<31 - 1, 1 << 31},
	} {
		assert.Equal(t, c.want, sizeClass(c.bytes), "class of %d", c.bytes)
	}
}

func TestSizeClassProperties(t *testing.T) {
	r := rand.New(rand.NewPCG(testseed.Of(t, 1), 0))
	for range 10000 {
		bytes := r.Uint64N(1 << (1 + r.Uint64N(40)))
		c := sizeClass(bytes)
		require.GreaterOrEqual(t, c, bytes)
		require.Zero(t, c%sizeStep)
		require.Equal(t, c, sizeClass(c), "a class is its own class")
		require.LessOrEqual(t, sizeClass(max(bytes, 1)-1), c, "classes grow with sizes")
		if bytes >= 8*sizeStep {
			require.LessOrEqual(t, c-bytes, bytes/8, "waste of %d", bytes)
		}
	}
}

func TestCapacityFor(t *testing.T) {
	for _, c := range []struct {
		bytes, limit, want uint64
		ok                 bool
	}{
		{1000, 1 << 20, 1024, true},
		{0, 1 << 20, 256, true},
		{1 << 20, 1 << 20, 1 << 20, true},
		{1<<20 + 1, 1 << 20, 0, false},
		{5000, 5200, 5120, true},                    // the class of 5000 is 5120
		{5121, 5200, 0, false},                      // the limit itself is no multiple of 256
		{1<<31 - 300, 1<<31 - 1, 1<<31 - 256, true}, // its class is over the limit
	} {
		got, ok := capacityFor(c.bytes, c.limit)
		assert.Equal(t, c.ok, ok, "%d of %d", c.bytes, c.limit)
		assert.Equal(t, c.want, got, "%d of %d", c.bytes, c.limit)
	}
}

func TestPoolTakesTheMostRecent(t *testing.T) {
	var p pool
	a, b, c := &memory{id: 1, size: 256}, &memory{id: 2, size: 256}, &memory{id: 3, size: 512}
	for _, m := range []*memory{a, b, c} {
		p.put(m)
	}
	assert.Equal(t, 3, p.count)
	assert.EqualValues(t, 1024, p.bytes)
	assert.Same(t, b, p.take(256))
	assert.Same(t, a, p.take(256))
	assert.Nil(t, p.take(256))
	assert.Nil(t, p.take(768))
	assert.Equal(t, 1, p.count)
	assert.EqualValues(t, 512, p.bytes)
}

func TestPoolEvictsTheLongestIdle(t *testing.T) {
	var p pool
	var all []*memory
	for i := range 10 {
		m := &memory{id: uint64(i), size: uint64(256 * (1 + i%3))}
		all = append(all, m)
		p.put(m)
	}
	total := p.bytes
	out := p.evict(total / 2)
	require.NotEmpty(t, out)
	for i, m := range out {
		assert.Same(t, all[i], m, "in the order in which they became idle")
	}
	assert.LessOrEqual(t, p.bytes, total/2)
	assert.Equal(t, 10, len(out)+p.count)
	p.evict(0)
	assert.Zero(t, p.count)
	assert.Zero(t, p.bytes)
	assert.Empty(t, p.evict(0))
}
