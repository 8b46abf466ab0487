package tests

import (
	"image"
	"image/color"
	_ "image/jpeg"
	_ "image/png"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/image/draw"

	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/tests/conformance"
	"github.com/kansu-dev/kansu/tests/internal/keras"
	"github.com/kansu-dev/kansu/tests/internal/onnx"
)

// modelFile returns the path of a trained model's file, none of which are part
// of the project, or skips the test.
func modelFile(t *testing.T, name ...string) string {
	path := filepath.Join(append([]string{shared, "models"}, name...)...)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("no model: %v", err)
	}
	return path
}

func readModel(t *testing.T, name ...string) *onnx.Model {
	m, err := onnx.Read(modelFile(t, name...))
	require.NoError(t, err)
	return m
}

// runModel computes a model's outputs for a single input.
func runModel(t *testing.T, e *ops.Engine, m *onnx.Model, in *conformance.Value) [][]float32 {
	require.Len(t, m.Inputs, 1)
	values := map[string]*conformance.Value{m.Inputs[0]: in}
	for name, w := range m.Weights {
		values[name] = w
	}
	out, err := m.Run(e, values, m.Outputs...)
	require.NoError(t, err)
	var data [][]float32
	for _, v := range out {
		f, err := v.Floats()
		require.NoError(t, err)
		data = append(data, f)
	}
	return data
}

// apart returns the largest difference of two lists; NaN where one has a NaN.
func apart(t *testing.T, a, b []float32) float64 {
	require.Len(t, a, len(b))
	d := 0.0
	for i := range a {
		d = max(d, math.Abs(float64(a[i])-float64(b[i])))
	}
	return d
}

// agree checks that every backend gets what the first one got, within a part of
// the largest value.
type agree struct{ first [][]float32 }

func (a *agree) check(t *testing.T, got [][]float32, part float64) {
	if a.first == nil {
		a.first = got
		return
	}
	for i := range got {
		scale := 0.0
		for _, v := range a.first[i] {
			scale = max(scale, math.Abs(float64(v)))
		}
		d := apart(t, got[i], a.first[i])
		t.Logf("output %d: backends differ by %.3g of %.3g", i, d, scale)
		assert.LessOrEqual(t, d, part*scale, "output %d: the backends differ", i)
	}
}

func argmax(v []float32) int {
	best := 0
	for i := range v {
		if v[i] > v[best] {
			best = i
		}
	}
	return best
}

// TestModelMNIST: both exports reproduce their own test data, and get 99 of the
// first 100 test images right.
func TestModelMNIST(t *testing.T) {
	images, err := os.ReadFile(modelFile(t, "mnist", "t10k-images-idx3-ubyte"))
	require.NoError(t, err)
	labels, err := os.ReadFile(modelFile(t, "mnist", "t10k-labels-idx1-ubyte"))
	require.NoError(t, err)
	images, labels = images[16:], labels[8:]
	require.Len(t, images, len(labels)*28*28)
	onEach(t, func(t *testing.T, e *ops.Engine) {
		for _, file := range []string{"mnist-8.onnx", "mnist-opt.onnx"} {
			m := readModel(t, "mnist", file)
			for _, set := range []string{"test_data_set_0", "test_data_set_1", "test_data_set_2"} {
				in, err := onnx.ReadTensor(modelFile(t, "mnist", set, "input_0.pb"))
				require.NoError(t, err)
				out, err := onnx.ReadTensor(modelFile(t, "mnist", set, "output_0.pb"))
				require.NoError(t, err)
				want, err := out.Floats()
				require.NoError(t, err)
				d := apart(t, runModel(t, e, m, in)[0], want)
				t.Logf("%s, %s: max |difference| %.3g", file, set, d)
				assert.LessOrEqual(t, d, 1e-3, "%s, %s", file, set)
			}
			right := 0
			for i, label := range labels {
				x := make([]float32, 28*28)
				for j := range x {
					x[j] = float32(images[i*28*28+j])
				}
				if argmax(runModel(t, e, m, conformance.Host(x, 1, 1, 28, 28))[0]) == int(label) {
					right++
				}
			}
			assert.GreaterOrEqual(t, right, len(labels)*99/100, "%s: images classified correctly", file)
		}
	})
}

func readImage(t *testing.T, path string) image.Image {
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	img, _, err := image.Decode(f)
	require.NoError(t, err)
	return img
}

// planes returns the channels of a picture, 0 to 255, one after another.
func planes(img image.Image) []float32 {
	b := img.Bounds()
	n := b.Dx() * b.Dy()
	x := make([]float32, 3*n)
	for i := range n {
		c := color.NRGBAModel.Convert(img.At(b.Min.X+i%b.Dx(), b.Min.Y+i/b.Dx())).(color.NRGBA)
		x[i], x[n+i], x[2*n+i] = float32(c.R), float32(c.G), float32(c.B)
	}
	return x
}

// resized is a photograph at another size.
func resized(t *testing.T, name string, w, h int) image.Image {
	dst := image.NewNRGBA(image.Rect(0, 0, w, h))
	src := readImage(t, modelFile(t, "photos", name))
	draw.CatmullRom.Scale(dst, dst.Bounds(), src, src.Bounds(), draw.Src, nil)
	return dst
}

