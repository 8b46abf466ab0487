package tests

import (
	"flag"
	"os"
	"sync"
	"testing"

	"github.com/kansu-dev/kansu/internal/gputest"
	"github.com/kansu-dev/kansu/internal/testseed"
	"github.com/kansu-dev/kansu/ops"
)

var (
	backendFlag = flag.String("backend", "", "gpu or cpu: the one backend to test (default: each that there is)")
	casesFlag   = flag.String("cases", "", "folder of conformance-v1 files (default: ../../shared/conformance)")
	randomFlag  = flag.Int("random", 40, "random cases for each function")
	seedFlag    = flag.Uint64("seed", 0, "seed of the random cases (default: KANSU_SEED, a number or \"random\", and else always the same)")
)

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(m.Run())
}

// backend is one way to compute.
type backend struct {
	name string
	open func(...ops.Option) (*ops.Engine, error)
}

var gpuOnce = sync.OnceValues(func() (bool, error) {
	e, err := ops.Open(ops.RequireGPU())
	if err != nil {
		return false, err
	}
	return true, e.Close()
})

// backends returns the backends to test: pure Go, and the GPU where there is
// one; see gputest.
func backends(t testing.TB) []backend {
	t.Helper()
	var all []backend
	if *backendFlag == "" || *backendFlag == "cpu" {
		all = append(all, backend{"cpu", func(o ...ops.Option) (*ops.Engine, error) {
			return ops.Open(append(o, ops.WithAdapter("cpu"))...)
		}})
	}
	if *backendFlag == "" || *backendFlag == "gpu" {
		if ok, err := gpuOnce(); ok {
			all = append(all, backend{"gpu", func(o ...ops.Option) (*ops.Engine, error) {
				return ops.Open(append(o, ops.RequireGPU())...)
			}})
		} else if *backendFlag == "gpu" || gputest.Required() {
			t.Fatalf("no GPU to test: %v", err)
		} else {
			t.Logf("the GPU half is left out: %v", err)
		}
	}
	if len(all) == 0 {
		t.Fatalf("-backend=%s: want gpu or cpu", *backendFlag)
	}
	return all
}

// onEach runs a test on every backend, with an engine that is closed afterwards.
func onEach(t *testing.T, f func(t *testing.T, e *ops.Engine), o ...ops.Option) {
	for _, b := range backends(t) {
		t.Run(b.name, func(t *testing.T) {
			e, err := b.open(o...)
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := e.Close(); err != nil {
					t.Error(err)
				}
			}()
			f(t, e)
		})
	}
}

// seed is that of a test's random cases: see testseed, and -seed goes before it.
func seed(t testing.TB) uint64 {
	if *seedFlag != 0 {
		return *seedFlag
	}
	return testseed.Of(t, 1)
}
