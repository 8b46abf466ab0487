package shaders

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kansu-dev/kansu/spec"
)

var (
	gpuDevice      = Baseline
	softwareDevice = func() Device { d := Baseline; d.CPU = true; return d }()
)

func convOf(t *testing.T, x, w []int, p spec.ConvParams) spec.Conv {
	t.Helper()
	g, err := spec.NewConv(x, w, nil, p)
	require.NoError(t, err)
	return g
}

func TestConvChoice(t *testing.T) {
	one := []int{1}
	for _, c := range []struct {
		name          string
		x, w          []int
		p             spec.ConvParams
		gpu, software string
	}{
		{"3x3, 64 channels, batch 8", []int{8, 64, 56, 56}, []int{64, 64, 3, 3}, spec.ConvParams{Padding: one}, "winograd4", "register8x28"},
		{"3x3, 64 channels, direct", []int{8, 64, 56, 56}, []int{64, 64, 3, 3}, spec.ConvParams{Padding: one, Direct: true}, "tile64x64", "register8x28"},
		{"3x3, 256 channels, large", []int{8, 256, 56, 56}, []int{256, 256, 3, 3}, spec.ConvParams{Padding: one, Direct: true}, "tile128x128", "register8x28"},
		{"3x3, 32 channels", []int{8, 32, 112, 112}, []int{32, 32, 3, 3}, spec.ConvParams{Padding: one, Direct: true}, "tile32x128", "register8x28"},
		{"3x3, 512 channels, 7x7", []int{1, 512, 7, 7}, []int{512, 512, 3, 3}, spec.ConvParams{Padding: one}, "split64x64", "register8x8"},
		{"1x1", []int{8, 256, 56, 56}, []int{64, 256, 1, 1}, spec.ConvParams{}, "tile64x64", "register16x16"},
		{"7x7 on 3 channels", []int{8, 3, 224, 224}, []int{64, 3, 7, 7}, spec.ConvParams{Stride: []int{2}, Padding: []int{3}}, "tile64x64", "register8x16"},
		{"1-D", []int{8, 64, 4096}, []int{64, 64, 9}, spec.ConvParams{Padding: []int{4}}, "tile64x64", "register8x16"},
		{"depthwise", []int{1, 128, 56, 56}, []int{128, 1, 3, 3}, spec.ConvParams{Padding: one, Groups: 128}, "depthwise", "depthwise_row"},
		{"narrow groups", []int{8, 128, 56, 56}, []int{128, 4, 3, 3}, spec.ConvParams{Padding: one, Groups: 32}, "gather8x8", "register8x28"},
		{"tiny", []int{1, 2, 5, 5}, []int{2, 2, 3, 3}, spec.ConvParams{}, "tile32x32", "naive"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := convOf(t, c.x, c.w, c.p)
			for _, d := range []struct {
				dev  Device
				want string
			}{{gpuDevice, c.gpu}, {softwareDevice, c.software}} {
				p, err := PlanConv(g, d.dev, "")
				require.NoError(t, err)
				assert.Equal(t, d.want, p.Variant, "software %t:\n%v", d.dev.CPU, &p)
			}
		})
	}
}

// convVariants are the names that can be forced.
func convVariants(g spec.Conv) []string {
	var names []string
	for _, c := range convCandidates(g, gpuDevice) {
		names = append(names, c.name)
	}
	return names
}

