package gpu

import (
	"fmt"
	"os"
	"sort"
	"strings"
)

// AdapterEnv is the environment variable that Open reads where
// Options.Adapter is empty.
const AdapterEnv = "KANSU_ADAPTER"

// AdapterType says what kind of hardware an adapter is.
type AdapterType int

// The kinds of adapter.
const (
	Discrete   AdapterType = iota // a GPU with memory of its own
	Integrated                    // a GPU that shares the CPU's memory
	Virtual                       // a GPU lent to a virtual machine
	CPU                           // software that runs shaders on the CPU
	Other                         // the driver does not say
)

// String returns the kind's name in lower case.
func (t AdapterType) String() string {
	switch t {
	case Discrete:
		return "discrete"
	case Integrated:
		return "integrated"
	case Virtual:
		return "virtual"
	case CPU:
		return "cpu"
	case Other:
		return "other"
	}
	return fmt.Sprintf("AdapterType(%d)", int(t))
}

// Limits are the limits of a device that matter to compute shaders. A device
// is always opened with all that its adapter offers.
type Limits struct {
	MaxBufferSize       uint64 // bytes of one buffer
	MaxBindingSize      uint64 // bytes of one storage binding; NewBuffer keeps to the smaller of the two
	MaxWorkgroupStorage int    // bytes of var<workgroup> of one workgroup
	MaxInvocations      int    // invocations of one workgroup, x*y*z
	MaxWorkgroupSizeX   int    // invocations of one workgroup along x
	MaxWorkgroupSizeY   int    // along y
	MaxWorkgroupSizeZ   int    // along z
	MaxGroups           int    // workgroups of one dispatch in each dimension, 65535
	MaxStorageBuffers   int    // storage bindings of one kernel
	MaxParamBytes       int    // bytes of one parameter block
	MinUniformAlign     int    // bytes between parameter blocks in the arena
}

// Info describes an adapter.
type Info struct {
	Name       string      // the device's name
	Vendor     string      // the vendor's name, or its PCI number in hexadecimal
	Driver     string      // the driver's name and version, "" where it does not tell
	Backend    string      // "vulkan", "metal", "dx12", "opengl" or "webgpu" (a browser's)
	Type       AdapterType // the kind of hardware
	Limits     Limits      // the limits a device of this adapter has
	Timestamps bool        // Device.Time works
	NsPerTick  float64     // nanoseconds of one timestamp tick, 0 until Device.Time measured it
	Features   []string    // optional features of the adapter, sorted
	Refused    string      // why Open never takes this adapter, "" where it may
}

// String names the adapter in one line.
func (i Info) String() string {
	s := fmt.Sprintf("%s (%s, %s)", i.Name, i.Type, i.Backend)
	if i.Refused != "" {
		s += ", refused: " + i.Refused
	}
	return s
}

// Adapters lists the adapters of the machine, the best first, as Open ranks
// them; adapters that Open never takes come last and say why in Refused. A
// machine without adapters has an empty list; the error is ErrNoDevice where
// this build cannot look for any.
//
// OpenGL adapters are not listed: asking for them makes Mesa write to standard
// error, and Open would refuse them.
func Adapters() ([]Info, error) {
	found, err := findAdapters()
	if err != nil {
		return nil, err
	}
	infos := make([]Info, len(found))
	for i, c := range found {
		infos[i] = c.info
		c.release()
	}
	sortAdapters(infos, func(i Info) Info { return i })
	return infos, nil
}

// candidate is an adapter that can be opened, until it is released.
type candidate struct {
	info    Info
	open    func() (driver, error)
	release func()
}

// What shaders of the packages above need at the least: WebGPU's own default
// limits, which every conforming adapter has.
const (
	leastStorageBuffers   = 8
	leastInvocations      = 256
	leastWorkgroupStorage = 16 << 10
)

// refusal says why an adapter cannot be used, or "".
func refusal(i Info) string {
	l := i.Limits
	switch {
	case i.Backend == "opengl":
		return "OpenGL runs compute shaders only in part; Vulkan, Metal or DX12 is needed"
	case i.Backend != "vulkan" && i.Backend != "metal" && i.Backend != "dx12" && i.Backend != "webgpu":
		return fmt.Sprintf("the backend %q is not known; Vulkan, Metal or DX12 is needed", i.Backend)
	case l.MaxStorageBuffers < leastStorageBuffers:
		return fmt.Sprintf("it has %d storage buffers per shader, %d are needed", l.MaxStorageBuffers, leastStorageBuffers)
	case l.MaxInvocations < leastInvocations:
		return fmt.Sprintf("it has %d invocations per workgroup, %d are needed", l.MaxInvocations, leastInvocations)
	case l.MaxWorkgroupStorage < leastWorkgroupStorage:
		return fmt.Sprintf("it has %d bytes of workgroup memory, %d are needed", l.MaxWorkgroupStorage, leastWorkgroupStorage)
	}
	return ""
}

