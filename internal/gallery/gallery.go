// Package gallery shows the functions of kansu at work on an image: it computes
// pictures with package ops on a device, and writes them as PNGs and as one HTML
// page that needs nothing else.
package gallery

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"image"
	_ "image/jpeg" // photos
	"image/png"
	"os"
	"path/filepath"

	"github.com/kansu-dev/kansu/ops"
	"golang.org/x/image/draw"
)

// Figure is one picture with its caption.
type Figure struct {
	Name    string // of its file
	Title   string
	Caption string // what is to be seen, with the formula
	Call    string // the call that made it
	Picture image.Image
}

// Section is a group of figures.
type Section struct {
	Title, Text string
	Figures     []Figure
}

// workWidth is the width to which an image is brought before the functions work
// on it.
const workWidth = 240

// Open reads a photo (JPEG or PNG). An empty path gives the built-in scene.
func Open(path string) (image.Image, error) {
	if path == "" {
		return scene(), nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	img, _, err := image.Decode(f)
	if err != nil {
		return nil, fmt.Errorf("%s is no JPEG or PNG: %w", path, err)
	}
	return img, nil
}

// Build computes every figure on the engine's device from an image. progress is
// called with the name of each section.
func Build(e *ops.Engine, img image.Image, progress func(string)) ([]Section, error) {
	b := img.Bounds()
	if b.Dx() < 8 || b.Dy() < 8 {
		return nil, fmt.Errorf("the image has %dx%d pixels; at least 8x8 are needed", b.Dx(), b.Dy())
	}
	small := image.NewRGBA(image.Rect(0, 0, workWidth, max(8, workWidth*b.Dy()/b.Dx())))
	draw.CatmullRom.Scale(small, small.Bounds(), img, b, draw.Src, nil)
	s := &studio{e: e, img: small}
	defer s.release()
	s.photo = s.upload(small)
	s.grey = s.greyOf(s.photo)
	var all []Section
	for _, part := range []struct {
		name  string
		build func() Section
	}{
		{"the image", s.original}, {"activations", s.activations}, {"convolution", s.convolutions}, {"windows", s.windows},
		{"pooling", s.pooling}, {"transposed convolution", s.enlarging}, {"normalization", s.normalizations}, {"softmax and dropout", s.probabilities},
	} {
		progress(part.name)
		section := part.build()
		if s.err != nil {
			return nil, fmt.Errorf("%s: %w", part.name, s.err)
		}
		all = append(all, section)
	}
	return all, nil
}

var page = template.Must(template.New("gallery").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>kansu gallery</title>
<style>
:root { color-scheme: light dark; --line: #8884; --soft: #8881 }
body { font: 16px/1.55 system-ui, sans-serif; margin: 0 auto; max-width: 76rem; padding: 2rem 1.2rem }
h1 { font-size: 2rem; margin: 0 } h2 { margin: 3rem 0 .3rem; border-top: 1px solid var(--line); padding-top: 1.5rem }
p { max-width: 48rem } .grid { display: grid; gap: 1.4rem; grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr)) }
figure { margin: 0; background: var(--soft); border-radius: .6rem; overflow: hidden } figure.wide { grid-column: 1 / -1 }
img { width: 100%; display: block; background: #fff } figcaption { padding: .7rem .9rem 1rem; font-size: .9rem }
figcaption b { display: block; font-size: 1rem } code { font-size: .82em; opacity: .8; overflow-wrap: anywhere }
</style></head><body>
<h1>kansu gallery</h1>
<p>Each picture is computed by the library, on {{.Device}}. The calls are those of package ops.</p>
{{range .Sections}}<h2>{{.Title}}</h2><p>{{.Text}}</p><div class="grid">
{{range .Figures}}<figure{{if .Wide}} class="wide"{{end}}><img alt="{{.Title}}" src="{{.Source}}"><figcaption><b>{{.Title}}</b>{{.Caption}}{{if .Call}}<br><code>{{.Call}}</code>{{end}}</figcaption></figure>
{{end}}</div>{{end}}</body></html>
`))

type pageFigure struct {
	Figure
	Wide   bool
	Source template.URL
}

type pageSection struct {
	Title, Text string
	Figures     []pageFigure
}

// Write writes index.html and a PNG of each figure to a folder, which it makes.
func Write(dir string, device ops.Device, sections []Section) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	data := struct {
		Device   string
		Sections []pageSection
	}{Device: device.String()}
	for _, s := range sections {
		ps := pageSection{Title: s.Title, Text: s.Text}
		for _, f := range s.Figures {
			var b bytes.Buffer
			if err := png.Encode(&b, f.Picture); err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(dir, f.Name+".png"), b.Bytes(), 0o644); err != nil {
				return err
			}
			bounds := f.Picture.Bounds()
			ps.Figures = append(ps.Figures, pageFigure{
				Figure: f, Wide: bounds.Dx() > 5*bounds.Dy()/2,
				Source: template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(b.Bytes())),
			})
		}
		data.Sections = append(data.Sections, ps)
	}
	out, err := os.Create(filepath.Join(dir, "index.html"))
	if err != nil {
		return err
	}
	return errors.Join(page.Execute(out, data), out.Close())
}
