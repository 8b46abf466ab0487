package tune

import (
	"errors"
	"testing"

	"github.com/kansu-dev/kansu/shaders"
	"github.com/stretchr/testify/require"
)

func trial(kernel string, gains ...float64) Trial { return Trial{Kernel: kernel, Gains: gains} }

func TestEntries(t *testing.T) {
	wrong := trial("row1", 9, 9, 9, 9)
	wrong.Err = errors.New("differs")
	slow := trial("row4", 9)
	slow.Slow = true
	all := []Outcome{
		{Function: "gemm", Class: "a", Model: "naive", Trials: []Trial{
			trial("naive", 1, 1, 1, 1), trial("tile64", 1.2, 1.3, 1.4, 1.5), trial("tile32", 1.1, 1.1, 1.3, 1.3), wrong, slow}},
		// noise: less than one in a quarter of the rounds
		{Function: "gemm", Class: "b", Model: "naive", Trials: []Trial{trial("tile64", 0.9, 0.95, 1.4, 1.5)}},
		{Function: "gemm", Class: "c", Model: "naive", Trials: []Trial{trial("tile64", 1.02, 1.05, 1.08, 1.5)}},
		// better on one shape of its class, worse on another
		{Function: "gemm", Class: "d", Model: "naive", Trials: []Trial{trial("tile64", 2, 2, 2, 2), trial("tile32", 1.1, 1.2, 1.2, 1.2)}},
		{Function: "gemm", Class: "d", Model: "naive", Trials: []Trial{trial("tile64", 0.9, 0.9, 0.9, 0.9), trial("tile32", 1.1, 1.2, 1.2, 1.2)}},
		// it cannot serve all shapes of its class
		{Function: "gemm", Class: "e", Model: "naive", Trials: []Trial{trial("tile64", 2, 2, 2, 2)}},
		{Function: "gemm", Class: "e", Model: "naive"},
		{Shape: "without a choice"},
	}
	want := []shaders.TableEntry{{Function: "gemm", Class: "a", Kernel: "tile64", Gain: 1.4}, {Function: "gemm", Class: "d", Kernel: "tile32", Gain: 1.2}}
	require.Equal(t, want, Entries(all, 1.1))

	old := []shaders.TableEntry{{Function: "gemm", Class: "a", Kernel: "row1", Gain: 2}, {Function: "gemm", Class: "b", Kernel: "row1", Gain: 2}, {Function: "conv", Class: "a", Kernel: "naive", Gain: 2}}
	require.Equal(t, append(old[2:3:3], want...), Merge(old, want, all))
}
