package gallery

import (
	"image"
	"image/color"
	"math"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// The size of the scene.
const sceneWidth, sceneHeight = 480, 320

// scene draws the picture that stands in where no photo is given: a gate in the
// sea at dusk. It has what the functions react to: straight edges and curved
// ones, smooth gradients, fine stripes, strong colours, and writing.
func scene() image.Image {
	img := image.NewRGBA(image.Rect(0, 0, sceneWidth, sceneHeight))
	for y := range sceneHeight {
		for x := range sceneWidth {
			// Coordinates are in heights of the picture, from the middle of its upper edge.
			u := (float64(x) + 0.5 - sceneWidth/2) / sceneHeight
			v := (float64(y) + 0.5) / sceneHeight
			c := paint(u, v)
			g := 0.012 * (grain(x, y) - 0.5)
			img.SetRGBA(x, y, color.RGBA{byteOf(c[0] + g), byteOf(c[1] + g), byteOf(c[2] + g), 255})
		}
	}
	write(img, "kansu", 20, 300, 46)
	return img
}

// rgb is a colour with components from 0 to 1.
type rgb [3]float64

// horizon is where the sea begins, in heights of the picture.
const horizon = 0.67

// paint returns the colour of the scene at a point.
func paint(u, v float64) rgb {
	if v < horizon {
		return above(u, v)
	}
	// The sea mirrors what is above it, shaken by waves whose stripes become
	// finer towards the horizon, as perspective has it.
	depth := (v - horizon) / (1 - horizon)
	wave := math.Sin(36/(depth+0.16)+3*math.Sin(9*u)) * (0.3 + depth)
	mirror := above(u+0.012*wave, 2*horizon-v-0.01*wave)
	c := mix(mirror, rgb{0.03, 0.09, 0.22}, 0.35+0.3*depth)
	glitter := math.Exp(-sq((u-0.36)/(0.05+0.12*depth))) * step(0.25, 0.75, wave)
	return mix(c, rgb{1, 0.83, 0.5}, 0.75*glitter)
}

// above paints what is above the horizon.
func above(u, v float64) rgb {
	c := mix(rgb{0.09, 0.13, 0.33}, rgb{0.48, 0.30, 0.53}, step(0, 0.42, v))
	c = mix(c, rgb{0.99, 0.66, 0.36}, step(0.3, horizon, v))
	if s := grain(int(u*160)+500, int(v*160)); s > 0.985 && v < 0.25 {
		c = mix(c, rgb{1, 1, 1}, 0.8*(1-v/0.25))
	}
	// The sun, with its halo.
	d := math.Hypot(u-0.36, v-0.36)
	c = mix(c, rgb{1, 0.85, 0.55}, 0.55*math.Exp(-d/0.12))
	c = mix(c, rgb{1, 0.95, 0.78}, edge(0.125-d))
	for _, cloud := range [][3]float64{{0.43, 0.40, 0.2}, {0.28, 0.31, 0.13}, {-0.6, 0.24, 0.2}, {-0.42, 0.28, 0.14}} {
		shape := 1 - sq((u-cloud[0])/cloud[2]) - sq((v-cloud[1])/0.018)
		c = mix(c, rgb{0.93, 0.55, 0.47}, 0.85*step(0, 0.5, shape))
	}
	// A mountain with snow, and hills before it.
	slope := math.Abs(u + 0.28)
	top := 0.27 + 0.75*slope - 0.32*slope*slope + 0.02*math.Exp(-slope/0.04)
	inside := edge(v - top)
	c = mix(c, rgb{0.33, 0.29, 0.51}, inside)
	snow := 0.41 + 0.035*math.Sin(70*u)*math.Sin(23*u)
	c = mix(c, rgb{0.93, 0.91, 0.96}, inside*edge(snow-v))
	hills := 0.60 + 0.03*math.Sin(7*u+1) + 0.012*math.Sin(29*u)
	c = mix(c, rgb{0.16, 0.17, 0.32}, edge(v-hills))
	return gate(c, u-0.02, v)
}

// gate paints a torii over the colour c.
func gate(c rgb, u, v float64) rgb {
	red, dark := rgb{0.85, 0.20, 0.12}, rgb{0.13, 0.09, 0.12}
	pillar := math.Abs(math.Abs(u)-(0.165+0.03*(v-0.2))) - 0.02
	body := max(-pillar, -1)
	body = min(body, v-0.2) // pillars begin below the beam
	body = max(body, box(u, v-0.31, 0.235, 0.017))
	body = max(body, box(u, v-0.25, 0.022, 0.05))
	bend := 0.22 * sq(u) // the beams rise towards their ends
	body = max(body, box(u, v-0.2+bend, 0.27, 0.017))
	c = mix(c, red, edge(body))
	return mix(c, dark, edge(box(u, v-0.168+bend, 0.31, 0.016)))
}

// write sets a word in white with a dark edge, from a point of the base line.
func write(img *image.RGBA, word string, x, y int, size float64) {
	parsed, err := opentype.Parse(gobold.TTF)
	if err != nil {
		return // the picture serves without it
	}
	face, err := opentype.NewFace(parsed, &opentype.FaceOptions{Size: size, DPI: 72})
	if err != nil {
		return
	}
	for _, layer := range []struct {
		d    int
		tint color.RGBA
	}{{2, color.RGBA{8, 14, 36, 255}}, {0, color.RGBA{250, 246, 235, 255}}} {
		d := font.Drawer{Dst: img, Src: image.NewUniform(layer.tint), Face: face, Dot: fixed.P(x+layer.d, y+layer.d)}
		d.DrawString(word)
	}
}

// box is the distance of a point from the edge of a box around the origin,
// positive inside.
func box(u, v, halfWidth, halfHeight float64) float64 {
	return min(halfWidth-math.Abs(u), halfHeight-math.Abs(v))
}

// edge turns a distance from an edge, positive inside, into coverage, smooth
// over a pixel.
func edge(d float64) float64 { return min(max(d*sceneHeight+0.5, 0), 1) }

// step rises smoothly from 0 at a to 1 at b.
func step(a, b, x float64) float64 {
	t := min(max((x-a)/(b-a), 0), 1)
	return t * t * (3 - 2*t)
}

func sq(x float64) float64 { return x * x }

func mix(a, b rgb, t float64) rgb {
	for i := range a {
		a[i] += (b[i] - a[i]) * t
	}
	return a
}

// grain is noise in [0, 1) that depends on the place alone.
func grain(x, y int) float64 {
	h := uint32(x)*0x9e3779b1 ^ uint32(y)*0x85ebca77
	h ^= h >> 15
	h *= 0x2c1b3c6d
	h ^= h >> 12
	h *= 0x297a2d39
	h ^= h >> 15
	return float64(h) / (1 << 32)
}

// byteOf rounds a value from 0 to 1 to a byte, and holds others within.
func byteOf(v float64) uint8 { return uint8(min(max(v, 0), 1)*255 + 0.5) }