// checkPlan checks what must hold of every plan.
func checkPlan(t *testing.T, p *Plan, dev Device) {
	t.Helper()
	require.NotEmpty(t, p.Steps)
	for i, st := range p.Steps {
		what := fmt.Sprintf("step %d, %s", i, st.Kernel.Name)
		assert.Len(t, st.Params, st.Kernel.ParamBytes, what)
		assert.LessOrEqual(t, st.Kernel.ParamBytes, 256, what)
		assert.Equal(t, st.Kernel.ParamBytes, 4*uniformFields(t, st.Kernel.Source), what)
		assert.Len(t, st.Operands, len(st.Kernel.Writes), what)
		assert.LessOrEqual(t, len(st.Operands), dev.MaxStorageBuffers, what)
		seen := map[Operand]bool{}
		for j, o := range st.Operands {
			assert.False(t, seen[o], "%s: an operand is bound twice", what)
			seen[o] = true
			assert.Equal(t, st.Kernel.Writes[j], !o.IsIn() && j == len(st.Operands)-1, "%s: writes operand %d", what, j)
			if !o.IsIn() && !o.IsOut() {
				require.Less(t, o.Index, len(p.Temps), what)
			}
		}
		for _, n := range st.Groups {
			assert.Positive(t, n, what)
			assert.LessOrEqual(t, n, dev.MaxGroups, what)
		}
		assert.NotContains(t, st.Kernel.Source, "// unroll\n", what)
	}
	assert.True(t, p.Steps[len(p.Steps)-1].Operands[len(p.Steps[len(p.Steps)-1].Operands)-1].IsOut(), "the last step writes y")
	for _, n := range p.Temps {
		assert.Positive(t, n)
		assert.LessOrEqual(t, int64(n)*4, dev.MaxBindingBytes)
	}
}

// uniformFields counts the members of the struct Params.
func uniformFields(t *testing.T, source string) int {
	t.Helper()
	_, rest, ok := strings.Cut(source, "struct Params {\n")
	require.True(t, ok)
	body, _, _ := strings.Cut(rest, "\n}")
	n := 0
	for line := range strings.Lines(body) {
		line, _, _ = strings.Cut(line, "//")
		n += strings.Count(line, ":")
	}
	return n
}

func randomConv(r *rand.Rand) (spec.Conv, error) {
	rank, groups := 1+r.IntN(3), []int{1, 1, 1, 2, 3, 16}[r.IntN(6)]
	cg, kg := []int{1, 1, 2, 3, 17, 64}[r.IntN(6)], []int{1, 2, 5, 16, 64}[r.IntN(5)]
	x, w := []int{1 + r.IntN(3), groups * cg}, []int{groups * kg, cg}
	var p spec.ConvParams
	for range rank {
		x, w = append(x, 1+r.IntN(60)), append(w, 1+r.IntN(11))
		p.Stride = append(p.Stride, 1+r.IntN(5))
		p.Dilation = append(p.Dilation, 1+r.IntN(4))
		p.Padding = append(p.Padding, r.IntN(6))
	}
	if r.IntN(4) == 0 { // what Winograd's method serves
		x, w = append(x[:2], 1+r.IntN(60), 1+r.IntN(60)), append(w[:2], 3, 3)
		p.Stride, p.Dilation, p.Padding = nil, nil, []int{1 + r.IntN(2)}
	}
	p.Groups = groups
	p.PadMode = spec.PadMode(max(0, r.IntN(8)-4))
	p.Act.Func = spec.Pointwises()[r.IntN(len(spec.Pointwises()))]
	return spec.NewConv(x, w, []int{w[0]}, p)
}

func TestConvPlans(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	served := map[string]int{}
	for n := 0; n < 300; {
		g, err := randomConv(r)
		if err != nil {
			continue // not all that is drawn fits
		}
		n++
		for _, dev := range []Device{gpuDevice, softwareDevice} {
			p, err := PlanConv(g, dev, "")
			require.NoError(t, err)
			checkPlan(t, &p, dev)
			for _, name := range convVariants(g) {
				p, err := PlanConv(g, dev, name)
				if err != nil {
					require.ErrorIs(t, err, spec.ErrUnsupported)
					continue
				}
				served[name]++
				assert.Equal(t, name, p.Variant)
				checkPlan(t, &p, dev)
			}
		}
	}
	g := convOf(t, []int{1, 1, 1}, []int{1, 1, 1}, spec.ConvParams{})
	for _, name := range convVariants(g) {
		assert.Positive(t, served[name], "no random case was served by %s", name)
	}
	_, err := PlanConv(g, gpuDevice, "nonsense")
	assert.ErrorIs(t, err, spec.ErrUnsupported)
}

