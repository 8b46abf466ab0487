package steady

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// failing records whether a test was failed.
type failing struct {
	testing.TB
	failed bool
}

func (f *failing) Helper()               {}
func (f *failing) Logf(string, ...any)   {}
func (f *failing) Errorf(string, ...any) { f.failed = true }

func TestRequire(t *testing.T) {
	for _, c := range []struct {
		name string
		held func(round int64) int64
		leak bool
	}{
		{"the same", func(int64) int64 { return 1000 }, false},
		{"less", func(n int64) int64 { return 1000 - 100*n }, false},
		{"a little", func(n int64) int64 { return 10 * n }, false},
		{"three times", func(n int64) int64 { return 100 * min(n, 3) }, false},
		{"always", func(n int64) int64 { return 11 * n }, true},
	} {
		f := &failing{TB: t}
		n := int64(0)
		Require(f, c.name, 10, func() int64 { n++; return c.held(n) })
		require.Equal(t, c.leak, f.failed, c.name)
	}
}
