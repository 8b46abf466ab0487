package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/kansu-dev/kansu/internal/bench"
	"github.com/kansu-dev/kansu/internal/tune"
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/shaders"
	"github.com/kansu-dev/kansu/tests/cases"
	"github.com/peterbourgon/ff/v3/ffcli"
)

type tuneOptions struct {
	run   string
	from  string
	out   string
	add   bool
	list  bool
	quiet bool
	flops float64
	limit time.Duration
	tune.Options
}

func newTune() *ffcli.Command {
	var o tuneOptions
	flags := flag.NewFlagSet("kansu tune", flag.ContinueOnError)
	open := deviceFlag(flags)
	flags.StringVar(&o.run, "run", ".", "regular expression of the shapes to measure")
	flags.StringVar(&o.from, "from", "", "begin at this shape of those, where an earlier run stopped")
	flags.StringVar(&o.out, "o", "", "write the table to this file (default: only print what was found)")
	flags.BoolVar(&o.add, "add", false, "keep the file's entries for classes that are not measured")
	flags.BoolVar(&o.list, "list", false, "print the shapes' names and stop")
	flags.BoolVar(&o.quiet, "q", false, "print only classes with another choice than the model's")
	flags.DurationVar(&o.Time, "time", 500*time.Millisecond, "time for each shape, over all its kernels")
	flags.IntVar(&o.Rounds, "rounds", 5, "rounds through the kernels, at least")
	flags.Float64Var(&o.Gain, "gain", 1.1, "how many times as fast as the model's choice a kernel must be")
	flags.Float64Var(&o.flops, "gflop", 0, "leave out shapes beyond so many GFLOP (default: none, and 2.5 on a software adapter)")
	flags.DurationVar(&o.limit, "limit", 0, "stop after this time, and keep what there is (default: none)")
	return &ffcli.Command{
		Name:       "tune",
		ShortUsage: "kansu tune [flags]",
		ShortHelp:  "Measure which kernel is the fastest for which shapes, and write a table of it",
		LongHelp: `tune measures every kernel that can serve a shape, for the shapes of the
benchmark and a grid of others, with their gradients, and writes a table of those
that are faster than the kernel that the library's models choose. Kernels are
timed in rotation, and gains are medians of pairs. A kernel that is faster is
compared with the oracle: one that differs is reported and never kept. An entry
stands for a class of shapes, sizes rounded up to powers of two, and is kept
where it won on all shapes of it.

The library uses the table where ops.WithTuning or the environment variable
KANSU_TUNE names its file. Nothing is measured in a program that uses it.

Examples:
  kansu tune -o my-gpu.json
  kansu tune -run '^conv_1x' -o my-gpu.json -add
  KANSU_TUNE=my-gpu.json kansu bench -explain`,
		FlagSet: flags,
		Exec: func(ctx context.Context, args []string) error {
			if err := noArgs(args); err != nil {
				return err
			}
			return runTune(ctx, os.Stdout, open, o)
		},
	}
}

func runTune(ctx context.Context, out io.Writer, open func(...ops.Option) (*ops.Engine, error), o tuneOptions) error {
	want, err := regexp.Compile(o.run)
	if err != nil {
		return fmt.Errorf("-run: %w", err)
	}
	if o.Time < 0 || o.Rounds < 1 || o.limit < 0 || o.flops < 0 {
		return fmt.Errorf("-time %v, -rounds %d, -limit %v, -gflop %v: want numbers of at least 0, and 1 round", o.Time, o.Rounds, o.limit, o.flops)
	}
	if !(o.Gain >= 1) {
		return fmt.Errorf("-gain %v: want at least 1", o.Gain)
	}
	if err := writable(o.out); err != nil {
		return err
	}
	e, err := open(ops.WithTuning(ops.NoTuning))
	if err != nil {
		return err
	}
	defer e.Close()
	if e.GPU() == nil {
		return fmt.Errorf("there is nothing to tune: %v has one way for each function", e.Device())
	}
	if o.flops == 0 && e.PlanDevice().CPU {
		o.flops = shortFlops / 1e9
	}
	var todo []cases.Workload
	for _, w := range cases.TuneShapes() {
		if flops, _ := w.Case.Work(); want.MatchString(w.Name) && (o.flops == 0 || flops <= o.flops*1e9) {
			todo = append(todo, w)
		}
	}
	if len(todo) == 0 {
		return fmt.Errorf("-run %q matches no shape; -list prints their names", o.run)
	}
	if o.from != "" {
		at := slices.IndexFunc(todo, func(w cases.Workload) bool { return w.Name == o.from })
		if at < 0 {
			return fmt.Errorf("-from %q is no shape among those of -run; -list prints their names", o.from)
		}
		todo = todo[at:]
	}
	if o.list {
		for _, w := range todo {
			fmt.Fprintln(out, w.Name)
		}
		return nil
	}
	old, err := oldTable(e, o)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "device: %v\n", e.Device())
	all, err := measureShapes(ctx, out, e, todo, o)
	if err != nil && len(all) == 0 {
		return err
	}
	entries := tune.Entries(all, o.Gain)
	printTuned(out, all, entries)
	if o.out == "" {
		return err
	}
	return errors.Join(err, writeTable(out, e, o.out, tune.Merge(old, entries, all)))
}

