// Package ops is the public interface of kansu: tensors on a device, and the
// functions of deep learning on them.
//
//	eng, err := ops.Open() // the best adapter; pure Go where there is none
//	defer eng.Close()
//	x, err := eng.Tensor(pixels, 1, 3, 224, 224)
//	y, err := ops.Conv(x, w, b, ops.ConvParams{Stride: []int{2}, Padding: []int{3}})
//	y, err = ops.ReLU(y)
//	out, err := y.Data() // waits and copies back
//
// A call checks its arguments, records the work and returns; the work of many
// calls goes to the device in one submission, at a read-back, a Flush, or when
// enough has gathered. The public meaning of every parameter is PyTorch's.
// Where a mistake can be told from shapes and parameters, the call returns an
// error that says what was wrong, and nothing reaches the driver.
package ops
