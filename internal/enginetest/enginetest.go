// Package enginetest runs a test on every backend that there is.
package enginetest

import (
	"testing"

	"github.com/kansu-dev/kansu/internal/gputest"
	"github.com/kansu-dev/kansu/ops"
)

// Each runs f on an engine of each backend, as a subtest of its name, and closes
// the engine. A missing GPU is what gputest makes of it.
func Each(t *testing.T, f func(t *testing.T, e *ops.Engine), o ...ops.Option) {
	t.Run("cpu", func(t *testing.T) {
		e, err := ops.Open(append(o, ops.WithAdapter("cpu"))...)
		if err != nil {
			t.Fatal(err)
		}
		run(t, e, f)
	})
	t.Run("gpu", func(t *testing.T) { GPU(t, f, o...) })
}

// GPU is Each for the GPU alone, where pure Go has nothing of what is tested.
func GPU(t *testing.T, f func(t *testing.T, e *ops.Engine), o ...ops.Option) {
	e, err := ops.Open(append(o, ops.RequireGPU())...)
	if err != nil {
		gputest.Missing(t, err)
	}
	run(t, e, f)
}

func run(t *testing.T, e *ops.Engine, f func(t *testing.T, e *ops.Engine)) {
	defer func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}()
	f(t, e)
}
