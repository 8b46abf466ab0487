package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/tests/cases"
	"github.com/peterbourgon/ff/v3/ffcli"
	"github.com/schollz/progressbar/v3"
)

// errFailed is the check's own verdict: reasons were printed before.
var errFailed = errors.New("the check failed")

type checkOptions struct {
	random   int
	full     bool
	seed     uint64
	function []string
	kernel   string
	line     string
}

// fullCases is how many cases -full runs at least, over all functions.
const fullCases = 5000

func newCheck() *ffcli.Command {
	var o checkOptions
	fs := flag.NewFlagSet("kansu check", flag.ContinueOnError)
	open := deviceFlag(fs)
	fs.IntVar(&o.random, "n", 30, "random cases for each function, beside its awkward ones")
	fs.BoolVar(&o.full, "full", false, fmt.Sprintf("at least %d cases", fullCases))
	fs.Uint64Var(&o.seed, "seed", 0, "seed of the random cases (default: drawn anew, and printed)")
	fs.Func("function", "check only these functions (names with commas between)", func(s string) error {
		o.function = append(o.function, strings.Split(s, ",")...)
		return nil
	})
	fs.StringVar(&o.kernel, "kernel", "", "only this kernel (default: the chosen one, then each that can be forced)")
	fs.StringVar(&o.line, "case", "", "repeat one case, as a failing one printed it")
	return &ffcli.Command{
		Name:       "check",
		ShortUsage: "kansu check [flags]",
		ShortHelp:  "Compare every function on a device with the oracle",
		LongHelp: `check runs every function, with every kernel that can serve it, over awkward
and random shapes and compares each result with the float64 oracle. Memory is
filled with NaN before and guarded behind, so that a kernel that leaves a gap or
writes past its end is found. A failing case prints the line that repeats it.
The exit status is 1 where a case fails.

Examples:
  kansu check
  kansu check -function conv,softmax -n 500 -seed 7
  kansu check -full -device cpu
  kansu check -case 'conv {"X":[1,3,5,5],"W":[4,3,3,3],"Bias":true,"Params":{}}'`,
		FlagSet: fs,
		Exec: func(ctx context.Context, args []string) error {
			if err := noArgs(args); err != nil {
				return err
			}
			e, err := open(ops.WithDebug())
			if err != nil {
				return err
			}
			defer e.Close()
			return runCheck(ctx, os.Stdout, e, o)
		},
	}
}

func runCheck(ctx context.Context, out io.Writer, e *ops.Engine, o checkOptions) error {
	if o.random < 0 {
		return fmt.Errorf("-n %d: want at least 0", o.random)
	}
	fmt.Fprintf(out, "device: %v\n", e.Device())
	if o.line != "" {
		row, c, err := cases.Parse(o.line)
		if err != nil {
			return err
		}
		return checkRow(ctx, out, e, row, []cases.Case{c}, o, table.NewWriter(), nil)
	}
	rows := cases.Rows()
	for _, name := range o.function {
		if _, err := cases.Find(name); err != nil {
			return err
		}
	}
	if len(o.function) > 0 {
		rows = slices.DeleteFunc(rows, func(r cases.Row) bool { return !slices.Contains(o.function, r.Name) })
	}
	if o.seed == 0 {
		o.seed = uint64(time.Now().UnixNano())
	}
	fmt.Fprintf(out, "seed:   %d\n\n", o.seed)
	if o.full {
		o.random = max(o.random, (fullCases+len(rows)-1)/len(rows))
	}
	drawn := make([][]cases.Case, len(rows))
	total := 0
	for i, row := range rows {
		r := rand.New(rand.NewPCG(o.seed, uint64(i)))
		drawn[i] = row.Awkward()
		for range o.random {
			drawn[i] = append(drawn[i], row.Draw(r))
		}
		total += len(drawn[i])
	}
	var bar *progressbar.ProgressBar
	if progressing() {
		bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(os.Stderr), progressbar.OptionClearOnFinish(),
			progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(true), progressbar.OptionThrottle(100*time.Millisecond))
	}
	t := table.NewWriter()
	t.SetOutputMirror(out)
	t.AppendHeader(table.Row{"function", "kernels", "cases", "worst error, of its budget", "verdict"})
	t.SetColumnConfigs([]table.ColumnConfig{{Name: "kernels", WidthMax: 56}})
	if o.kernel != "" && !slices.ContainsFunc(rows, func(r cases.Row) bool { return slices.Contains(r.Variants(), o.kernel) }) {
		return fmt.Errorf("-kernel %q is no kernel of these functions", o.kernel)
	}
	var failed error
	for i, row := range rows {
		if bar != nil {
			bar.Describe(row.Name)
		}
		if err := checkRow(ctx, out, e, row, drawn[i], o, t, bar); err != nil {
			failed = err
		}
		if ctx.Err() != nil {
			break
		}
		if bar == nil {
			fmt.Fprintf(os.Stderr, "%s: %d cases\n", row.Name, len(drawn[i]))
		}
	}
	if bar != nil {
		_ = bar.Finish()
	}
	t.AppendFooter(table.Row{"", "", total})
	t.Render()
	return failed
}

// checkRow checks the cases of one function and appends its line to the table.
func checkRow(ctx context.Context, out io.Writer, e *ops.Engine, row cases.Row, all []cases.Case, o checkOptions, t table.Writer, bar *progressbar.ProgressBar) error {
	kernels := row.Variants()
	if o.kernel != "" {
		kernels = []string{o.kernel}
	}
	tried := map[string]int{}
	var worst cases.Result // of all, the one with the largest share of its budget
	failures := 0
	for _, c := range all {
		if err := ctx.Err(); err != nil {
			return err
		}
		in, want := cases.Prepare(row, c)
		for _, kernel := range kernels {
			res := cases.CheckAgainst(e, row, c, kernel, in, want)
			if res.Skipped {
				continue
			}
			if len(tried) == 0 || res.Worst > worst.Worst {
				worst = res
			}
			tried[kernel]++
			if res.Err != nil {
				failures++
				arg := ""
				if kernel != "" {
					arg = " -kernel " + kernel
				}
				if failures <= 5 {
					fmt.Fprintf(out, "FAIL %s: %v\n  repeat: kansu check%s -case '%s'\n", row.Name, res.Err, arg, cases.Line(row.Name, c))
				}
			}
		}
		if bar != nil {
			_ = bar.Add(1)
		}
	}
	if err := e.CheckGuards(); err != nil {
		failures++
		fmt.Fprintf(out, "FAIL %s: %v\n", row.Name, err)
	}
	var names []string
	for _, k := range kernels {
		if k != "" && tried[k] > 0 {
			names = append(names, fmt.Sprintf("%s %d", k, tried[k]))
		}
	}
	verdict := "ok"
	if failures > 0 {
		verdict = fmt.Sprintf("%d FAILED", failures)
	}
	t.AppendRow(table.Row{row.Name, strings.Join(names, ", "), len(all), fmt.Sprintf("%.2f of %v", worst.Worst, worst.Budget), verdict})
	if o.line != "" {
		fmt.Fprintf(out, "%s: worst error %.3g of the budget (%v), %s\n", row.Name, worst.Worst, worst.Budget, verdict)
	}
	if failures > 0 {
		return errFailed
	}
	return nil
}
