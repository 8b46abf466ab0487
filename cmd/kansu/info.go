package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/kansu-dev/kansu/gpu"
	"github.com/kansu-dev/kansu/ops"
	"github.com/peterbourgon/ff/v3/ffcli"
)

func newInfo() *ffcli.Command {
	fs := flag.NewFlagSet("kansu info", flag.ContinueOnError)
	open := deviceFlag(fs)
	return &ffcli.Command{
		Name:       "info",
		ShortUsage: "kansu info [flags]",
		ShortHelp:  "Show adapters, limits, features, and what kansu would compute on",
		FlagSet:    fs,
		Exec: func(_ context.Context, args []string) error {
			if err := noArgs(args); err != nil {
				return err
			}
			return runInfo(os.Stdout, open)
		},
	}
}

func runInfo(out io.Writer, open func(...ops.Option) (*ops.Engine, error)) error {
	all, err := gpu.Adapters()
	switch {
	case errors.Is(err, gpu.ErrNoDevice):
		fmt.Fprintf(out, "No adapter: %v\n\n", err)
	case err != nil:
		return err
	default:
		t := table.NewWriter()
		t.SetOutputMirror(out)
		t.AppendHeader(table.Row{"adapter", "type", "backend", "driver", "binding", "workgroup memory", "timestamps", "note"})
		for _, a := range all {
			t.AppendRow(table.Row{a.Name, a.Type, a.Backend, a.Driver, bytes(a.Limits.MaxBindingSize),
				bytes(uint64(a.Limits.MaxWorkgroupStorage)), a.Timestamps, a.Refused})
		}
		t.Render()
		fmt.Fprintln(out)
	}
	e, err := open()
	if err != nil {
		return err
	}
	defer e.Close()
	d := e.Device()
	fmt.Fprintf(out, "computes on    %v\n", d)
	if d.GPU {
		i := e.GPU().Info()
		fmt.Fprintf(out, "table          %s\n", cmp.Or(d.Table, "none: models choose the kernels"))
		fmt.Fprintf(out, "features       %s\n", strings.Join(i.Features, ", "))
		l := i.Limits
		fmt.Fprintf(out, "limits         buffer %s, binding %s, %d storage buffers, %d invocations, %d groups a dimension\n",
			bytes(l.MaxBufferSize), bytes(l.MaxBindingSize), l.MaxStorageBuffers, l.MaxInvocations, l.MaxGroups)
	}
	fmt.Fprintf(out, "fallback       pure Go on %s/%s, %d threads\n", runtime.GOOS, runtime.GOARCH, runtime.GOMAXPROCS(0))
	return nil
}

// bytes prints a size with a binary unit.
func bytes(n uint64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.4g GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.4g MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.4g KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%d B", n)
}
