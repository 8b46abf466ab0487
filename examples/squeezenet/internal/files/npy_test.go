package files

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNPYRefusesDamage(t *testing.T) {
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
		_, _, err := NPY(path)
		assert.Error(t, err, name)
	}
	path := filepath.Join(t.TempDir(), "x.npy")
	require.NoError(t, os.WriteFile(path, []byte(good+"\x00\x00\x80\x3f\x00\x00\x00\xc0"), 0o600))
	data, shape, err := NPY(path)
	require.NoError(t, err)
	assert.Equal(t, []float32{1, -2}, data)
	assert.Equal(t, []int{2}, shape)
}
