//go:build cgo

package gpu

// The native part of the driver that needs no C of our own: the instance, the
// adapters with their descriptions, opening, timestamps.

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/cogentcore/webgpu/wgpu"
)

// instance is a WebGPU instance with the number of its users. Each device has
// one of its own: the library keeps the objects of all devices of an instance
// in common tables, and two devices that submit at the same time can find each
// other's command buffers there, over which it aborts the process.
type instance struct {
	*wgpu.Instance
	users atomic.Int32
}

func (i *instance) leave() {
	if i.users.Add(-1) == 0 {
		starting.Lock()
		defer starting.Unlock()
		i.Release()
	}
}

// starting is held while an instance is made, which touches the environment, or
// given back: the library ends the process if it finds the display, of which
// there is one for all instances, closed while it makes another.
var starting sync.Mutex

// backends leaves OpenGL out: its compute shaders are incomplete, and Mesa
// writes to standard error when it is asked.
const backends = wgpu.InstanceBackendVulkan | wgpu.InstanceBackendMetal | wgpu.InstanceBackendDX12

// openInstance makes an instance. The library and Mesa's window-system parts
// write to standard error where there is no display; both are told not to.
func openInstance() (i *instance, err error) {
	starting.Lock()
	defer starting.Unlock()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: the WebGPU library did not start: %v", ErrNoDevice, p)
		}
	}()
	if err := checkLayout(); err != nil {
		return nil, err
	}
	wgpu.SetLogLevel(wgpu.LogLevelOff)
	defer hush()()
	// A descriptor would pass uninitialised memory (the binding fills it in part).
	return &instance{Instance: wgpu.CreateInstance(nil)}, nil
}

// hush keeps drivers that start from writing to standard error, until the
// function that it returns is called. The caller holds starting.
func hush() (end func()) {
	if runtime.GOOS != "linux" {
		return func() {}
	}
	quiet := map[string]string{
		"NODEVICE_SELECT": "1",          // Mesa's layer that asks the window system which GPU to show first
		"XDG_RUNTIME_DIR": os.TempDir(), // which libwayland misses loudly
		"EGL_LOG_LEVEL":   "fatal",
	}
	if !cacheable() {
		quiet["MESA_SHADER_CACHE_DISABLE"] = "true" // it would say at each step that it can keep none
	}
	var ours []string
	for name, value := range quiet {
		if _, set := os.LookupEnv(name); !set {
			os.Setenv(name, value)
			ours = append(ours, name)
		}
	}
	return func() {
		for _, name := range ours {
			os.Unsetenv(name)
		}
	}
}

// cacheable reports whether Mesa finds a folder for its cache of shaders, or can
// make it: neither is so for a user without a home, or on a read-only system.
func cacheable() bool {
	dir := os.Getenv("MESA_SHADER_CACHE_DIR")
	if dir == "" {
		dir = os.Getenv("XDG_CACHE_HOME")
	}
	if dir != "" {
		return usableFolder(dir)
	}
	u, err := user.Current() // Mesa does not ask HOME
	if err != nil {
		return false
	}
	home, err := os.Stat(u.HomeDir)
	return err == nil && home.IsDir() && usableFolder(filepath.Join(u.HomeDir, ".cache"))
}

// usableFolder reports whether a folder can be written to, or be made where there
// is none.
func usableFolder(dir string) bool {
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		dir = filepath.Dir(dir)
	}
	info, err := os.Stat(dir)
	return err == nil && info.IsDir() && mayWrite(dir)
}

func findAdapters() ([]candidate, error) {
	inst, err := openInstance()
	if err != nil {
		return nil, err
	}
	inst.users.Add(1)
	defer inst.leave()
	var found []candidate
	starting.Lock()
	defer starting.Unlock()
	defer hush()()
	for _, a := range inst.EnumerateAdapters(&wgpu.InstanceEnumerateAdapterOptons{Backends: backends}) {
		info := describe(a)
		inst.users.Add(1)
		found = append(found, candidate{
			info: info,
			open: func() (driver, error) {
				starting.Lock()
				defer starting.Unlock()
				defer hush()()
				b, err := openBinding(a, info)
				if err != nil {
					return nil, err
				}
				inst.users.Add(1)
				b.closed = inst.leave
				return b, nil
			},
			release: func() {
				a.Release()
				inst.leave()
			},
		})
	}
	return found, nil
}

