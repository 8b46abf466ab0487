// Package enginetest runs a test on every backend that there is.
package enginetest

import (
	"testing"

	"github.com/kansu-dev/kansu/internal/gputest"
	"github.com/kansu-dev/kansu/ops"
)

// Backends names the two ways to compute, and what chooses them.
var Backends = []struct {
	Name   string
	Option ops.Option
}{{"cpu", ops.WithAdapter("cpu")}, {"gpu", ops.RequireGPU()}}

// Each runs f on an engine of each backend, as a subtest of its name, and closes
// the engine. A missing GPU is what gputest makes of it.
func Each(t *testing.T, f func(t *testing.T, e *ops.Engine), o ...ops.Option) {
	for _, b := range Backends {
		t.Run(b.Name, func(t *testing.T) {
			e, err := ops.Open(append(o, b.Option)...)
			if err != nil && b.Name == "gpu" {
				gputest.Missing(t, err)
			}
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
