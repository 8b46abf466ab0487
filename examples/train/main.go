// Command train trains a small convolutional network to read handwritten digits,
// on the best device there is or in pure Go, saves its weights and reads them
// back.
package main

import (
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"time"

	"github.com/kansu-dev/kansu/ops"
	"github.com/mattn/go-isatty"
	"github.com/schollz/progressbar/v3"
)

func main() {
	epochs := flag.Int("epochs", 15, "how often to go through the digits")
	batch := flag.Int("batch", 64, "digits in a step")
	lr := flag.Float64("lr", 1e-3, "learning rate of Adam")
	seed := flag.Uint64("seed", 1, "seed of the weights and of the order of the digits")
	out := flag.String("o", "digits.safetensors", "file for the trained weights; empty for none")
	adapter := flag.String("device", "", "adapter by a part of its name, or cpu for pure Go")
	flag.Usage = func() {
		fmt.Fprint(flag.CommandLine.Output(), "train reads handwritten digits.\n\n  go run ./examples/train -epochs 15\n\n")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "train: unexpected argument %q\n", flag.Arg(0))
		os.Exit(2)
	}
	if err := run(*epochs, *batch, *lr, *seed, *out, *adapter); err != nil {
		fmt.Fprintln(os.Stderr, "train:", err)
		os.Exit(1)
	}
}

func run(epochs, batch int, lr float64, seed uint64, out, adapter string) error {
	if epochs < 1 || batch < 1 {
		return fmt.Errorf("%d epochs in batches of %d: both must be positive", epochs, batch)
	}
	if err := writable(out); err != nil {
		return err // before the time is spent
	}
	var opts []ops.Option
	if adapter != "" {
		opts = append(opts, ops.WithAdapter(adapter))
	}
	eng, err := ops.Open(opts...)
	if err != nil {
		return err
	}
	defer eng.Close()
	t, err := newTrainer(eng, seed, batch, lr)
	if err != nil {
		return err
	}
	defer t.release()
	fmt.Printf("device: %v\n%d digits to train on, %d to test\n", eng.Device(), t.set.Len(), t.test.Len())
	start := time.Now()
	for epoch := range epochs {
		bar := progressbar.DefaultSilent(0)
		if isatty.IsTerminal(os.Stderr.Fd()) {
			bar = progressbar.NewOptions(t.steps(), progressbar.OptionSetWriter(os.Stderr), progressbar.OptionClearOnFinish(),
				progressbar.OptionSetDescription(fmt.Sprintf("epoch %d", epoch+1)))
		}
		sum, n := 0.0, 0
		err := t.epoch(func(loss float32) {
			sum += float64(loss)
			n++
			_ = bar.Add(1)
		})
		if err != nil {
			return err
		}
		if math.IsNaN(sum) || math.IsInf(sum, 0) {
			return fmt.Errorf("epoch %d: the loss is %v: the weights have left all bounds; a learning rate below %v may help", epoch+1, sum/float64(n), lr)
		}
		right, err := t.accuracy(t.test)
		if err != nil {
			return err
		}
		_ = bar.Finish()
		fmt.Printf("epoch %2d: loss %.4f, %.1f%% of the test digits right, %v\n", epoch+1, sum/float64(n), 100*right, time.Since(start).Round(10*time.Millisecond))
	}
	if out == "" {
		return nil
	}
	if err := t.net.save(out); err != nil {
		return err
	}
	if err := t.net.load(out); err != nil {
		return err
	}
	right, err := t.accuracy(t.test)
	if err != nil {
		return err
	}
	fmt.Printf("saved to %s and read back: %.1f%% right\n", out, 100*right)
	return nil
}

// writable reports whether a file can be written, without a change to it.
func writable(path string) error {
	if path == "" {
		return nil
	}
	_, absent := os.Stat(path)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o666)
	if err != nil {
		return err
	}
	err = f.Close()
	if absent != nil {
		err = errors.Join(err, os.Remove(path))
	}
	return err
}
