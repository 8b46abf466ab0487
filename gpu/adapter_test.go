package gpu

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func someAdapter(name string, kind AdapterType, backend string) Info {
	i := fakeInfo()
	i.Name, i.Type, i.Backend = name, kind, backend
	i.Refused = refusal(i)
	return i
}

func TestRank(t *testing.T) {
	want := []Info{
		someAdapter("d", Discrete, "vulkan"), someAdapter("dm", Discrete, "metal"), someAdapter("dx", Discrete, "dx12"),
		someAdapter("i", Integrated, "vulkan"), someAdapter("ix", Integrated, "dx12"),
		someAdapter("v", Virtual, "vulkan"), someAdapter("o", Other, "vulkan"), someAdapter("odd", AdapterType(9), "vulkan"),
		someAdapter("c", CPU, "vulkan"), someAdapter("gl", Discrete, "opengl"),
	}
	got := []Info{want[9], want[8], want[6], want[7], want[5], want[4], want[3], want[2], want[1], want[0]}
	sortAdapters(got, func(i Info) Info { return i })
	for i := range want {
		assert.Equal(t, want[i].Name, got[i].Name, "place %d", i)
	}
}

func TestChoose(t *testing.T) {
	infos := []Info{
		someAdapter("llvmpipe (LLVM 15)", CPU, "vulkan"),
		someAdapter("GeForce RTX 4090", Discrete, "opengl"),
		someAdapter("Intel UHD 770", Integrated, "vulkan"),
		someAdapter("GeForce RTX 4090", Discrete, "vulkan"),
	}
	for _, c := range []struct {
		want string
		name string
		all  []Info
		err  string
	}{
		{want: "", all: infos, name: infos[3].Name},
		{want: "llvm", all: infos, name: infos[0].Name},
		{want: "uhd", all: infos, name: infos[2].Name},
		{want: "integrated", all: infos, name: infos[2].Name},
		{want: "geforce", all: infos, name: infos[3].Name}, // not the OpenGL one before it
		{want: "cpu", all: infos, err: "pure Go was asked for"},
		{want: "none", all: infos, err: "pure Go was asked for"},
		{want: "opengl", all: infos, err: "is refused: OpenGL"},
		{want: "radeon", all: infos, err: `no adapter has "radeon"`},
		{want: "", all: nil, err: "no Vulkan, Metal or DX12 adapter"},
		{want: "uhd", all: nil, err: "no Vulkan, Metal or DX12 adapter"},
		{want: "", all: infos[1:2], err: "no adapter can be used"},
	} {
		t.Run(fmt.Sprintf("%q of %d", c.want, len(c.all)), func(t *testing.T) {
			n, err := choose(c.all, c.want)
			if c.err != "" {
				require.ErrorIs(t, err, ErrNoDevice)
				require.ErrorContains(t, err, c.err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.name, c.all[n].Name)
			assert.Empty(t, c.all[n].Refused)
		})
	}
}

func TestRefusal(t *testing.T) {
	for _, c := range []struct {
		change func(*Info)
		want   string
	}{
		{func(i *Info) {}, ""},
		{func(i *Info) { i.Backend = "opengl" }, "OpenGL"},
		{func(i *Info) { i.Backend = "backend 1" }, `"backend 1" is not known`},
		{func(i *Info) { i.Limits.MaxStorageBuffers = 4 }, "4 storage buffers"},
		{func(i *Info) { i.Limits.MaxInvocations = 128 }, "128 invocations"},
		{func(i *Info) { i.Limits.MaxWorkgroupStorage = 1 << 10 }, "1024 bytes of workgroup memory"},
	} {
		i := fakeInfo()
		c.change(&i)
		if got := refusal(i); c.want == "" {
			assert.Empty(t, got)
		} else {
			assert.Contains(t, got, c.want)
		}
	}
}

func TestWantedAdapter(t *testing.T) {
	t.Setenv(AdapterEnv, " LLVMpipe ")
	assert.Equal(t, "llvmpipe", wantedAdapter(Options{}))
	assert.Equal(t, "cpu", wantedAdapter(Options{Adapter: "CPU"}), "the option goes before the environment")
	t.Setenv(AdapterEnv, "")
	assert.Empty(t, wantedAdapter(Options{}))
}

func TestOpenPureGo(t *testing.T) {
	for _, name := range []string{"cpu", "none", "NONE"} {
		_, err := Open(Options{Adapter: name})
		require.ErrorIs(t, err, ErrNoDevice)
		require.ErrorContains(t, err, "pure Go was asked for")
	}
	t.Setenv(AdapterEnv, "cpu")
	_, err := Open(Options{})
	require.ErrorIs(t, err, ErrNoDevice)
}

func TestOpenUnknownAdapter(t *testing.T) {
	_, err := Open(Options{Adapter: "no such adapter"})
	require.ErrorIs(t, err, ErrNoDevice)
}

func TestAdapterNames(t *testing.T) {
	assert.Equal(t, "discrete", Discrete.String())
	assert.Equal(t, "integrated", Integrated.String())
	assert.Equal(t, "virtual", Virtual.String())
	assert.Equal(t, "cpu", CPU.String())
	assert.Equal(t, "other", Other.String())
	assert.Equal(t, "AdapterType(9)", AdapterType(9).String())
	assert.Equal(t, "NVIDIA", vendorName(0x10de))
	assert.Equal(t, "0x1234", vendorName(0x1234))
	assert.Equal(t, "GeForce (discrete, opengl), refused: "+refusal(someAdapter("", Discrete, "opengl")),
		someAdapter("GeForce", Discrete, "opengl").String())
	assert.True(t, softwareName("llvmpipe (LLVM 15.0.6, 256 bits)"))
	assert.True(t, softwareName("Microsoft Basic Render Driver"))
	assert.False(t, softwareName("Virtio-GPU Venus (Radeon)"))
}
