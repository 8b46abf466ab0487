package fast

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCeilings(t *testing.T) {
	for _, threads := range []int{1, 3} {
		old := SetThreads(threads)
		require.Equal(t, MultiplyAdds(1)*40, MultiplyAdds(40), "operations grow with the rounds")
		src := make([]float32, 1001)
		for i := range src {
			src[i] = float32(i)
		}
		for _, stream := range []bool{false, true} {
			dst := make([]float32, len(src))
			Copy(dst, src, 2, stream)
			require.Equal(t, src, dst)
		}
		SetThreads(old)
	}
}
