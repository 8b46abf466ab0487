// Command kansu shows what the library does on the machine at hand: the
// adapters there are, whether every function gives the right answer on them,
// and how fast.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/kansu-dev/kansu/ops"
	"github.com/mattn/go-isatty"
	"github.com/peterbourgon/ff/v3/ffcli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := newRoot().ParseAndRun(ctx, os.Args[1:])
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		if errors.Is(err, context.Canceled) {
			err = fmt.Errorf("interrupted: %w", err)
		}
		fmt.Fprintln(os.Stderr, "kansu:", err)
		stop()
		os.Exit(1)
	}
}

func newRoot() *ffcli.Command {
	fs := flag.NewFlagSet("kansu", flag.ContinueOnError)
	return &ffcli.Command{
		ShortUsage: "kansu <command> [flags]",
		ShortHelp:  "The functions of deep learning as WGSL compute shaders, and in pure Go",
		LongHelp: `kansu shows what the library does on the machine at hand.

The device is the best adapter there is, and pure Go where there is none. The
flag -device (or the environment variable KANSU_ADAPTER) chooses another one by
a part of its name; "cpu" and "none" mean pure Go. "kansu <command> -h" has the
flags of each command.`,
		FlagSet:     fs,
		Subcommands: []*ffcli.Command{newInfo(), newCheck(), newBench(), newTune(), newGallery()},
		Exec: func(_ context.Context, args []string) error {
			if len(args) > 0 && args[0] != "help" {
				return fmt.Errorf("no command %q; there are info, check, bench, tune and gallery", args[0])
			}
			return flag.ErrHelp
		},
	}
}

// deviceFlag adds -device to a command and returns how to open an engine on it.
func deviceFlag(fs *flag.FlagSet) func(...ops.Option) (*ops.Engine, error) {
	name := fs.String("device", "", "adapter by a part of its name, or cpu for pure Go (default: $KANSU_ADAPTER, then the best)")
	return func(o ...ops.Option) (*ops.Engine, error) {
		if *name != "" {
			o = append(o, ops.WithAdapter(*name))
		}
		return ops.Open(o...)
	}
}

// noArgs refuses words after the flags, which are most often a mistyped flag.
func noArgs(args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("unexpected argument %q", args[0])
	}
	return nil
}

// progressing reports whether standard error is a terminal, where progress may
// overwrite itself.
func progressing() bool { return isatty.IsTerminal(os.Stderr.Fd()) }
