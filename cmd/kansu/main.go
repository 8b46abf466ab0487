// Command kansu shows what the library does on the machine at hand: the
// adapters there are, whether every function gives the right answer on them,
// and how fast.
package main

import (
	"fmt"
	"io"
	"os"

	"github.com/kansu-dev/kansu/ops"
	"github.com/spf13/cobra"
)

func main() {
	if err := newRoot().Execute(); err != nil {
		fmt.Fprintln(os.Stderr, "kansu:", err)
		os.Exit(1)
	}
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "kansu",
		Short: "The functions of deep learning as WGSL compute shaders, and in pure Go",
		Long: `kansu shows what the library does on the machine at hand.

The device is the best adapter there is, and pure Go where there is none. The
flag -device (or the environment variable KANSU_ADAPTER) chooses another one by
a part of its name; "cpu" and "none" mean pure Go.`,
		Example: `  kansu info
  kansu check -device llvmpipe
  kansu bench -device cpu -run 'conv|gemm'`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.CompletionOptions.DisableDefaultCmd = true
	root.AddCommand(newInfo(), newCheck(), newBench())
	return root
}

// deviceFlag adds -device to a command and returns how to open an engine on it.
func deviceFlag(cmd *cobra.Command) func(...ops.Option) (*ops.Engine, error) {
	name := cmd.Flags().StringP("device", "d", "", "adapter by a part of its name, or cpu for pure Go (default: $KANSU_ADAPTER, then the best)")
	return func(o ...ops.Option) (*ops.Engine, error) {
		if *name != "" {
			o = append(o, ops.WithAdapter(*name))
		}
		return ops.Open(o...)
	}
}

// terminal reports whether w is a terminal, where progress may overwrite itself.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	st, err := f.Stat()
	return err == nil && st.Mode()&os.ModeCharDevice != 0
}
