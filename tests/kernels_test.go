package tests

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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

// TestShadersAsTheyStand compiles every shader file as it is in the tree, before
// anything is set or swapped in it.
func TestShadersAsTheyStand(t *testing.T) {
	files, err := filepath.Glob("../shaders/*.wgsl")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	comment := regexp.MustCompile(`//[^\n]*`)
	binding := regexp.MustCompile(`@binding\((\d+)\) var<storage, (read|read_write)>`)
	onEach(t, func(t *testing.T, e *ops.Engine) {
		if e.GPU() == nil {
			t.Skip("there is no compiler without a device")
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			p := &gpu.Program{Name: filepath.Base(file), Source: string(text)}
			source := comment.ReplaceAllString(p.Source, "")
			if !strings.Contains(source, "@compute") {
				continue // functions for others to take in
			}
			if strings.Contains(source, "var<uniform>") {
				p.ParamBytes = 256 // the most that one may have
			}
			p.Writes = make([]bool, strings.Count(source, "var<storage"))
			for _, m := range binding.FindAllStringSubmatch(source, -1) {
				i, err := strconv.Atoi(m[1])
				require.NoError(t, err)
				p.Writes[i-1] = m[2] == "read_write"
			}
			_, err = e.GPU().Kernel(p)
			assert.NoError(t, err, file)
		}
	})
}
