package main

import (
	"math/rand/v2"

	"github.com/kansu-dev/kansu/autograd"
	"github.com/kansu-dev/kansu/examples/train/digits"
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/optim"
)

// trainer trains a net on digits.
type trainer struct {
	net       *net
	opt       *optim.Adam
	rand      *rand.Rand
	set, test digits.Set
	batch     int
}

func newTrainer(e *ops.Engine, seed uint64, batch int, lr float64) (*trainer, error) {
	train, test, err := digits.Load()
	if err != nil {
		return nil, err
	}
	t := &trainer{rand: rand.New(rand.NewPCG(seed, 0)), set: train, test: test, batch: batch}
	if t.net, err = newNet(e, t.rand); err != nil {
		return nil, err
	}
	t.opt, err = optim.NewAdam(t.net.variables(), ops.AdamParams{LR: lr})
	return t, err
}

// upload makes tensors of the digits with the given numbers.
func upload(e *ops.Engine, s digits.Set, which []int) (x, labels *ops.Tensor, err error) {
	pixels, want := make([]float32, 0, 64*len(which)), make([]int32, 0, len(which))
	for _, i := range which {
		pixels = append(pixels, s.Pixels[64*i:64*(i+1)]...)
		want = append(want, s.Labels[i])
	}
	if x, err = e.Tensor(pixels, len(which), 1, 8, 8); err != nil {
		return nil, nil, err
	}
	if labels, err = e.Indices(want, len(which)); err != nil {
		x.Release()
		return nil, nil, err
	}
	return x, labels, nil
}

// steps returns the number of steps in an epoch.
func (t *trainer) steps() int { return (t.set.Len() + t.batch - 1) / t.batch }

// epoch trains on every digit once, in random order, and calls done after each
// step with the loss of its batch.
func (t *trainer) epoch(done func(loss float32)) error {
	order := t.rand.Perm(t.set.Len())
	for at := 0; at < len(order); at += t.batch {
		loss, err := t.step(order[at:min(at+t.batch, len(order))])
		if err != nil {
			return err
		}
		done(loss)
	}
	return nil
}

// step makes one step with a batch of digits and returns its loss.
func (t *trainer) step(which []int) (float32, error) {
	e := t.net.eng
	x, labels, err := upload(e, t.set, which)
	if err != nil {
		return 0, err
	}
	defer x.Release()
	defer labels.Release()
	t.opt.ZeroGrad()
	tape := autograd.NewTape(e)
	loss := tape.CrossEntropy(t.net.forward(tape, x), labels, ops.CrossEntropyParams{})
	if err := tape.Err(); err != nil {
		tape.Release()
		return 0, err
	}
	kept, err := loss.Value().Reshape(1) // the tape releases its own in Backward
	if err != nil {
		return 0, err
	}
	defer kept.Release()
	if err := tape.Backward(loss); err != nil {
		return 0, err
	}
	if err := t.opt.Step(nil); err != nil {
		return 0, err
	}
	v, err := kept.Data()
	if err != nil {
		return 0, err
	}
	return v[0], nil
}

// accuracy returns which part of a set the net reads right.
func (t *trainer) accuracy(s digits.Set) (float64, error) {
	e, right := t.net.eng, 0
	const chunk = 360
	for at := 0; at < s.Len(); at += chunk {
		var which []int
		for i := at; i < min(at+chunk, s.Len()); i++ {
			which = append(which, i)
		}
		x, labels, err := upload(e, s, which)
		if err != nil {
			return 0, err
		}
		labels.Release()
		tape := autograd.NewTape(e)
		tape.Eval()
		var logits *autograd.Variable
		tape.NoGrad(func() { logits = t.net.forward(tape, x) })
		x.Release()
		if err := tape.Err(); err != nil {
			tape.Release()
			return 0, err
		}
		v, err := logits.Value().Data()
		tape.Release()
		if err != nil {
			return 0, err
		}
		for i := range which {
			best := 0
			for c := range 10 {
				if v[10*i+c] > v[10*i+best] {
					best = c
				}
			}
			if int32(best) == s.Labels[at+i] {
				right++
			}
		}
	}
	return float64(right) / float64(s.Len()), nil
}

// release gives all memory back.
func (t *trainer) release() {
	t.opt.ZeroGrad()
	t.opt.Release()
	t.net.release()
}
