// Package cases is the table of test cases of kansu: for each function a
// struct whose fields are one call's shapes and parameters, a generator of
// random and of awkward ones, the call itself, the oracle's answer and the work
// it takes. The comparison of device and oracle, the fuzzers, the gradients'
// check and the benchmarks all run over this table.
//
// A case prints itself as a line, its function's name and the struct as JSON:
//
//	conv {"X":[1,3,5,5],"W":[4,3,3,3],"Bias":true,"Params":{"Stride":[2]},"Seed":7}
//
// and `kansu check -case LINE` runs that line again.
package cases
