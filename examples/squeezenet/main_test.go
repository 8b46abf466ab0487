package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kansu-dev/kansu/examples/squeezenet/internal/files"
	"github.com/kansu-dev/kansu/internal/enginetest"
	"github.com/kansu-dev/kansu/ops"
)

// models is where the trained weights lie, which are not part of the project.
const models = "../../../shared/models/squeezenet"

// worst returns the largest difference of two lists.
func worst(t *testing.T, a, b []float32) float64 {
	require.Len(t, a, len(b))
	d := 0.0
	for i := range a {
		d = max(d, float64(max(a[i]-b[i], b[i]-a[i])))
	}
	return d
}

// TestSqueezeNet runs the network on each backend. Its reference was computed
// naively in float64, from the pixels of derived_input_nchw.npy.
func TestSqueezeNet(t *testing.T) {
	if _, err := os.Stat(models); err != nil {
		t.Skipf("no weights: %v", err)
	}
	path := func(name string) string { return filepath.Join(models, name) }
	input, shape, err := files.NPY(path("derived_input_nchw.npy"))
	require.NoError(t, err)
	require.Equal(t, []int{1, 3, 224, 224}, shape)
	want, _, err := files.NPY(path("derived_softmax.npy"))
	require.NoError(t, err)
	names, err := files.Labels(path("labels1001.txt"), len(want))
	require.NoError(t, err)
	photo, err := files.Photo(path("test.jpg"), 224)
	require.NoError(t, err)
	// Decoders of JPEG differ by a level or two of 255, and so do the pixels.
	assert.LessOrEqual(t, worst(t, photo, input), 3.01/127.5, "the photo's pixels")

	enginetest.Each(t, func(t *testing.T, eng *ops.Engine) {
		w, err := files.Weights(eng, path("weights"))
		require.NoError(t, err)
		for _, in := range []struct {
			name   string
			pixels []float32
			within float64
		}{{"reference pixels", input, 1e-5}, {"photo", photo, 1e-2}} {
			got, err := classify(eng, w, in.pixels)
			require.NoError(t, err)
			top := files.Top(got, 3)
			assert.Equal(t, []string{"lesser panda", "teddy", "giant panda"}, []string{names[top[0]], names[top[1]], names[top[2]]}, in.name)
			d := worst(t, got, want)
			t.Logf("%s: max |difference| %.3g", in.name, d)
			assert.LessOrEqual(t, d, in.within, in.name)
		}
	})
}
