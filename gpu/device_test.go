package gpu

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDispatchAndRead(t *testing.T) {
	d := openTest(t, Options{})
	const n = 1000
	k := kernelOf(t, d, scaleProgram)
	x, y := bufferOf(t, d, count(0, n)), newBuffer(t, d, 4*n)
	require.NoError(t, d.Dispatch(k, words(n, 3, 7), []*Buffer{x, y}, [3]int{(n + 63) / 64, 1, 1}))
	got := contents(t, d, y)
	for i := range n {
		require.Equal(t, uint32(3*i+7), word(got, i), "element %d", i)
	}
}
