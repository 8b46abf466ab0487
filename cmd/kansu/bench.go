package main

import (
	"fmt"
	"regexp"
	"runtime"
	"strings"
	"time"

	"github.com/kansu-dev/kansu/internal/bench"
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/tests/cases"
	"github.com/spf13/cobra"
)

func newBench() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Time every function on fixed workloads",
		Long: `bench times the named workloads on a device and prints Go's benchmark text
format, which benchstat reads. Rates count the operations of the direct
definition, and inputs and outputs once.`,
		Example: `  kansu bench
  kansu bench -run 'conv3x3|gemm' -device cpu -benchtime 2s >new.txt
  kansu bench -run conv1x1 -kernel naive -explain`,
		Args: cobra.NoArgs,
	}
	open := deviceFlag(cmd)
	f := cmd.Flags()
	run := f.String("run", ".", "regular expression of the workloads to run")
	each := f.Duration("benchtime", 500*time.Millisecond, "time for each workload")
	reps := f.Int("reps", 5, "repetitions of each workload, at least")
	kernel := f.StringP("kernel", "k", "", "force this kernel")
	explain := f.Bool("explain", false, "print the plan: kernel, grid, why, what was rejected")
	list := f.Bool("list", false, "print the workloads' names and stop")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		out := cmd.OutOrStdout()
		want, err := regexp.Compile(*run)
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
			return fmt.Errorf("-run %q matches no workload; -list prints their names", *run)
		}
		if *list {
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
		header(cmd, e)
		for i, w := range todo {
			if terminal(cmd.ErrOrStderr()) {
				fmt.Fprintf(cmd.ErrOrStderr(), "\r\033[K%d/%d %s", i+1, len(todo), w.Name)
			}
			m, err := bench.Run(e, w, bench.Options{MinTime: *each, MinReps: *reps, Kernel: *kernel})
			if terminal(cmd.ErrOrStderr()) {
				fmt.Fprint(cmd.ErrOrStderr(), "\r\033[K")
			}
			if err != nil {
				return fmt.Errorf("%s: %w", w.Name, err)
			}
			fmt.Fprintln(out, m.GoText())
			if *explain {
				fmt.Fprintln(out, "#", strings.ReplaceAll(m.Explain, "\n", "\n# "))
			}
		}
		return nil
	}
	return cmd
}

// header prints the configuration lines of Go's benchmark format.
func header(cmd *cobra.Command, e *ops.Engine) {
	d := e.Device()
	fmt.Fprintf(cmd.OutOrStdout(), "goos: %s\ngoarch: %s\npkg: github.com/kansu-dev/kansu\ndevice: %s\nbackend: %s\ndriver: %s\n",
		runtime.GOOS, runtime.GOARCH, d.Name, d.Backend, d.Driver)
}
