package ops

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A full pool lets go of what has been idle for longest: a program that goes on with
// other sizes finds its own memory again.
func TestPoolGoesWithItsSizes(t *testing.T) {
	const large, small = 64 << 20, 1 << 20 // floats
	var p hostPool
	old := make([][]float32, maxIdle/(4*large))
	for i := range old {
		old[i] = make([]float32, large) // nothing touches its pages
		p.took(large)
	}
	for _, s := range old {
		p.put(s)
	}
	require.EqualValues(t, maxIdle, p.idleBytes())
	p.peak = 0 // so much was never in use at once
	s := p.get(small)
	p.put(s)
	assert.LessOrEqual(t, p.idleBytes(), int64(maxIdle))
	again := p.get(small)
	assert.Same(t, &s[0], &again[0], "the latest memory was let go")
	last := p.get(large)
	assert.Same(t, &old[len(old)-1][0], &last[0], "not the oldest was let go")
}
