package bench

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/kansu-dev/kansu/tests/cases"
)

// Pair is a workload's gradient beside the workload itself. A function that is
// bound by memory one way is so the other way too: a gradient kernel should come
// about as near to its floor as the forward kernel does.
type Pair struct {
	Gradient, Forward           *Measurement
	GradientShare, ForwardShare float64 // see Report.Share
}

// EnoughOfForward is the ratio of Pair below which a gradient counts as slow.
const EnoughOfForward = 0.7

// Ratio is the gradient's share of its floor over that of the forward workload.
func (p Pair) Ratio() float64 { return p.GradientShare / p.ForwardShare }

// forwardOf returns the name of the workload that a gradient's is derived from.
func forwardOf(name string) (forward string, ok bool) {
	i := strings.LastIndex(name, "_grad")
	if i < 0 {
		return "", false
	}
	return name[:i], true
}

// Pairs returns the measured gradients whose forward workload was measured too,
// the worst ratio first.
func (r *Report) Pairs() []Pair {
	by := map[string]*Measurement{}
	for i := range r.Measurements {
		by[r.Measurements[i].Workload] = &r.Measurements[i]
	}
	var pairs []Pair
	for i := range r.Measurements {
		m := &r.Measurements[i]
		name, ok := forwardOf(m.Workload)
		if !ok || by[name] == nil {
			continue
		}
		p := Pair{Gradient: m, Forward: by[name]}
		p.GradientShare, _ = r.Share(m)
		if p.ForwardShare, _ = r.Share(p.Forward); p.GradientShare > 0 && p.ForwardShare > 0 {
			pairs = append(pairs, p)
		}
	}
	slices.SortStableFunc(pairs, func(a, b Pair) int { return cmp.Compare(a.Ratio(), b.Ratio()) })
	return pairs
}

// WriteShares writes the pairs as a table, the worst first, and how many are
// below EnoughOfForward.
func (r *Report) WriteShares(w io.Writer, markdown bool) {
	pairs, slow := r.Pairs(), 0
	t := table.NewWriter()
	t.SetOutputMirror(w)
	t.AppendHeader(table.Row{"gradient", "ms", "of floor", "forward ms", "of floor", "ratio"})
	for _, p := range pairs {
		if p.Ratio() < EnoughOfForward {
			slow++
		}
		t.AppendRow(table.Row{p.Gradient.Workload,
			fmt.Sprintf("%.4g", p.Gradient.NsPerCall()/1e6), fmt.Sprintf("%.0f%%", 100*p.GradientShare),
			fmt.Sprintf("%.4g", p.Forward.NsPerCall()/1e6), fmt.Sprintf("%.0f%%", 100*p.ForwardShare),
			fmt.Sprintf("%.2f", p.Ratio())})
	}
	fmt.Fprintln(w)
	if markdown {
		t.RenderMarkdown()
	} else {
		t.Render()
	}
	fmt.Fprintf(w, "%d of %d gradients reach less than %v of the share of the floor that their forward functions reach.\n", slow, len(pairs), EnoughOfForward)
}

// Paired returns the workloads in an order that has each gradient right after its
// forward workload, so that what else the machine does hits both.
func Paired(workloads []cases.Workload) []cases.Workload {
	gradients := map[string][]cases.Workload{}
	var first []cases.Workload
	for _, w := range workloads {
		if name, ok := forwardOf(w.Name); ok {
			gradients[name] = append(gradients[name], w)
		} else {
			first = append(first, w)
		}
	}
	var all []cases.Workload
	for _, w := range first {
		all = append(append(all, w), gradients[w.Name]...)
		delete(gradients, w.Name)
	}
	for _, w := range workloads { // those without a forward workload, in their order
		if name, ok := forwardOf(w.Name); ok && gradients[name] != nil {
			all = append(all, w)
		}
	}
	return all
}