// TestModelUpscaler: every value of the enlarged picture rounds to that of the
// reference; only one that lies on a half, but for 1e-4, may round the other way.
// In float64 three values do; which ones do in float32, with an error of 3e-5 of
// 255 by root mean square, is chance: some two to six in any order of summation.
// The network takes and gives pixel values from 0 to 255.
func TestModelUpscaler(t *testing.T) {
	m, err := keras.Read(modelFile(t, "upscaler-x2", "model.json"))
	require.NoError(t, err)
	pixels := planes(readImage(t, modelFile(t, "upscaler-x2", "fixture.png")))
	want := planes(readImage(t, modelFile(t, "upscaler-x2", "result.png")))
	onEach(t, func(t *testing.T, e *ops.Engine) {
		x, err := e.Tensor(pixels, 1, 3, 128, 128)
		require.NoError(t, err)
		y, err := m.Run(e, x)
		require.NoError(t, err)
		got, err := y.Data()
		require.NoError(t, err)
		different := 0
		for i, v := range got {
			got[i] = min(max(v, 0), 255)
			if math.Round(float64(got[i])) != float64(want[i]) {
				different++
			}
		}
		t.Logf("%d of %d values round to another one", different, len(want))
		assert.LessOrEqual(t, apart(t, got, want), 0.5+1e-4)
	})
}

// TestModelSuperResolution: the enlarged picture resembles its bicubic form.
func TestModelSuperResolution(t *testing.T) {
	m := readModel(t, "super-resolution", "super_resolution.onnx")
	grey := func(img image.Image) []float32 {
		rgb := planes(img)
		n := len(rgb) / 3
		y := make([]float32, n)
		for i := range y {
			y[i] = (0.299*rgb[i] + 0.587*rgb[n+i] + 0.114*rgb[2*n+i]) / 255
		}
		return y
	}
	small := resized(t, "china.jpg", 224, 224)
	large := image.NewNRGBA(image.Rect(0, 0, 672, 672))
	draw.CatmullRom.Scale(large, large.Bounds(), small, small.Bounds(), draw.Src, nil)
	bicubic := grey(large)
	var same agree
	onEach(t, func(t *testing.T, e *ops.Engine) {
		out := runModel(t, e, m, conformance.Host(grey(small), 1, 1, 224, 224))
		r := correlation(t, out[0], bicubic)
		t.Logf("correlation with bicubic %.5f", r)
		assert.GreaterOrEqual(t, r, 0.995)
		same.check(t, out, 1e-5)
	})
}

// correlation is Pearson's.
func correlation(t *testing.T, a, b []float32) float64 {
	require.Len(t, a, len(b))
	n := float64(len(a))
	var ma, mb, saa, sbb, sab float64
	for i := range a {
		ma += float64(a[i]) / n
		mb += float64(b[i]) / n
	}
	for i := range a {
		x, y := float64(a[i])-ma, float64(b[i])-mb
		saa, sbb, sab = saa+x*x, sbb+y*y, sab+x*y
	}
	return sab / math.Sqrt(saa*sbb)
}

// TestModelUltraFace: depthwise and dilated convolutions, and for each of 4,420
// boxes two probabilities that sum to 1.
func TestModelUltraFace(t *testing.T) {
	photo := planes(resized(t, "china.jpg", 320, 240))
	for i := range photo {
		photo[i] = (photo[i] - 127) / 128
	}
	for _, file := range []string{"version-RFB-320_simplified.onnx", "version-slim-320.onnx"} {
		m := readModel(t, "ultraface", file)
		var same agree
		onEach(t, func(t *testing.T, e *ops.Engine) {
			out := runModel(t, e, m, conformance.Host(photo, 1, 3, 240, 320))
			require.Equal(t, []string{"scores", "boxes"}, m.Outputs)
			require.Len(t, out[0], 4420*2)
			require.Len(t, out[1], 4420*4)
			for i := 0; i < len(out[0]); i += 2 {
				require.InDelta(t, 1, out[0][i]+out[0][i+1], 1e-5, "box %d", i/2)
			}
			same.check(t, out, 1e-4)
		})
	}
}

// TestModelStyle paints a photograph in two styles: what comes out is a picture,
// neither the one that went in nor an even area, and the same on each backend.
func TestModelStyle(t *testing.T) {
	if testing.Short() {
		t.Skip("a whole network at 720x720")
	}
	photo := planes(resized(t, "flower.jpg", 720, 720))
	n := len(photo) / 3
	for i := range n { // the networks subtract means of blue, green, red
		photo[i], photo[2*n+i] = photo[2*n+i], photo[i]
	}
	for _, file := range []string{"candy.onnx", "mosaic.onnx"} {
		m := readModel(t, "style", file)
		var same agree
		onEach(t, func(t *testing.T, e *ops.Engine) {
			out := runModel(t, e, m, conformance.Host(photo, 1, 3, 720, 720))
			require.Len(t, out[0], len(photo))
			r := correlation(t, out[0], photo)
			t.Logf("%s: correlation with the photograph %.3f", file, r)
			assert.Greater(t, r, 0.1, file)
			assert.Less(t, r, 0.99, file)
			same.check(t, out, 1e-3)
		})
	}
}

// TestModelLight runs whole architectures whose weights are all alike: every
// class is equally probable.
func TestModelLight(t *testing.T) {
	if testing.Short() {
		t.Skip("whole networks at 224x224")
	}
	for _, file := range []string{"light_squeezenet.onnx", "light_resnet50.onnx"} {
		m := readModel(t, "light", file)
		onEach(t, func(t *testing.T, e *ops.Engine) {
			out := runModel(t, e, m, conformance.Host(make([]float32, 3*224*224), 1, 3, 224, 224))
			require.Len(t, out[0], 1000, file)
			for i, p := range out[0] {
				require.InDelta(t, 1e-3, p, 1e-6, "%s: class %d", file, i)
			}
		})
	}
}
