package conformance

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"runtime/debug"
	"slices"

	"github.com/kansu-dev/kansu/ops"
)

// Status is how a case ended.
type Status int

const (
	// Passed marks a case of which every output was right.
	Passed Status = iota
	// Failed marks one with a wrong output, or an error.
	Failed
	// Skipped marks one that the library does not claim; Outcome.Reason says why.
	Skipped
)

// Outcome is the verdict on one case.
type Outcome struct {
	Status Status
	Reason string  // of a skip
	Err    error   // of a failure
	Worst  float64 // largest error in units of its tolerance
}

// Run computes a case of a suite on an engine and compares its outputs.
func Run(e *ops.Engine, suite string, c *Case) Outcome {
	if c.KnownIssue != "" {
		return Outcome{Status: Skipped, Reason: "known issue of the suite"}
	}
	for _, d := range c.DTypes {
		if d != "float32" {
			return Outcome{Status: Skipped, Reason: "element type " + d}
		}
	}
	got, release, err := compute(e, suite, c)
	defer release()
	if errors.Is(err, errOutside) {
		return Outcome{Status: Skipped, Reason: err.Error()}
	}
	if err != nil {
		return Outcome{Status: Failed, Err: err}
	}
	out := Outcome{}
	var errs []error
	for i, want := range c.Outputs {
		if want == nil {
			continue
		}
		v, err := find(got, i, want.Name, suite == "pytorch")
		worst := math.Inf(1)
		if err == nil {
			worst, err = compare(v, want, c.Tolerance)
		}
		out.Worst = max(out.Worst, worst)
		errs = append(errs, err)
	}
	if out.Err = errors.Join(errs...); out.Err != nil {
		out.Status = Failed
	}
	return out
}

// find returns the output at a position, or of a name.
func find(got []*Value, i int, name string, byName bool) (*Value, error) {
	if byName {
		if i = slices.IndexFunc(got, func(v *Value) bool { return v.name == name }); i < 0 {
			return nil, fmt.Errorf("output %q is not computed", name)
		}
	}
	if i >= len(got) || got[i] == nil {
		return nil, fmt.Errorf("output %d (%s) is not computed", i, name)
	}
	return got[i], nil
}

// compute runs the operators of a case. release frees its tensors.
func compute(e *ops.Engine, suite string, c *Case) (out []*Value, release func(), err error) {
	var made []*ops.Tensor
	release = func() {
		for _, t := range made {
			t.Release()
		}
	}
	if c.Op != "Graph" {
		in := make([]*Value, len(c.Inputs))
		by := map[string]*Value{}
		var names []string
		for i, t := range c.Inputs {
			if in[i] = t.Value(); t != nil {
				names = append(names, cmp.Or(t.Param, t.Name))
				by[names[len(names)-1]] = in[i]
			}
		}
		k := &call{eng: e, op: c.Op, opset: c.Opset, attrs: c.Attrs, in: in, by: by, names: names, outputs: len(c.Outputs), made: &made}
		out, err = k.apply(suite)
		return out, release, err
	}
	values := map[string]*Value{}
	for _, t := range c.Inputs {
		if t != nil {
			values[t.Name] = t.Value()
		}
	}
	var names []string
	for _, t := range c.Outputs {
		names = append(names, t.Name)
	}
	if err = runNodes(e, suite, c.Opset, c.Nodes, values, names, &made); err != nil {
		return nil, release, err
	}
	for _, name := range names {
		out = append(out, values[name])
	}
	return out, release, nil
}

var errPanic = errors.New("panic")

// apply looks the operator up and runs it, turning what it gave up on into an
// error. So is a panic, which would be a mistake of ours: it fails the case, and
// the others still run.
func (c *call) apply(suite string) (out []*Value, err error) {
	defer func() {
		if r := recover(); r != nil {
			if w, ok := r.(wrong); ok {
				err = w.err
			} else {
				err = fmt.Errorf("%w: %v\n%s", errPanic, r, debug.Stack())
			}
		}
	}()
	f := suites[suite][c.op]
	if f == nil {
		outside("operator %s", c.op)
	}
	return f(c), nil
}

// runNodes computes a graph's nodes in order, by the names of their tensors. A
// tensor is released after its last use.
func runNodes(e *ops.Engine, suite string, opset int, nodes []Node, values map[string]*Value, outputs []string, made *[]*ops.Tensor) error {
	last := map[string]int{}
	for i, n := range nodes {
		for _, in := range n.Inputs {
			last[in.Name] = i
		}
	}
	for _, name := range outputs {
		last[name] = len(nodes)
	}
	for i, n := range nodes {
		c := &call{eng: e, op: n.Op, opset: opset, attrs: n.Attrs, by: map[string]*Value{}, outputs: len(n.Outputs), made: made}
		for _, in := range n.Inputs {
			v := values[in.Name]
			if in.Name != "" && v == nil {
				return fmt.Errorf("node %s: no tensor %q", n.Op, in.Name)
			}
			c.in = append(c.in, v)
			if in.Param != "" {
				c.by[in.Param] = v
			}
		}
		out, err := c.apply(suite)
		if err != nil {
			return fmt.Errorf("node %s %v: %w", n.Op, n.Outputs, err)
		}
		for j, name := range n.Outputs {
			if j < len(out) && name != "" {
				values[name] = out[j]
			}
		}
		*made = sweep(*made, values, func(name string) bool { return last[name] > i })
	}
	return nil
}

// sweep forgets the values that no later node needs and releases every tensor
// that belongs to none of the others.
func sweep(made []*ops.Tensor, values map[string]*Value, needed func(name string) bool) []*ops.Tensor {
	keep := map[*ops.Tensor]bool{}
	for name, v := range values {
		if !needed(name) {
			delete(values, name)
		} else if v.t != nil {
			keep[v.t] = true
		}
	}
	return slices.DeleteFunc(made, func(t *ops.Tensor) bool {
		if !keep[t] {
			t.Release()
		}
		return !keep[t]
	})
}

// Graph is a network of ONNX nodes, for whole models.
type Graph struct {
	Opset int
	Nodes []Node
}

// Run computes the graph from its named inputs and weights and returns the
// named outputs, read back.
func (g *Graph) Run(e *ops.Engine, inputs map[string]*Value, outputs ...string) ([]*Value, error) {
	var made []*ops.Tensor
	values := make(map[string]*Value, len(inputs))
	for name, v := range inputs {
		w := *v // the tensor that is made of it is this run's
		values[name] = &w
	}
	defer func() {
		for _, t := range made {
			t.Release()
		}
	}()
	if err := runNodes(e, "onnx", g.Opset, g.Nodes, values, outputs, &made); err != nil {
		return nil, err
	}
	var out []*Value
	for _, name := range outputs {
		v := values[name]
		if v == nil {
			return nil, fmt.Errorf("no output %q", name)
		}
		if v.IsFloat() {
			if _, err := v.Floats(); err != nil {
				return nil, err
			}
		}
		out = append(out, v)
	}
	return out, nil
}
