// Package autograd records the functions of package ops on a tape and computes
// gradients by walking the tape backwards.
//
//	w := autograd.Param(weights)              // a leaf that collects a gradient
//	t := autograd.NewTape(eng)
//	h := t.ReLU(t.Conv(t.Const(x), w, b, ops.ConvParams{}))
//	loss := t.CrossEntropy(t.Linear(t.Flatten(h, 1, -1), w2, b2, ops.LinearParams{}), labels, ops.CrossEntropyParams{})
//	err := t.Backward(loss)                   // w.Grad() holds d loss / d w, added to what was there
//
// Methods of a tape return a variable and no error: the first error sticks to
// the tape, every later call is a no-op, and Err and Backward return it. A tape
// owns the tensors that it computes; Backward and Release give them back.
//
// A tape serves one forward and one backward pass: a second Backward returns
// ErrSpent. A parameter that changed (Variable.Set) between its use and Backward
// makes Backward return ErrChanged, since the gradient would mix two values.
//
// A tape is for one goroutine; several tapes may run at once, and parameters
// may be shared among them as long as nobody sets them meanwhile.
package autograd
