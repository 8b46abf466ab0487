package shaders

import (
	"fmt"
	"testing"

	"github.com/kansu-dev/kansu/spec"
	"github.com/stretchr/testify/require"
)

// TestFusedBounded makes chains until there are too many, and then one that is
// there already.
func TestFusedBounded(t *testing.T) {
	var b bounded
	build := func() *Kernel { return &Kernel{} }
	for i := range 7 {
		require.Equal(t, i < 5, b.intern(fmt.Sprintf("test_bounded_%d", i), 5, build) != nil)
	}
	require.NotNil(t, b.intern("test_bounded_3", 5, build))
	require.ErrorIs(t, errMostFused, spec.ErrUnsupported)
}

// TestFusedPlane chooses the kernel that goes plane by plane for normalizations.
func TestFusedPlane(t *testing.T) {
	norm := spec.FusedStep{Norm: &spec.FusedNorm{FusedInput: spec.FusedInput{Inner: 12, Size: 4}, Mean: 1, Variance: 2, Scale: -1, Shift: -1}, Other: -1}
	relu := spec.FusedStep{Act: spec.Activation{Func: spec.ReLU}, Other: -1}
	f := spec.Fused{N: 96, Inputs: []spec.FusedInput{{Inner: 1, Size: 96}, {Inner: 12, Size: 4}, {Inner: 12, Size: 4}}, Steps: []spec.FusedStep{norm, relu}}
	p, err := PlanFused(f, Baseline, "")
	require.NoError(t, err)
	require.Equal(t, "plane", p.Variant)
	require.Equal(t, "relu(batchnorm(x0)) in one pass: nothing else reads what is between", p.Why)
	_, err = PlanFused(f, Baseline, "chain")
	require.ErrorIs(t, err, spec.ErrUnsupported)
	f.Inputs = append(f.Inputs, spec.FusedInput{Inner: 1, Size: 4}) // varies within a plane
	f.Steps = append(f.Steps, spec.FusedStep{Func: spec.Add, Other: 3})
	_, err = PlanFused(f, Baseline, "")
	require.ErrorIs(t, err, spec.ErrUnsupported)
}
