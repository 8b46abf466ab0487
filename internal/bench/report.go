package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/kansu-dev/kansu/ops"
	"golang.org/x/perf/benchmath"
)

// Report is one run of the benchmarks on one device, as it is written to JSON.
type Report struct {
	Device       ops.Device    `json:"device"`
	GoVersion    string        `json:"go"`
	Platform     string        `json:"platform"`
	Threads      int           `json:"threads"`
	Commit       string        `json:"commit"`
	Date         string        `json:"date"`
	Command      string        `json:"command"`
	Ceilings     Ceilings      `json:"ceilings"`
	Peers        []PeerInfo    `json:"peers,omitempty"`
	Measurements []Measurement `json:"measurements"`
	LeftOut      []string      `json:"left_out,omitempty"` // workloads that the device is too small for, and why
}

// NewReport returns a report without measurements that names the engine's
// device, the platform, the build and the command that runs.
func NewReport(e *ops.Engine) *Report {
	r := &Report{
		Device: e.Device(), GoVersion: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH,
		Threads: runtime.GOMAXPROCS(0), Date: time.Now().UTC().Format("2006-01-02"), Commit: commit(),
		Command: strings.Join(append([]string{"kansu"}, os.Args[1:]...), " "),
	}
	return r
}

// stamp is the commit, with -dirty where files were changed, as the Makefile
// gives it to the linker; builds of packages and of exported trees have no other.
var stamp string

// commit says what was built: as the linker was told, or by Go's own stamp.
func commit() string {
	if stamp != "" {
		return stamp
	}
	revision, dirty := "unknown", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision":
				revision = s.Value
			case s.Key == "vcs.modified" && s.Value == "true":
				dirty = "-dirty"
			}
		}
	}
	return revision + dirty
}

// ReadReport reads a report that WriteJSON wrote.
func ReadReport(path string) (*Report, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var r Report
	if err := json.Unmarshal(raw, &r); err != nil {
		return nil, fmt.Errorf("%s is not a report of kansu bench: %w", path, err)
	}
	if len(r.Measurements) == 0 {
		return nil, fmt.Errorf("%s is not a report of kansu bench: it has no measurements", path)
	}
	for _, m := range r.Measurements {
		if m.Workload == "" || len(m.Wall) == 0 && len(m.Device) == 0 {
			return nil, fmt.Errorf("%s is damaged: a measurement has no name or no times", path)
		}
	}
	return &r, nil
}

// WriteJSON writes the report, every repetition included.
func (r *Report) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "\t")
	return enc.Encode(r)
}

// Share returns which part of a measurement's time is its floor: 1 is the
// device's limit. Winograd may exceed 1, since direct operations are counted.
func (r *Report) Share(m *Measurement) (share float64, bound string) {
	ns, bound := r.Ceilings.FloorNs(m.Flops, m.Bytes, m.Footprint)
	if ns == 0 {
		return 0, ""
	}
	return ns / m.NsPerCall(), bound
}

// WriteTable writes the report as a table: in Markdown, or ruled for a terminal.
func (r *Report) WriteTable(w io.Writer, markdown bool) {
	c := r.Ceilings
	fmt.Fprintf(w, "Device: %v, driver %s, %s, %d threads\n", r.Device, r.Device.Driver, r.Platform, r.Threads)
	fmt.Fprintf(w, "%s, commit %s, %s: %s\n", r.Date, r.Commit, r.GoVersion, r.Command)
	fmt.Fprintf(w, "Ceilings: multiply-add %.4g GFLOP/s, copy %.3g GB/s, upload %.3g GB/s, read-back %.3g GB/s,\n", c.GFlops, c.CopyGB, c.UploadGB, c.ReadbackGB)
	for i, v := range c.Copies {
		sep := ", "
		if i == 0 {
			sep = "copying within "
		}
		fmt.Fprintf(w, "%s%.3g MiB %.3g GB/s", sep, v.Bytes/(1<<20), v.GB)
	}
	fmt.Fprintln(w)
	fmt.Fprintf(w, "a call recorded in %.2f us and done in %.2f us among many, %.0f us alone\n", c.RecordNs/1e3, c.DispatchNs/1e3, c.SubmitNs/1e3)
	for _, p := range r.Peers {
		fmt.Fprintf(w, "Beside: %s on %s, %d threads; the ratio is its time over kansu's in the same round, median (least to largest of the rounds)\n", p.Name, p.Device, p.Threads)
	}
	for _, s := range r.LeftOut {
		fmt.Fprintf(w, "Left out: %s\n", s)
	}
	fmt.Fprintln(w)
	t := table.NewWriter()
	t.SetOutputMirror(w)
	head := table.Row{"workload", "kernel", "min ms", "median ms", "GFLOP/s", "GB/s", "of floor", "bound by"}
	switch {
	case len(r.Peers) > 1:
		head = append(head, "fastest peer", "ratio")
		for _, p := range r.Peers {
			head = append(head, "to "+p.Name)
		}
	case len(r.Peers) == 1:
		head = append(head, r.Peers[0].Name+" ms", "ratio")
	}
	t.AppendHeader(head)
	for i := range r.Measurements {
		m := &r.Measurements[i]
		ns := m.NsPerCall()
		share, bound := r.Share(m)
		low := m.Wall
		if len(m.Device) > 0 {
			low = m.Device
		}
		kernel := m.Kernel
		if kernel == "" {
			kernel = "go"
		}
		row := table.Row{m.Workload, kernel, fmt.Sprintf("%.4g", low[0]/1e6), fmt.Sprintf("%.4g", ns/1e6), rate(m.Flops / ns), rate(m.Bytes / ns), "", ""}
		if bound != "" {
			row[6], row[7] = fmt.Sprintf("%.0f%%", 100*share), bound
		}
		if len(m.Peers) > 1 {
			row = append(row, r.fastest(m)...)
			for i := range m.Peers {
				row = append(row, m.Peers[i].ratio())
			}
		} else if len(m.Peers) == 1 {
			row = append(row, m.Peers[0].cells()...)
		}
		t.AppendRow(row)
	}
	if markdown {
		t.RenderMarkdown()
	} else {
		t.Render()
	}
}

