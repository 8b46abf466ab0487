package tests

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/tests/cases"
)

// TestConcurrentCallsGiveTheSameBits runs every function twice, and then by
// several goroutines at once, and compares all bits of the results.
func TestConcurrentCallsGiveTheSameBits(t *testing.T) {
	s := seed(t)
	onEach(t, func(t *testing.T, e *ops.Engine) {
		type job struct {
			row  cases.Row
			c    cases.Case
			in   [][]float32
			want [][]uint32
		}
		var jobs []job
		for i, row := range cases.Rows() {
			r := rand.New(rand.NewPCG(s, uint64(i)))
			for range 3 {
				c := row.Draw(r)
				j := job{row: row, c: c, in: cases.Draws(c, cases.Seed(row.Name, c))}
				var err error
				if j.want, err = bitsOf(e, c, j.in); err != nil {
					t.Fatalf("%v\n  case: %s", err, cases.Line(row.Name, c))
				}
				jobs = append(jobs, j)
			}
		}
		check := func(j job) error {
			got, err := bitsOf(e, j.c, j.in)
			if err != nil {
				return err
			}
			if !slices.EqualFunc(got, j.want, slices.Equal[[]uint32]) {
				return fmt.Errorf("other bits on another run\n  case: %s", cases.Line(j.row.Name, j.c))
			}
			return nil
		}
		var wg sync.WaitGroup
		errs := make([]error, 4)
		for g := range errs {
			wg.Go(func() {
				r := rand.New(rand.NewPCG(s, uint64(1000+g)))
				for _, i := range r.Perm(len(jobs)) {
					if err := check(jobs[i]); err != nil && errs[g] == nil {
						errs[g] = err
					}
				}
			})
		}
		wg.Wait()
		for _, err := range errs {
			if err != nil {
				t.Error(err)
			}
		}
	})
}

// bitsOf runs a case and returns the bits of its outputs.
func bitsOf(e *ops.Engine, c cases.Case, in [][]float32) ([][]uint32, error) {
	ts, err := cases.Upload(e, c, in)
	if err != nil {
		return nil, err
	}
	out, err := c.Call(ts)
	if err != nil {
		return nil, err
	}
	var all [][]uint32
	for _, y := range out {
		var bits []uint32
		if y.DType() == ops.Int32 {
			v, err := y.Int32s()
			if err != nil {
				return nil, err
			}
			for _, x := range v {
				bits = append(bits, uint32(x))
			}
		} else {
			v, err := y.Data()
			if err != nil {
				return nil, err
			}
			for _, x := range v {
				bits = append(bits, math.Float32bits(x))
			}
		}
		all = append(all, bits)
		y.Release()
	}
	for _, x := range ts {
		x.Release()
	}
	return all, nil
}
