package tests

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/kansu-dev/kansu/gpu"
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/shaders"
)

// TestKernelsCompile compiles every kernel that a plan can return, those too
// that this device's plans would not choose.
func TestKernelsCompile(t *testing.T) {
	onEach(t, func(t *testing.T, e *ops.Engine) {
		names := map[string]bool{}
		for _, k := range shaders.Kernels() {
			assert.False(t, names[k.Name], "two kernels are called %s", k.Name)
			names[k.Name] = true
			if e.GPU() == nil {
				continue
			}
			_, err := e.GPU().Kernel(&gpu.Program{Name: k.Name, Source: k.Source, Writes: k.Writes, ParamBytes: k.ParamBytes})
			assert.NoError(t, err, k.Name)
		}
		t.Logf("%d kernels", len(names))
	})
}