// fastest returns who of several peers was the fastest, by its ratio to kansu,
// and that ratio. A peer whose results differ is none.
func (r *Report) fastest(m *Measurement) table.Row {
	name, least := "", 0.0
	for i := range m.Peers {
		b := &m.Peers[i]
		if len(b.Ratio) == 0 || b.wrong() {
			continue
		}
		if v := Median(b.Ratio); name == "" || v < least {
			name, least = r.Peers[i].Name, v
		}
	}
	if name == "" {
		return table.Row{"", ""}
	}
	return table.Row{name, fmt.Sprintf("%.2f", least)}
}

// wrong says whether the peer computed something else.
func (b *Beside) wrong() bool { return b.Differs != nil && !(*b.Differs <= mayDiffer) }

// cells returns a peer's median time and ratio as the table shows them.
func (b *Beside) cells() table.Row {
	if len(b.Ratio) == 0 {
		return table.Row{"", b.ratio()}
	}
	return table.Row{fmt.Sprintf("%.4g", Median(b.Ns)/1e6), b.ratio()}
}

// ratio returns the median and the range of a peer's ratios, and what is to be
// said of them.
func (b *Beside) ratio() string {
	if len(b.Ratio) == 0 {
		return b.Note
	}
	s := fmt.Sprintf("%.2f (%.2f-%.2f)", Median(b.Ratio), b.Ratio[0], b.Ratio[len(b.Ratio)-1])
	if b.Note != "" {
		s += " " + b.Note
	}
	if b.wrong() {
		s += fmt.Sprintf(" DIFFERS by %.1e", *b.Differs)
	}
	return s
}

func rate(v float64) string {
	if v == 0 {
		return ""
	}
	return fmt.Sprintf("%.4g", v)
}

// WriteComparison writes how each workload changed since an older report, with
// the probability that the difference is noise (Mann-Whitney U test).
func (r *Report) WriteComparison(w io.Writer, old *Report) {
	if old.Device.Name != r.Device.Name || old.Threads != r.Threads {
		fmt.Fprintf(w, "Note: the old report is of %v with %d threads.\n", old.Device, old.Threads)
	}
	before := map[string]*Measurement{}
	for i := range old.Measurements {
		before[old.Measurements[i].Workload] = &old.Measurements[i]
	}
	t := table.NewWriter()
	t.SetOutputMirror(w)
	t.AppendHeader(table.Row{"workload", "old ms", "new ms", "change", "test"})
	for i := range r.Measurements {
		m := &r.Measurements[i]
		o := before[m.Workload]
		if o == nil {
			continue
		}
		a, b := sample(o), sample(m)
		cmp := benchmath.AssumeNothing.Compare(a, b)
		was, is := o.NsPerCall(), m.NsPerCall()
		t.AppendRow(table.Row{m.Workload, fmt.Sprintf("%.4g", was/1e6), fmt.Sprintf("%.4g", is/1e6), cmp.FormatDelta(was, is), cmp.String()})
	}
	t.Render()
}

func sample(m *Measurement) *benchmath.Sample {
	v := m.Wall
	if len(m.Device) > 0 {
		v = m.Device
	}
	return benchmath.NewSample(append([]float64(nil), v...), &benchmath.DefaultThresholds)
}
