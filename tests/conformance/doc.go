// Package conformance runs numerical cases that others wrote: files of the
// format conformance-v1, with the operators of ONNX, of W3C's WebNN and of
// PyTorch, through the public functions of package ops.
//
//	file.go     the files: cases, tensors, tolerances
//	attrs.go    an operator's attributes
//	value.go    what flows between operators, on the host or on a device
//	call.go     one operator with its inputs, and how an operator is written
//	compare.go  what was computed against what was expected
//	run.go      a case from its inputs to its verdict; a folder of cases
//	onnx*.go    the operators of ONNX, in terms of ops
//	webnn*.go   those of WebNN
//	pytorch*.go those of PyTorch: by calls of ops where the cases at hand are, and
//	            on a tape of autograd, which has the gradients, for the others
//
// Each operator is written after its specification, with every attribute, every
// default and every version that the specification has, whether or not a case
// at hand uses it.
package conformance
