package bench

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"

	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
	"github.com/kansu-dev/kansu/tests/cases"
)

// mayDiffer is how far the results of a peer may lie from kansu's, over the
// largest magnitude: what float32 and approximations of functions explain. More
// means that the peer computes something else, so that its time is no measure.
const mayDiffer = 1e-3

// askSaving asks a peer, and compares its results with kansu's where the peer
// can show them.
func (s *session) askSaving(p *Peer, q question) (a answer, differs *float64, err error) {
	if !p.Live() {
		a, err = p.ask(q)
		return a, nil, err
	}
	if q.Save, err = os.MkdirTemp("", "kansu-peer-"); err != nil {
		return a, nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(q.Save)) }()
	if a, err = p.ask(q); err != nil || !a.Saved {
		return a, nil, err
	}
	d, err := differ(s.e, s.w.Case, q.Save)
	if err != nil {
		return a, nil, fmt.Errorf("%s: %s: what it saved: %w", p.Name, q.Workload, err)
	}
	return a, &d, nil
}

// differ makes a case's call on saved inputs and returns how far the saved
// outputs lie from its own, over the largest magnitude.
func differ(e *ops.Engine, c cases.Case, folder string) (float64, error) {
	var in [][]float32
	for i, want := range c.Inputs() {
		if want.Shape == nil {
			in = append(in, nil)
			continue
		}
		v, err := readFloats(filepath.Join(folder, fmt.Sprintf("in%d", i)), spec.Count(want.Shape))
		if err != nil {
			return 0, err
		}
		in = append(in, v)
	}
	ts, err := cases.Upload(e, c, in)
	if err != nil {
		return 0, err
	}
	defer release(ts)
	outs, err := c.Call(ts)
	if err != nil {
		return 0, err
	}
	defer release(outs)
	worst := 0.0
	for i, t := range outs {
		mine, err := t.Data()
		if err != nil {
			return 0, err
		}
		theirs, err := readFloats(filepath.Join(folder, fmt.Sprintf("out%d", i)), len(mine))
		if i > 0 && errors.Is(err, os.ErrNotExist) {
			break
		}
		if err != nil {
			return 0, err
		}
		worst = max(worst, distance(theirs, mine))
	}
	return worst, nil
}

// distance returns the largest difference over the largest magnitude of want;
// the largest number where only one of the two is NaN or infinite.
func distance(got, want []float32) float64 {
	most, top := 0.0, 0.0
	for i, w := range want {
		g, w := float64(got[i]), float64(w)
		if g == w || math.IsNaN(g) && math.IsNaN(w) {
			continue
		}
		d := math.Abs(g - w)
		if math.IsNaN(d) || math.IsInf(d, 0) {
			return math.MaxFloat64
		}
		most = max(most, d)
	}
	if most == 0 {
		return 0
	}
	for _, w := range want {
		if m := math.Abs(float64(w)); m < math.Inf(1) {
			top = max(top, m)
		}
	}
	return most / max(top, math.SmallestNonzeroFloat32)
}

func readFloats(path string, n int) ([]float32, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if len(raw) != 4*n {
		return nil, fmt.Errorf("%s has %d bytes, want %d float32 values", filepath.Base(path), len(raw), n)
	}
	v := make([]float32, n)
	for i := range v {
		v[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
	}
	return v, nil
}