// rank orders adapters: usable before refused, then by kind of hardware, then
// by backend. Lower is better.
func rank(i Info) int {
	kind := map[AdapterType]int{Discrete: 0, Integrated: 1, Virtual: 2, Other: 3, CPU: 4}
	backend := map[string]int{"vulkan": 0, "metal": 1, "dx12": 2, "webgpu": 3}
	r := len(backend)
	if n, ok := backend[i.Backend]; ok {
		r = n
	}
	if n, ok := kind[i.Type]; ok {
		r += 10 * n
	} else {
		r += 10 * kind[Other]
	}
	if i.Refused != "" {
		r += 1000
	}
	return r
}

func sortAdapters[T any](s []T, info func(T) Info) {
	sort.SliceStable(s, func(a, b int) bool { return rank(info(s[a])) < rank(info(s[b])) })
}

// wantedAdapter is what Options and the environment ask for, lower case.
func wantedAdapter(o Options) string {
	want := o.Adapter
	if want == "" {
		want = os.Getenv(AdapterEnv)
	}
	return strings.ToLower(strings.TrimSpace(want))
}

// choose returns the index of the adapter to open. want is a lower-case part
// of a name, or "" for the best.
func choose(infos []Info, want string) (int, error) {
	if want == "cpu" || want == "none" {
		return 0, fmt.Errorf("%w: pure Go was asked for (adapter %q)", ErrNoDevice, want)
	}
	order := make([]int, len(infos))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(a, b int) bool { return rank(infos[order[a]]) < rank(infos[order[b]]) })

	var names []string
	for _, n := range order {
		i := infos[n]
		names = append(names, i.String())
		if !matches(i, want) {
			continue
		}
		if i.Refused == "" {
			return n, nil
		}
		if want != "" {
			return 0, fmt.Errorf("%w: adapter %q is %s, which is refused: %s", ErrNoDevice, want, i.Name, i.Refused)
		}
	}
	switch {
	case len(infos) == 0:
		return 0, fmt.Errorf("%w: this machine has no Vulkan, Metal or DX12 adapter", ErrNoDevice)
	case want == "":
		return 0, fmt.Errorf("%w: no adapter can be used: %s", ErrNoDevice, strings.Join(names, "; "))
	}
	return 0, fmt.Errorf("%w: no adapter has %q in its name, vendor, driver, backend or type; there are: %s",
		ErrNoDevice, want, strings.Join(names, "; "))
}

func matches(i Info, want string) bool {
	for _, s := range []string{i.Name, i.Vendor, i.Driver, i.Backend, i.Type.String()} {
		if strings.Contains(strings.ToLower(s), want) {
			return true
		}
	}
	return false
}

// vendorName names the common PCI and Khronos vendor numbers.
func vendorName(id uint32) string {
	switch id {
	case 0x1002, 0x1022:
		return "AMD"
	case 0x1010:
		return "Imagination"
	case 0x106b:
		return "Apple"
	case 0x10de:
		return "NVIDIA"
	case 0x13b5:
		return "Arm"
	case 0x1414:
		return "Microsoft"
	case 0x14e4:
		return "Broadcom"
	case 0x1ae0:
		return "Google"
	case 0x1af4:
		return "Virtio"
	case 0x5143:
		return "Qualcomm"
	case 0x8086:
		return "Intel"
	case 0x10005:
		return "Mesa"
	}
	return fmt.Sprintf("%#04x", id)
}

// softwareName reports whether an adapter of this name is a software
// rasteriser. The library calls virtual GPUs "cpu" too; this tells them apart.
func softwareName(name string) bool {
	name = strings.ToLower(name)
	for _, s := range []string{"llvmpipe", "lavapipe", "softpipe", "swiftshader", "basic render", "warp"} {
		if strings.Contains(name, s) {
			return true
		}
	}
	return false
}
