package gallery

import (
	"fmt"
	"image"
	"image/color"

	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

var (
	blue = color.RGBA{0x1f, 0x5f, 0xa8, 0xff}
	red  = color.RGBA{0xd9, 0x48, 0x2b, 0xff}
	grey = color.RGBA{0x88, 0x88, 0x88, 0xff}
)

// canvas draws a plot to pixels.
func canvas(p *plot.Plot, w, h vg.Length) image.Image {
	c := vgimg.NewWith(vgimg.UseWH(w, h), vgimg.UseDPI(110))
	p.Draw(draw.New(c))
	return c.Image()
}

// curve adds points that are finite and within the plot.
func curve(p *plot.Plot, x, y []float32, c color.Color, dashed bool) error {
	var part plotter.XYs
	flush := func() error {
		if len(part) > 1 {
			l, err := plotter.NewLine(part)
			if err != nil {
				return err
			}
			l.Color, l.Width = c, vg.Points(1.8)
			if dashed {
				l.Width, l.Dashes = vg.Points(1.2), []vg.Length{vg.Points(4), vg.Points(3)}
			}
			p.Add(l)
		}
		part = nil
		return nil
	}
	for i := range x {
		if v := float64(y[i]); v >= p.Y.Min && v <= p.Y.Max {
			part = append(part, plotter.XY{X: float64(x[i]), Y: v})
		} else if err := flush(); err != nil { // NaN too
			return err
		}
	}
	return flush()
}

func (s *studio) activations() Section {
	const n = 601
	xs, ones := make([]float32, n), make([]float32, n)
	for i := range xs {
		xs[i], ones[i] = float32(i-n/2)/60, 1
	}
	x, dy := s.tensor(xs, n), s.tensor(ones, n)
	var figures []Figure
	for _, f := range spec.Pointwises() {
		if f == spec.Identity || s.err != nil {
			continue
		}
		a := f.Default()
		y := s.data(s.do(func() (*ops.Tensor, error) { return ops.Pointwise(x, a) }))
		d := s.data(s.do(func() (*ops.Tensor, error) { return ops.PointwiseGrad(dy, x, a) }))
		if s.err != nil {
			break
		}
		p := plot.New()
		p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = -5, 5, -2.5, 3.5
		grid := plotter.NewGrid()
		grid.Vertical.Color, grid.Horizontal.Color = color.Gray{0xe4}, color.Gray{0xe4}
		p.Add(grid)
		if err := curve(p, xs, d, red, true); err != nil {
			s.err = err
		}
		if err := curve(p, xs, y, blue, false); err != nil {
			s.err = err
		}
		figures = append(figures, Figure{
			Name: "activation-" + f.String(), Title: a.String(), Caption: "The function, and dashed its derivative.",
			Call: fmt.Sprintf("ops.Pointwise(x, spec.%v)", a), Picture: canvas(p, 8*vg.Centimeter, 5.6*vg.Centimeter),
		})
	}
	return Section{Title: "Activations", Text: "Functions of one number, applied to each element, and their derivatives, which training needs. Both curves are computed by the library.", Figures: figures}
}

// histogram draws the distributions of the values of several tensors.
func (s *studio) histogram(lo, hi float64, before, after []float32) image.Image {
	p := plot.New()
	p.X.Min, p.X.Max = lo, hi
	const bins = 80
	top := 0.0
	for _, set := range []struct {
		v    []float32
		tint color.RGBA
	}{{before, grey}, {after, blue}} {
		counts := make(plotter.XYs, bins)
		for i := range counts {
			counts[i].X = lo + (float64(i)+0.5)*(hi-lo)/bins
		}
		for _, x := range set.v {
			if i := int((float64(x) - lo) / (hi - lo) * bins); i >= 0 && i < bins {
				counts[i].Y += 1 / float64(len(set.v))
			}
		}
		for _, c := range counts {
			top = max(top, c.Y)
		}
		l, err := plotter.NewLine(counts)
		if err != nil {
			s.err = err
			return nil
		}
		l.Color, l.Width = set.tint, vg.Points(1.6)
		fill := set.tint
		fill.R, fill.G, fill.B, fill.A = fill.R/4, fill.G/4, fill.B/4, 0x40 // premultiplied
		l.FillColor = fill
		p.Add(l)
	}
	p.Y.Min, p.Y.Max = 0, 1.05*top
	p.Y.Tick.Marker = plot.ConstantTicks(nil)
	return canvas(p, 8*vg.Centimeter, 5*vg.Centimeter)
}
