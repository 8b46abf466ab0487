// Package gpu drives one WebGPU device for compute: it finds the adapters of
// the machine, opens one, hands out pooled storage buffers, compiles WGSL
// compute shaders, records many dispatches into one submission, copies results
// back and measures device time.
//
// It knows WGSL text and bytes and no mathematics. What the shaders compute,
// how large their grids are and what their parameters mean is the business of
// the packages above it.
//
// # Life of a dispatch
//
//	dev, err := gpu.Open(gpu.Options{})
//	defer dev.Close()
//	k, err := dev.Kernel(&gpu.Program{Name: "double", Source: wgsl, Writes: []bool{false, true}, ParamBytes: 4})
//	x, err := dev.NewBuffer(4 * n)
//	y, err := dev.NewBuffer(4 * n)
//	err = dev.Write(x, 0, bytes)
//	err = dev.Dispatch(k, params, []*gpu.Buffer{x, y}, [3]int{groups, 1, 1})
//	err = dev.Read(y, 0, out) // submits what was recorded, waits, copies back
//
// Dispatch only records; the work of many calls goes to the device in one
// compute pass and one submission, at a Read, a Flush, a Wait, or when enough
// has gathered. WebGPU orders the dispatches of a pass by the buffers they
// share, so a dispatch always sees what earlier ones wrote.
//
// The shader side of a Program is fixed: everything is in group 0, binding 0
// is the uniform parameter block (only where ParamBytes is not 0), bindings 1
// to n are the storage buffers in the order of Program.Writes.
//
// # Safety
//
// The driver library under this package aborts the whole process on some
// mistakes (a submission that names a destroyed buffer, for one) and loses its
// mind over others, so every call is checked on the Go side before anything
// reaches it: buffers are alive and of this device, sizes and group counts are
// within the adapter's limits, no buffer is bound twice where one binding
// writes. All misuse comes back as an error that errors.Is can recognise.
//
// All methods may be called from many goroutines. A goroutine that waits in
// Read or Wait does not keep the others from recording.
//
// A device that is lost (a driver reset) makes the library panic. On
// linux/amd64 the panic is caught and becomes ErrDeviceLost, after the library
// wrote a line to standard error; on other platforms it ends the process.
//
// # What is not checked
//
// The sum of a kernel's var<workgroup> memory against Limits.MaxWorkgroupStorage:
// the library compiles a kernel that goes over it. A fixed-size storage array
// (array<f32, 1000>) against the buffer bound to it: declare runtime arrays.
// Mesa's software device (llvmpipe) ends every loop after 65,535 iterations of
// an invocation, all of its loops together, without a word: a kernel that may
// loop longer splits its work or unrolls.
//
// # Without a device
//
// Where the program is built without cgo, or there is no Vulkan, Metal or DX12
// adapter, Open returns an error that is ErrNoDevice and says why.
package gpu
