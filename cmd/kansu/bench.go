package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"runtime"
	"strings"
	"time"

	"github.com/kansu-dev/kansu/internal/bench"
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/tests/cases"
	"github.com/peterbourgon/ff/v3/ffcli"
)

type benchOptions struct {
	run     string
	each    time.Duration
	reps    int
	kernel  string
	explain bool
	list    bool
	short   bool
	all     bool
	shares  bool
	format  string
	html    string
	json    string
	compare string
	limit   time.Duration
	beside  []string
}

func newBench() *ffcli.Command {
	var o benchOptions
	fs := flag.NewFlagSet("kansu bench", flag.ContinueOnError)
	open := deviceFlag(fs)
	fs.StringVar(&o.run, "run", ".", "regular expression of the workloads to run")
	fs.DurationVar(&o.each, "benchtime", 500*time.Millisecond, "time for each workload")
	fs.IntVar(&o.reps, "reps", 5, "repetitions of each workload, at least")
	fs.StringVar(&o.kernel, "kernel", "", "force this kernel")
	fs.BoolVar(&o.explain, "explain", false, "print the plan: kernel, grid, why, what was rejected")
	fs.BoolVar(&o.short, "short", false, "two repetitions, no gradients and no workload beyond 2 GFLOP: a first look within a minute")
	fs.BoolVar(&o.all, "all", false, "every function, not only the workloads that other libraries were measured with")
	fs.BoolVar(&o.shares, "shares", false, "also print how near to its floor each gradient comes, beside its forward workload, which is then timed right before it")
	fs.BoolVar(&o.list, "list", false, "print the workloads' names and stop")
	fs.StringVar(&o.format, "format", "table", "what to print: table, markdown, go (Go's benchmark text, for benchstat) or json")
	fs.StringVar(&o.html, "html", "", "also write the report, with a roofline plot, as a page to this file")
	fs.StringVar(&o.json, "json", "", "also write the report, with every repetition, as JSON to this file")
	fs.StringVar(&o.compare, "compare", "", "print the change since the report in this JSON file")
	fs.DurationVar(&o.limit, "limit", 0, "stop after this time, with the workloads that were run (0: no limit)")
	fs.Func("beside", "a peer to time in turn with kansu: a command, or the .json file that it wrote; may be repeated", func(v string) error {
		o.beside = append(o.beside, v)
		return nil
	})
	return &ffcli.Command{
		Name:       "bench",
		ShortUsage: "kansu bench [flags]",
		ShortHelp:  "Time every function on fixed workloads",
		LongHelp: `bench times the named workloads on a device: by the device's own clock where it
has one, by wall time otherwise. Rates count the operations of the direct
definition, and inputs and outputs once. In the same run it measures what the
device can do at all, multiply-adds in registers and copying, and says which
share of the time would be needed at those rates (the floor). Where it is
stopped early, by -limit, an interrupt or a failure, it reports what it has.
Workloads that the device is too small for are left out, and named.

-beside times other libraries in turn with kansu, in rounds, after comparing
their results; the ratio is a library's time over kansu's: above 1 kansu is
faster. With several, the table names the fastest. docs/benchmarks/peers has
programs for ncnn, ONNX Runtime and Go libraries.

Examples:
  kansu bench
  kansu bench -all -run 'softmax|loss|adam'
  kansu bench -all -run 'pool|upsample' -shares
  kansu bench -run 'conv3x3|gemm' -device cpu -format go >new.txt
  kansu bench -json new.json -html new.html -compare old.json
  kansu bench -run conv1x1 -kernel naive -explain
  kansu bench -device cpu -beside 'python3 docs/benchmarks/torch_peer.py'
  kansu bench -run gemm -device cpu -beside ./ncnn_peer -beside ./onnxruntime_peer`,
		FlagSet: fs,
		Exec: func(ctx context.Context, args []string) error {
			if err := noArgs(args); err != nil {
				return err
			}
			return runBench(ctx, os.Stdout, open, o)
		},
	}
}

// shortFlops is the largest workload of -short.
const shortFlops = 2.5e9

