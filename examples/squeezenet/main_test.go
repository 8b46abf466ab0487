package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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
	input, shape, err := readNPY(path("derived_input_nchw.npy"))
	require.NoError(t, err)
	require.Equal(t, []int{1, 3, 224, 224}, shape)
	want, _, err := readNPY(path("derived_softmax.npy"))
	require.NoError(t, err)
	names, err := readLabels(path("labels1001.txt"), len(want))
	require.NoError(t, err)
	photo, err := Photo(path("test.jpg"))
	require.NoError(t, err)
	// Decoders of JPEG differ by a level or two of 255, and so do the pixels.
	assert.LessOrEqual(t, worst(t, photo, input), 3.01/127.5, "the photo's pixels")

	for _, backend := range []struct {
		name string
		open ops.Option
	}{{"cpu", ops.WithAdapter("cpu")}, {"gpu", ops.RequireGPU()}} {
		t.Run(backend.name, func(t *testing.T) {
			eng, err := ops.Open(backend.open)
			if err != nil && backend.name == "gpu" && os.Getenv("KANSU_REQUIRE_GPU") != "1" {
				t.Skip(err)
			}
			require.NoError(t, err)
			defer eng.Close()
			net, err := Load(eng, path("weights"))
			require.NoError(t, err)
			for _, in := range []struct {
				name   string
				pixels []float32
				within float64
			}{{"reference pixels", input, 1e-5}, {"photo", photo, 1e-2}} {
				got, err := net.Classify(in.pixels)
				require.NoError(t, err)
				top := Top(got, 3)
				assert.Equal(t, []string{"lesser panda", "teddy", "giant panda"}, []string{names[top[0]], names[top[1]], names[top[2]]}, in.name)
				d := worst(t, got, want)
				t.Logf("%s: max |difference| %.3g", in.name, d)
				assert.LessOrEqual(t, d, in.within, in.name)
			}
		})
	}
}

func TestReadNPYRefusesDamage(t *testing.T) {
	good := "\x93NUMPY\x01\x00\x46\x00{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }            \n"
	for name, content := range map[string]string{
		"empty":     "",
		"no header": "\x93NUMPY\x01\x00\xff\xff",
		"short":     good + "1234567",
		"long":      good + "123456789",
		"other":     "\x93NUMPY\x01\x00\x46\x00{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }            \n12345678",
	} {
		path := filepath.Join(t.TempDir(), "x.npy")
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		_, _, err := readNPY(path)
		assert.Error(t, err, name)
	}
	path := filepath.Join(t.TempDir(), "x.npy")
	require.NoError(t, os.WriteFile(path, []byte(good+"\x00\x00\x80\x3f\x00\x00\x00\xc0"), 0o600))
	data, shape, err := readNPY(path)
	require.NoError(t, err)
	assert.Equal(t, []float32{1, -2}, data)
	assert.Equal(t, []int{2}, shape)
}
