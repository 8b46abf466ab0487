package tests

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/kansu-dev/kansu/ops"
)

// TestOutOfMemory fills the memory that a software adapter can have: in a
// process of its own, whose address space is bounded. A call then returns
// ErrOutOfMemory, names the size, and does no harm: what was there is intact,
// and after a release the same call works.
func TestOutOfMemory(t *testing.T) {
	const child = "KANSU_TEST_OUT_OF_MEMORY"
	if os.Getenv(child) == "" {
		for _, b := range backends(t) {
			if b.name == "gpu" {
				cmd := exec.Command(os.Args[0], "-test.run=^TestOutOfMemory$", "-test.v")
				cmd.Env = append(os.Environ(), child+"=1")
				out, err := cmd.CombinedOutput()
				require.NoError(t, err, "the process died or failed:\n%s", out)
				t.Log(strings.TrimSpace(string(out)))
			}
		}
		return
	}
	e, err := ops.Open(ops.RequireGPU())
	require.NoError(t, err)
	if e.Device().Type != "cpu" {
		t.Skip("a bound on the address space bounds a software adapter's memory only")
	}
	const n = 24 << 20 // elements of one tensor, of 96 MiB
	data := make([]float32, n)
	data[n-1] = 7
	witness, err := e.Tensor(data, n)
	require.NoError(t, err)
	got, err := witness.Data() // and memory for the read at the end
	require.NoError(t, err)

	// Room for some tensors and most of one: that rest is there for what else needs
	// memory when one more is refused, such as a new thread of the runtime, which
	// ends the process where it gets none.
	e.GPU().Trim()
	boundAddressSpace(t, 8*4*n+72<<20)
	var held []*ops.Tensor
	for err == nil && len(held) < 100 {
		var x *ops.Tensor
		if x, err = ops.ReLU(witness); err == nil {
			held = append(held, x)
			err = e.Wait()
		}
	}
	t.Logf("%d tensors of %d MiB, then: %v", len(held), n*4>>20, err)
	require.ErrorIs(t, err, ops.ErrOutOfMemory)
	require.ErrorContains(t, err, strconv.Itoa(n*4))
	for _, x := range held {
		x.Release()
	}
	y, err := ops.ReLU(witness)
	require.NoError(t, err, "after a release")
	clear(got)
	require.NoError(t, y.Read(got))
	require.Equal(t, float32(7), got[n-1])
	require.NoError(t, e.Close())
}

// boundAddressSpace lets the process grow by so many bytes and no more.
func boundAddressSpace(t *testing.T, room uint64) {
	raw, err := os.ReadFile("/proc/self/statm")
	require.NoError(t, err)
	pages, err := strconv.ParseUint(strings.Fields(string(raw))[0], 10, 64)
	require.NoError(t, err)
	limit := pages*uint64(os.Getpagesize()) + room
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_AS, &syscall.Rlimit{Cur: limit, Max: limit}))
}
