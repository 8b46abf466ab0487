package bench

import (
	"bytes"
	"fmt"
	"html/template"
	"image/color"
	"io"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

var page = template.Must(template.New("report").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><title>kansu bench: {{.Device.Name}}</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 70em; padding: 0 1em; color: #222 }
table { border-collapse: collapse } td, th { padding: .25em .8em; text-align: right; border-bottom: 1px solid #ddd }
td:first-child, th:first-child { text-align: left } summary { cursor: pointer } svg { max-width: 100%; height: auto }
pre { background: #f6f6f6; padding: .6em; overflow-x: auto }
</style>
<h1>kansu bench</h1>
<p>{{.Device.Name}} ({{.Device.Type}}, {{.Device.Backend}}), driver {{.Device.Driver}}; {{.Platform}}, {{.Threads}} threads, {{.GoVersion}}; commit {{.Commit}}, {{.Date}}.<br>
<code>{{.Command}}</code></p>
<h2>Roofline</h2>
<p>Each point is a workload: its operations for each byte of its least traffic, and the rate it reaches.
The roof is what the device did in the same run: multiply-adds in registers, and copying.</p>
{{.Roofline}}
<h2>Ceilings</h2>
<table>
<tr><td>multiply-add<td>{{printf "%.4g" .Ceilings.GFlops}} GFLOP/s
<tr><td>copy<td>{{printf "%.3g" .Ceilings.CopyGB}} GB/s
{{range .Ceilings.Copies}}<tr><td>copy, {{printf "%.0f" .Bytes}} bytes in all<td>{{printf "%.3g" .GB}} GB/s
{{end}}<tr><td>upload, read-back<td>{{printf "%.3g, %.3g" .Ceilings.UploadGB .Ceilings.ReadbackGB}} GB/s
<tr><td>recording a call<td>{{printf "%.0f" .Ceilings.RecordNs}} ns
<tr><td>a call among many<td>{{printf "%.0f" .Ceilings.DispatchNs}} ns
<tr><td>a call alone, with its wait<td>{{printf "%.0f" .Ceilings.SubmitNs}} ns
</table>
<h2>Workloads</h2>
<table><tr><th>workload<th>kernel<th>median ms<th>GFLOP/s<th>GB/s<th>of floor<th>bound by</tr>
{{range .Rows}}<tr><td>{{.Name}}<td>{{.Kernel}}<td>{{.Ms}}<td>{{.GFlops}}<td>{{.GB}}<td>{{.Share}}<td>{{.Bound}}</tr>
{{end}}</table>
<h2>Plans</h2>
{{range .Rows}}<details><summary>{{.Name}}</summary><pre>{{.Explain}}</pre></details>
{{end}}</html>
`))

type pageRow struct{ Name, Kernel, Ms, GFlops, GB, Share, Bound, Explain string }

// WriteHTML writes the report as one page that needs nothing else: the table,
// every plan, and a roofline plot.
func (r *Report) WriteHTML(w io.Writer) error {
	svg, err := r.roofline()
	if err != nil {
		return err
	}
	data := struct {
		*Report
		Roofline template.HTML
		Rows     []pageRow
	}{Report: r, Roofline: template.HTML(svg)}
	for i := range r.Measurements {
		m := &r.Measurements[i]
		ns := m.NsPerCall()
		row := pageRow{Name: m.Workload, Kernel: m.Kernel, Ms: fmt.Sprintf("%.4g", ns/1e6), GFlops: rate(m.Flops / ns), GB: rate(m.Bytes / ns), Explain: m.Explain}
		if share, bound := r.Share(m); bound != "" {
			row.Share, row.Bound = fmt.Sprintf("%.0f%%", 100*share), bound
		}
		data.Rows = append(data.Rows, row)
	}
	return page.Execute(w, data)
}

// roofline draws the roofline plot (Williams, Waterman, Patterson, 2009) as SVG.
func (r *Report) roofline() (string, error) {
	p := plot.New()
	p.X.Label.Text, p.Y.Label.Text = "operations per byte", "GFLOP/s"
	p.X.Scale, p.Y.Scale = plot.LogScale{}, plot.LogScale{}
	p.X.Tick.Marker, p.Y.Tick.Marker = plot.LogTicks{Prec: -1}, plot.LogTicks{Prec: -1}
	p.Add(plotter.NewGrid())
	var points plotter.XYs
	var names []string
	low, high := 0.125, 1024.0
	slow, fast := 1.0, max(1, r.Ceilings.GFlops)
	for i := range r.Measurements {
		m := &r.Measurements[i]
		if m.Flops == 0 || m.Bytes == 0 {
			continue
		}
		x, y := m.Flops/m.Bytes, m.Flops/m.NsPerCall()
		points = append(points, plotter.XY{X: x, Y: y})
		names = append(names, m.Workload)
		low, high, slow, fast = min(low, x), max(high, x), min(slow, y), max(fast, y)
	}
	c := r.Ceilings
	if c.GFlops > 0 && c.CopyGB > 0 {
		var roof plotter.XYs
		for x := math.Log2(low); x <= math.Log2(high)+1e-9; x += 0.125 {
			v := math.Exp2(x)
			roof = append(roof, plotter.XY{X: v, Y: min(c.GFlops, v*c.CopyGB)})
		}
		line, err := plotter.NewLine(roof)
		if err != nil {
			return "", err
		}
		line.Width = vg.Points(2)
		line.Color = color.RGBA{R: 0xc0, G: 0x39, B: 0x2b, A: 0xff}
		p.Add(line)
	}
	if len(points) > 0 {
		s, err := plotter.NewScatter(points)
		if err != nil {
			return "", err
		}
		s.Color = color.RGBA{R: 0x1f, G: 0x4e, B: 0x8c, A: 0xff}
		s.Radius = vg.Points(3)
		labels, err := plotter.NewLabels(plotter.XYLabels{XYs: points, Labels: names})
		if err != nil {
			return "", err
		}
		labels.Offset = vg.Point{X: 5, Y: 2}
		for i := range labels.TextStyle {
			labels.TextStyle[i].Font.Size = vg.Points(7)
		}
		p.Add(s, labels)
	}
	// Set at last, since adding a plotter widens the range, and a logarithmic
	// axis takes no zero.
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = low, high, slow/2, fast*2
	canvas := vgsvg.New(24*vg.Centimeter, 14*vg.Centimeter)
	p.Draw(draw.New(canvas))
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		return "", err
	}
	raw := b.Bytes()
	if i := bytes.Index(raw, []byte("<svg")); i > 0 {
		raw = raw[i:] // without the XML prologue, which HTML does not take
	}
	return string(raw), nil
}
