package gpu

import "fmt"

// AdapterType says what kind of hardware an adapter is.
type AdapterType int

// The kinds of adapter, best first: Open prefers them in this order.
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
	MinUniformAlign     int    // bytes between parameter blocks in the arena
}

// Info describes an adapter.
type Info struct {
	Name        string      // the device's name
	Vendor      string      // the vendor's name, or its PCI number in hexadecimal
	Driver      string      // the driver's name and version, as far as it tells
	Backend     string      // "vulkan", "metal", "dx12", "opengl" or "webgpu" (a browser's)
	Type        AdapterType // the kind of hardware
	Limits      Limits      // the limits a device of this adapter has
	Timestamps  bool        // Device.Time works
	NsPerTick   float64     // nanoseconds of one timestamp tick; 0 before it was calibrated or without timestamps
	Features    []string    // optional features of the adapter, sorted
	Refused     string      // why Open never takes this adapter, "" where it may
	Fingerprint string      // all of the above that shapes results and speed, for naming recorded measurements
}

// Options says how to open a device. The zero value is the ordinary case.
type Options struct {
	// Adapter is a part of the wanted adapter's name, vendor, driver, backend
	// or type; case does not matter. "cpu" and "none" ask for pure Go: Open then
	// returns ErrNoDevice. "" means the environment variable KANSU_ADAPTER, and
	// where that is empty too the best adapter of the machine.
	Adapter string

	// Debug fills every new and reused buffer with NaN bit patterns, puts a
	// guard zone behind it and verifies the zone at Release and CheckGuards.
	Debug bool
}