// oldTable returns the entries to keep.
func oldTable(e *ops.Engine, o tuneOptions) ([]shaders.TableEntry, error) {
	if !o.add || o.out == "" {
		return nil, nil
	}
	raw, err := os.ReadFile(o.out)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	t, err := shaders.ParseTable(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.out, err)
	}
	if !t.Matches(e.Device().Name) {
		return nil, fmt.Errorf("%s is for %s, and this is %s", o.out, t.Device, e.Device().Name)
	}
	return t.Entries, nil
}

// measureShapes measures one shape after the other, and stops early, with what
// there is, when it is told to.
func measureShapes(ctx context.Context, out io.Writer, e *ops.Engine, todo []cases.Workload, o tuneOptions) ([]tune.Outcome, error) {
	start := time.Now()
	var all []tune.Outcome
	for i, w := range todo {
		if ctx.Err() != nil || o.limit > 0 && time.Since(start) > o.limit {
			fmt.Fprintf(out, "stopped before %s, %d of %d\n", w.Name, i+1, len(todo))
			return all, ctx.Err()
		}
		if progressing() {
			fmt.Fprintf(os.Stderr, "\r\033[K%d/%d %s", i+1, len(todo), w.Name)
		}
		one, err := tune.Shape(e, w, o.Options)
		if progressing() {
			fmt.Fprint(os.Stderr, "\r\033[K")
		}
		if err != nil {
			return all, fmt.Errorf("%s: %w", w.Name, err)
		}
		all = append(all, one)
		printOutcome(out, one, o)
	}
	return all, nil
}

// printOutcome prints a line for a shape, and one for each kernel that failed.
func printOutcome(out io.Writer, one tune.Outcome, o tuneOptions) {
	var tried []string
	best := 1.0
	for i := range one.Trials {
		t := &one.Trials[i]
		switch {
		case t.Err != nil:
			fmt.Fprintf(out, "FAIL %s, kernel %s: %v\n", one.Shape, t.Kernel, t.Err)
			continue
		case t.Kernel == one.Model:
			continue
		}
		mark := ""
		if t.Slow {
			mark = "-"
		}
		best = max(best, t.Median())
		tried = append(tried, fmt.Sprintf("%s %.2f%s", t.Kernel, t.Median(), mark))
	}
	if one.Class != "" && (!o.quiet || best >= o.Gain) {
		fmt.Fprintf(out, "%s [%s] %s; as fast: %s\n", one.Shape, one.Class, one.Model, strings.Join(tried, ", "))
	}
}

func printTuned(out io.Writer, all []tune.Outcome, entries []shaders.TableEntry) {
	models := map[[2]string]string{}
	for _, o := range all {
		models[[2]string{o.Function, o.Class}] = o.Model
	}
	t := table.NewWriter()
	t.SetOutputMirror(out)
	t.AppendHeader(table.Row{"function", "class of shapes", "the model's", "faster", "gain"})
	for _, e := range entries {
		t.AppendRow(table.Row{e.Function, e.Class, models[[2]string{e.Function, e.Class}], e.Kernel, fmt.Sprintf("%.2f", e.Gain)})
	}
	t.AppendFooter(table.Row{fmt.Sprintf("%d of %d classes", len(entries), len(models))})
	t.Render()
}

func writeTable(out io.Writer, e *ops.Engine, path string, entries []shaders.TableEntry) error {
	d := e.Device()
	r := bench.NewReport(e)
	t, err := shaders.NewTable(shaders.Table{
		Device: shaders.DeviceKey(d.Name), Adapter: d.Name, Driver: d.Driver, Library: r.Commit, Date: r.Date,
	}, entries)
	if err != nil {
		return err
	}
	raw, err := t.Bytes()
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, raw, 0o644); err != nil {
		return err
	}
	fmt.Fprintf(out, "%s: %d entries\n", path, len(entries))
	return nil
}
