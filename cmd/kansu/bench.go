package main

import (
	"context"
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
	fs.BoolVar(&o.short, "short", false, "two repetitions of each workload: a first look within a minute")
	fs.BoolVar(&o.list, "list", false, "print the workloads' names and stop")
	return &ffcli.Command{
		Name:       "bench",
		ShortUsage: "kansu bench [flags]",
		ShortHelp:  "Time every function on fixed workloads",
		LongHelp: `bench times the named workloads on a device and prints Go's benchmark text
format, which benchstat reads. Rates count the operations of the direct
definition, and inputs and outputs once.

Examples:
  kansu bench
  kansu bench -run 'conv3x3|gemm' -device cpu -benchtime 2s >new.txt
  kansu bench -run conv1x1 -kernel naive -explain`,
		FlagSet: fs,
		Exec: func(ctx context.Context, args []string) error {
			if err := noArgs(args); err != nil {
				return err
			}
			return runBench(ctx, os.Stdout, open, o)
		},
	}
}

func runBench(ctx context.Context, out io.Writer, open func(...ops.Option) (*ops.Engine, error), o benchOptions) error {
	if o.short {
		o.each, o.reps = 0, 2
	}
	want, err := regexp.Compile(o.run)
	if err != nil {
		return fmt.Errorf("-run: %w", err)
	}
	var todo []cases.Workload
	for _, w := range cases.Workloads() {
		if want.MatchString(w.Name) {
			todo = append(todo, w)
		}
	}
	if len(todo) == 0 {
		return fmt.Errorf("-run %q matches no workload; -list prints their names", o.run)
	}
	if o.list {
		for _, w := range todo {
			fmt.Fprintln(out, w.Name)
		}
		return nil
	}
	e, err := open()
	if err != nil {
		return err
	}
	defer e.Close()
	header(out, e)
	for i, w := range todo {
		if err := ctx.Err(); err != nil {
			return err
		}
		if progressing() {
			fmt.Fprintf(os.Stderr, "\r\033[K%d/%d %s", i+1, len(todo), w.Name)
		}
		m, err := bench.Run(e, w, bench.Options{MinTime: o.each, MinReps: o.reps, Kernel: o.kernel})
		if progressing() {
			fmt.Fprint(os.Stderr, "\r\033[K")
		}
		if err != nil {
			return fmt.Errorf("%s: %w", w.Name, err)
		}
		fmt.Fprintln(out, m.GoText())
		if o.explain {
			fmt.Fprintln(out, "#", strings.ReplaceAll(m.Explain, "\n", "\n# "))
		}
	}
	return nil
}

// header prints the configuration lines of Go's benchmark format.
func header(out io.Writer, e *ops.Engine) {
	d := e.Device()
	fmt.Fprintf(out, "goos: %s\ngoarch: %s\npkg: github.com/kansu-dev/kansu\ndevice: %s\nbackend: %s\ndriver: %s\n",
		runtime.GOOS, runtime.GOARCH, d.Name, d.Backend, d.Driver)
}
