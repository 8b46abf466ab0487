package gpu

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A device that was closed without ever submitting work must leave the next one
// usable: the library used to refuse that one's submissions.
func TestOpenAfterAnIdleDevice(t *testing.T) {
	for range 2 {
		require.NoError(t, openTest(t, Options{}).Close())
	}
	d := openTest(t, Options{})
	b, err := d.NewBuffer(16)
	require.NoError(t, err)
	want := []byte{1, 2, 3, 4}
	require.NoError(t, d.Write(b, 0, want))
	got := make([]byte, 4)
	require.NoError(t, d.Read(b, 0, got))
	require.Equal(t, want, got)
}
