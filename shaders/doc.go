// Package shaders holds the WGSL compute shaders of kansu and the Go beside
// them that specialises a shader and plans its dispatch. Everything here is
// pure data: a plan is computed from shapes, parameters and the properties of a
// device, and needs no device to be made, printed or tested.
//
// Each .wgsl file is valid WGSL as it stands. Specialising it sets named
// constants (const TILE_M = 64u;) and swaps small functions that are marked in
// the text:
//
//	// swap: activate
//	fn activate(x: f32, a: f32, b: f32) -> f32 { return x; }
//	// end swap
//
// One limit is not in any device's list: Mesa's software Vulkan (llvmpipe) ends
// every loop of an invocation, without an error, once its loops together have
// gone round 65,535 times (see softwareLoops). A kernel whose work for one
// invocation grows with a shape must be split before that on such a device.
package shaders
