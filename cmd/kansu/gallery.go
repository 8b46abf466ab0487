package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/kansu-dev/kansu/internal/gallery"
	"github.com/peterbourgon/ff/v3/ffcli"
)

func newGallery() *ffcli.Command {
	fs := flag.NewFlagSet("kansu gallery", flag.ContinueOnError)
	open := deviceFlag(fs)
	out := fs.String("o", "kansu-gallery", "folder for the page and the pictures")
	return &ffcli.Command{
		Name:       "gallery",
		ShortUsage: "kansu gallery [flags] [photo]",
		ShortHelp:  "Show each function at work on an image, as a page",
		LongHelp: `gallery computes pictures with the library on a device and writes them as PNGs,
and as one page (index.html) that needs nothing else: the curves of the
activations with their derivatives, filters, what stride, padding and dilation
do, poolings, transposed convolution, normalizations. Without a photo (JPEG or
PNG) it draws its own image.

Examples:
  kansu gallery
  kansu gallery -device cpu -o out photo.jpg`,
		FlagSet: fs,
		Exec: func(ctx context.Context, args []string) error {
			path := ""
			if len(args) > 0 {
				path = args[0]
			}
			if len(args) > 1 {
				return fmt.Errorf("unexpected argument %q: one photo is shown at a time", args[1])
			}
			img, err := gallery.Open(path)
			if err != nil {
				return err
			}
			e, err := open()
			if err != nil {
				return err
			}
			defer e.Close()
			sections, err := gallery.Build(e, img, func(name string) {
				if progressing() {
					fmt.Fprintf(os.Stderr, "\r\033[K%s", name)
				}
			})
			if progressing() {
				fmt.Fprint(os.Stderr, "\r\033[K")
			}
			if err != nil {
				return err
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := gallery.Write(*out, e.Device(), sections); err != nil {
				return err
			}
			n := 0
			for _, s := range sections {
				n += len(s.Figures)
			}
			fmt.Printf("%d figures on %v: %s\n", n, e.Device(), filepath.Join(*out, "index.html"))
			return nil
		},
	}
}