func describe(a *wgpu.Adapter) Info {
	c := a.GetInfo()
	i := Info{Name: c.Name, Driver: c.DriverDescription, Vendor: vendorName(c.VendorId)}
	if strings.HasPrefix(i.Name, "0x") {
		// The library of most platforms puts the name where the driver belongs,
		// and the numbers of device and vendor where name and driver belong.
		i.Name, i.Driver = i.Driver, ""
	} else if c.VendorName != "" {
		i.Driver = strings.TrimSpace(c.VendorName + " " + i.Driver)
	}
	switch c.BackendType {
	case wgpu.BackendTypeD3D12:
		i.Backend = "dx12"
	case wgpu.BackendTypeMetal:
		i.Backend = "metal"
	case wgpu.BackendTypeVulkan:
		i.Backend = "vulkan"
	case wgpu.BackendTypeOpenGL, wgpu.BackendTypeOpenGLES:
		i.Backend = "opengl"
	default:
		i.Backend = c.BackendType.String()
	}
	switch c.AdapterType {
	case wgpu.AdapterTypeDiscreteGPU:
		i.Type = Discrete
	case wgpu.AdapterTypeIntegratedGPU:
		i.Type = Integrated
	case wgpu.AdapterTypeCPU:
		i.Type = CPU
		if !softwareName(i.Name) { // the library has one number for both
			i.Type = Virtual
		}
	default:
		i.Type = Other
	}
	i.Limits = limitsOf(a.GetLimits().Limits)
	for _, f := range a.EnumerateFeatures() {
		i.Timestamps = i.Timestamps || f == wgpu.FeatureNameTimestampQuery
		i.Features = append(i.Features, featureName(f))
	}
	slices.Sort(i.Features)
	i.Refused = refusal(i)
	return i
}

// featureName names the features that matter to compute shaders.
func featureName(f wgpu.FeatureName) string {
	switch f {
	case wgpu.FeatureNameTimestampQuery:
		return "timestamp-query"
	case wgpu.FeatureNameShaderF16:
		return "shader-f16"
	case wgpu.NativeFeaturePushConstants:
		return "push-constants"
	case wgpu.NativeFeaturePipelineStatisticsQuery:
		return "pipeline-statistics-query"
	case wgpu.NativeFeatureMappablePrimaryBuffers:
		return "mappable-primary-buffers"
	case wgpu.NativeFeatureBufferBindingArray:
		return "buffer-binding-array"
	case wgpu.NativeFeatureShaderF64:
		return "shader-f64"
	case wgpu.NativeFeatureShaderI16:
		return "shader-i16"
	}
	return fmt.Sprintf("feature-%#x", uint32(f))
}

func requestDevice(a *wgpu.Adapter, info Info) (*wgpu.Device, error) {
	limits := a.GetLimits().Limits
	limits.MaxPushConstantSize = 0 // what the binding reads there is garbage
	desc := &wgpu.DeviceDescriptor{RequiredLimits: &wgpu.RequiredLimits{Limits: limits}}
	if info.Timestamps {
		desc.RequiredFeatures = []wgpu.FeatureName{wgpu.FeatureNameTimestampQuery}
	}
	// No DeviceLostCallback: the binding passes C an unpinned pointer for it.
	return a.RequestDevice(desc)
}

func (b *binding) newQueries() (handle, error) {
	var q *wgpu.QuerySet
	err := b.guarded(ErrDriver, func() (err error) {
		q, err = b.dev.CreateQuerySet(&wgpu.QuerySetDescriptor{Type: wgpu.QueryTypeTimestamp, Count: 2})
		return err
	})
	return q, err
}

func (b *binding) freeQueries(h handle) { h.(*wgpu.QuerySet).Release() }

func writeTimestamp(enc *wgpu.CommandEncoder, queries handle, index uint32) error {
	return enc.WriteTimestamp(queries.(*wgpu.QuerySet), index)
}

func resolveTimestamps(enc *wgpu.CommandEncoder, queries handle, to *wgpu.Buffer) error {
	return enc.ResolveQuerySet(queries.(*wgpu.QuerySet), 0, 2, to, 0)
}
