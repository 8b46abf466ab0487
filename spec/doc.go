// Package spec says what each function of kansu means: its parameters, the
// checks on them, the shapes that come out, and the error budget that every
// implementation has to keep. It contains no arithmetic on tensor values and
// imports nothing else of the module.
//
// Every function has one file here, and a file of the same name in shaders
// (the WGSL and its plan), cpuref (plain Go), ops (the public call) and
// tests/cases (how to test and time it).
//
// A New function (NewConv, NewPool, ...) takes shapes and parameters as a
// caller wrote them, and returns either the resolved geometry, in which nothing
// is left to default, or an error that names the offending value.
package spec