// TestConvLimits has what a kernel cannot bind or run refused before it is tried.
func TestConvTransposePlans(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	served := map[string]int{}
	for n := 0; n < 200; {
		conv, err := randomConv(r)
		if err != nil {
			continue
		}
		w := append([]int{conv.K, conv.CG()}, conv.Kernel[3-conv.Rank:]...)
		g, err := spec.NewConvTranspose(conv.OutShape(), w, []int{conv.C}, spec.ConvTransposeParams{
			Stride: conv.Stride[3-conv.Rank:], Dilation: conv.Dilation[3-conv.Rank:], Groups: conv.Groups, Act: conv.Act})
		require.NoError(t, err)
		n++
		for _, dev := range []Device{gpuDevice, softwareDevice} {
			p, err := PlanConvTranspose(g, dev, "")
			require.NoError(t, err)
			checkPlan(t, &p, dev)
			for _, c := range convTransposeCandidates(g, dev) {
				p, err := PlanConvTranspose(g, dev, c.name)
				if err != nil {
					require.ErrorIs(t, err, spec.ErrUnsupported)
					continue
				}
				served[c.name]++
				checkPlan(t, &p, dev)
			}
		}
	}
	assert.Len(t, served, len(convTiles)+len(registerTiles)+len(phaseTiles)+3)
}

func TestInverseMod(t *testing.T) {
	for m := 1; m <= 40; m++ {
		for a := 1; a <= 40; a++ {
			if gcd(a, m) == 1 {
				assert.Equal(t, 1%m, a*inverseMod(a, m)%m, "%d modulo %d", a, m)
			}
		}
	}
}

func TestConvLimits(t *testing.T) {
	small := gpuDevice
	small.MaxInvocations, small.WorkgroupBytes, small.MaxBindingBytes = 64, 4096, 1<<20
	g := convOf(t, []int{1, 64, 64, 60}, []int{64, 64, 3, 3}, spec.ConvParams{Padding: []int{1}, PadMode: spec.PadReflect})
	p, err := PlanConv(g, small, "")
	require.NoError(t, err)
	checkPlan(t, &p, small)
	for _, name := range []string{"tile128x128", "tile64x64", "tile32x32", "register8x8", "gather8x8"} {
		_, err := PlanConv(g, small, name)
		assert.ErrorIs(t, err, spec.ErrUnsupported, name)
	}
}

// TestConvKernels checks that kernels are enumerated once and under names that
// tell their texts apart, and that plans for usual windows stay within them.
func TestConvKernels(t *testing.T) {
	all := map[*Kernel]bool{}
	sources := map[string]string{}
	for _, k := range convKernels() {
		all[k] = true
		if other, ok := sources[k.Source]; ok && other != k.Name {
			t.Errorf("%s and %s have the same text", other, k.Name)
		}
		sources[k.Source] = k.Name
	}
	for _, kernel := range []int{1, 3, 5, 7} {
		for stride := 1; stride <= 2; stride++ {
			g := convOf(t, []int{1, 64, 56, 56}, []int{64, 64, kernel, kernel}, spec.ConvParams{Stride: []int{stride}, Padding: []int{kernel / 2}})
			for _, dev := range []Device{gpuDevice, softwareDevice} {
				p, err := PlanConv(g, dev, "")
				require.NoError(t, err)
				for _, st := range p.Steps {
					assert.True(t, all[st.Kernel], "%s is not enumerated", st.Kernel.Name)
				}
			}
		}
	}
}

func TestConvPlanIsCached(t *testing.T) {
	g := convOf(t, []int{1, 64, 56, 56}, []int{64, 64, 3, 3}, spec.ConvParams{})
	_, err := PlanConv(g, gpuDevice, "")
	require.NoError(t, err)
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		if _, err := PlanConv(g, gpuDevice, ""); err != nil {
			t.Fatal(err)
		}
	}))
}
