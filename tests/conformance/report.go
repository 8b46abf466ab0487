package conformance

import (
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/kansu-dev/kansu/ops"
)

// Count is how many cases passed, failed and were skipped.
type Count struct{ Passed, Failed, Skipped int }

func (c *Count) add(s Status) {
	switch s {
	case Passed:
		c.Passed++
	case Failed:
		c.Failed++
	case Skipped:
		c.Skipped++
	}
}

// Plus returns the sum of two counts.
func (c Count) Plus(d Count) Count {
	return Count{c.Passed + d.Passed, c.Failed + d.Failed, c.Skipped + d.Skipped}
}

// String is the line that a run ends with.
func (c Count) String() string {
	return fmt.Sprintf("%d passed, %d failed, %d skipped", c.Passed, c.Failed, c.Skipped)
}

// RunAll runs every case of the files on an engine. It writes each failing case,
// the count of each file's cases and of the skips by reason, and returns the sum.
func RunAll(w io.Writer, e *ops.Engine, files []*File) Count {
	var total Count
	var order []string
	suites := map[string]Count{}
	reasons := map[string]int{}
	closest := map[string]float64{}
	for _, f := range files {
		var n Count
		for i := range f.Cases {
			c := &f.Cases[i]
			out := Run(e, f.Suite, c)
			n.add(out.Status)
			switch out.Status {
			case Failed:
				fmt.Fprintf(w, "FAIL %s/%s %q (%s): %v\n", f.Suite, f.Family, c.Name, c.Op, out.Err)
			case Skipped:
				reasons[out.Reason]++
			case Passed:
				closest[f.Suite] = max(closest[f.Suite], out.Worst)
			}
		}
		fmt.Fprintf(w, "%-26s %v\n", f.Suite+"/"+f.Family, n)
		if _, ok := suites[f.Suite]; !ok {
			order = append(order, f.Suite)
		}
		suites[f.Suite] = suites[f.Suite].Plus(n)
		total = total.Plus(n)
	}
	for _, s := range order {
		fmt.Fprintf(w, "%-26s %v; errors up to %.2f of the tolerance\n", s, suites[s], closest[s])
	}
	for _, r := range slices.Sorted(maps.Keys(reasons)) {
		fmt.Fprintf(w, "skipped %4d: %s\n", reasons[r], r)
	}
	return total
}