func runBench(ctx context.Context, out io.Writer, open func(...ops.Option) (*ops.Engine, error), o benchOptions) error {
	switch o.format {
	case "table", "markdown", "go", "json":
	default:
		return fmt.Errorf("-format %q: want table, markdown, go or json", o.format)
	}
	if o.each < 0 || o.reps < 1 || o.limit < 0 {
		return fmt.Errorf("-benchtime %v, -reps %d, -limit %v: want times of at least 0 and 1 repetition", o.each, o.reps, o.limit)
	}
	if o.short {
		o.each, o.reps = 0, 2
	}
	want, err := regexp.Compile(o.run)
	if err != nil {
		return fmt.Errorf("-run: %w", err)
	}
	var todo []cases.Workload
	from := cases.Workloads()
	if o.all {
		from = append(from, cases.RestWorkloads()...)
	}
	for _, w := range from {
		if flops, _ := w.Case.Work(); want.MatchString(w.Name) && !(o.short && (flops > shortFlops || strings.Contains(w.Name, "_grad"))) {
			todo = append(todo, w)
		}
	}
	if o.shares {
		todo = bench.Paired(todo)
	}
	if len(todo) == 0 {
		return fmt.Errorf("-run %q matches no workload; -list prints their names, -all -list those of all functions", o.run)
	}
	if o.list {
		for _, w := range todo {
			fmt.Fprintln(out, w.Name)
		}
		return nil
	}
	old, err := o.prepare()
	if err != nil {
		return err
	}
	start := time.Now()
	e, err := open()
	if err != nil {
		return err
	}
	defer e.Close()
	r := bench.NewReport(e)
	if o.format == "go" {
		header(out, e)
	}
	progress := func(format string, args ...any) {
		if progressing() {
			fmt.Fprintf(os.Stderr, "\r\033[K"+format, args...)
		}
	}
	progress("measuring the device")
	if r.Ceilings, err = bench.Measure(e); err != nil {
		return err
	}
	peers, err := openPeers(ctx, o.beside)
	if err != nil {
		return err
	}
	for _, p := range peers {
		defer p.Close()
		r.Peers = append(r.Peers, p.PeerInfo)
	}
	var stopped, last error
	for i, w := range todo {
		if stopped = ctx.Err(); stopped != nil || o.limit > 0 && time.Since(start) > o.limit {
			fmt.Fprintf(os.Stderr, "stopped before %s, %d of %d\n", w.Name, i+1, len(todo))
			break
		}
		progress("%d/%d %s", i+1, len(todo), w.Name)
		m, err := bench.Run(e, w, bench.Options{MinTime: o.each, MinReps: o.reps, Kernel: o.kernel, Peers: peers})
		progress("")
		if errors.Is(err, ops.ErrTooLarge) || errors.Is(err, ops.ErrOutOfMemory) { // others may fit
			r.LeftOut = append(r.LeftOut, fmt.Sprintf("%s: %v", w.Name, err))
			fmt.Fprintf(os.Stderr, "left out: %s: %v\n", w.Name, err)
			last = err
			continue
		}
		if err != nil {
			stopped = fmt.Errorf("%s: %w", w.Name, errors.Join(ctx.Err(), err))
			break
		}
		r.Measurements = append(r.Measurements, m)
		if o.format == "go" {
			fmt.Fprintln(out, m.GoText())
		}
		if o.explain {
			fmt.Fprintln(out, "#", strings.ReplaceAll(m.Explain, "\n", "\n# "))
		}
	}
	if len(r.Measurements) == 0 {
		return cmp.Or(stopped, last)
	}
	return errors.Join(stopped, output(out, r, old, o))
}

// prepare finds out before anything is measured what would be in the way of
// reporting it, and reads the report to compare with, which may lie in a file
// that is to be written.
func (o *benchOptions) prepare() (old *bench.Report, err error) {
	if o.compare != "" {
		if old, err = bench.ReadReport(o.compare); err != nil {
			return nil, fmt.Errorf("-compare: %w", err)
		}
	}
	for _, path := range []string{o.json, o.html} {
		if err := writable(path); err != nil {
			return nil, err
		}
	}
	return old, nil
}

// writable reports whether a file can be written, without a change to it. The
// empty path is no file.
func writable(path string) error {
	if path == "" {
		return nil
	}
	_, absent := os.Stat(path)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	err = f.Close()
	if absent != nil {
		err = errors.Join(err, os.Remove(path))
	}
	return err
}

func openPeers(ctx context.Context, from []string) ([]*bench.Peer, error) {
	var peers []*bench.Peer
	for _, f := range from {
		p, err := bench.OpenPeer(ctx, f)
		if err != nil {
			for _, p := range peers {
				err = errors.Join(err, p.Close())
			}
			return nil, err
		}
		peers = append(peers, p)
	}
	return peers, nil
}

// output prints the report and writes the files that were asked for.
func output(out io.Writer, r, old *bench.Report, o benchOptions) error {
	switch o.format {
	case "table", "markdown":
		r.WriteTable(out, o.format == "markdown")
		if o.shares {
			r.WriteShares(out, o.format == "markdown")
		}
	case "json":
		if err := r.WriteJSON(out); err != nil {
			return err
		}
	}
	for _, f := range []struct {
		path  string
		write func(io.Writer) error
	}{{o.json, r.WriteJSON}, {o.html, r.WriteHTML}} {
		if f.path == "" {
			continue
		}
		file, err := os.Create(f.path)
		if err != nil {
			return err
		}
		if err := errors.Join(f.write(file), file.Close()); err != nil {
			return err
		}
	}
	if old != nil {
		r.WriteComparison(out, old)
	}
	return nil
}

// header prints the configuration lines of Go's benchmark format.
func header(out io.Writer, e *ops.Engine) {
	d := e.Device()
	fmt.Fprintf(out, "goos: %s\ngoarch: %s\npkg: github.com/kansu-dev/kansu\ndevice: %s\nbackend: %s\ndriver: %s\n",
		runtime.GOOS, runtime.GOARCH, d.Name, d.Backend, d.Driver)
}
