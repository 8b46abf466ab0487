package gpu

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestProgramChecks(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Program)
		kind   error
		says   string
	}{
		"empty source":      {func(p *Program) { p.Source = " \n" }, ErrShader, "empty"},
		"zero in source":    {func(p *Program) { p.Source += "\x00" }, ErrShader, "UTF-8"},
		"broken UTF-8":      {func(p *Program) { p.Source += "// \xff" }, ErrShader, "UTF-8"},
		"zero in entry":     {func(p *Program) { p.Entry = "ma\x00in" }, ErrShader, "entry point"},
		"negative params":   {func(p *Program) { p.ParamBytes = -4 }, ErrInvalid, "-4"},
		"odd params":        {func(p *Program) { p.ParamBytes = 6 }, ErrInvalid, "6 parameter bytes"},
		"too many params":   {func(p *Program) { p.ParamBytes = 1 << 20 }, ErrTooLarge, "1048576"},
		"too many bindings": {func(p *Program) { p.Writes = make([]bool, 9) }, ErrTooLarge, "9 storage buffers"},
	} {
		t.Run(name, func(t *testing.T) {
			p := scaleProgram
			c.change(&p)
			_, err := keyOf(&p, fakeInfo().Limits)
			require.ErrorIs(t, err, c.kind)
			require.ErrorContains(t, err, c.says)
		})
	}
}

func TestKernelKey(t *testing.T) {
	base, err := keyOf(&scaleProgram, fakeInfo().Limits)
	require.NoError(t, err)
	assert.Equal(t, kernelKey{name: "scale", source: scaleWGSL, entry: "main", layout: layoutKey{12, "rw"}}, base)
	for name, change := range map[string]func(*Program){
		"name":   func(p *Program) { p.Name = "other" },
		"source": func(p *Program) { p.Source += "\n" },
		"entry":  func(p *Program) { p.Entry = "other" },
		"writes": func(p *Program) { p.Writes = []bool{true, true} },
		"params": func(p *Program) { p.ParamBytes = 16 },
	} {
		p := scaleProgram
		change(&p)
		k, err := keyOf(&p, fakeInfo().Limits)
		require.NoError(t, err)
		assert.NotEqual(t, base, k, "the %s shapes a kernel", name)
	}
}

func TestExplainShader(t *testing.T) {
	source := "fn main() {\n  let x: f32 = 1;\n}"
	err := explainShader(fmt.Errorf("%w: expected f32\n  ┌─ wgsl:2:7\n", ErrShader), source)
	require.ErrorIs(t, err, ErrShader)
	assert.Equal(t, "shader error in line 2: let x: f32 = 1;\nexpected f32\n  ┌─ wgsl:2:7", err.Error())

	for _, message := range []string{"no place", "wgsl:99:1 behind the end", "wgsl:0:0"} {
		err = explainShader(fmt.Errorf("%w: %s", ErrShader, message), source)
		require.ErrorIs(t, err, ErrShader)
		assert.Equal(t, "shader error: "+message, err.Error())
	}
}

func TestKernelsAreCached(t *testing.T) {
	onEach(t, Options{}, func(t *testing.T, d *Device) {
		a := kernelOf(t, d, scaleProgram)
		again := scaleProgram
		again.Writes = append([]bool(nil), scaleProgram.Writes...)
		again.Entry = "main"
		assert.Same(t, a, kernelOf(t, d, again))
		assert.EqualValues(t, 1, d.Stats().KernelsCompiled)
		assert.Equal(t, "scale", a.Name())

		renamed := scaleProgram
		renamed.Name = "scale2"
		b := kernelOf(t, d, renamed)
		assert.NotSame(t, a, b)
		assert.Same(t, a.layout, b.layout, "equal layouts are shared, and so are their bind groups")
		assert.EqualValues(t, 2, d.Stats().KernelsCompiled)
	})
}

func TestKernelErrors(t *testing.T) {
	d := openTest(t, Options{})
	for name, c := range map[string]struct {
		change func(*Program)
		says   string
	}{
		"syntax":                   {func(p *Program) { p.Source = strings.Replace(p.Source, "if (g.x", "iff (g.x", 1) }, "line 8"},
		"type":                     {func(p *Program) { p.Source = strings.Replace(p.Source, "p.scale +", "1.5 +", 1) }, "line 8"},
		"no such entry":            {func(p *Program) { p.Entry = "nothing" }, "nothing"},
		"writes a read-only":       {func(p *Program) { p.Writes = []bool{false, false} }, ""},
		"binding missing":          {func(p *Program) { p.Writes = []bool{false} }, ""},
		"params missing":           {func(p *Program) { p.ParamBytes = 0 }, ""},
		"params smaller":           {func(p *Program) { p.ParamBytes = 8 }, ""},
		"workgroup over the limit": {func(p *Program) { p.Source = strings.Replace(p.Source, "size(64)", "size(4096)", 1) }, ""},
		"workgroup of 0":           {func(p *Program) { p.Source = strings.Replace(p.Source, "size(64)", "size(0)", 1) }, ""},
		"no shader at all":         {func(p *Program) { p.Source = "hello" }, "line 1"},
	} {
		t.Run(name, func(t *testing.T) {
			p := scaleProgram
			c.change(&p)
			p.Name = "bad " + name
			k, err := d.Kernel(&p)
			require.Nil(t, k)
			require.ErrorIs(t, err, ErrShader)
			require.ErrorContains(t, err, "bad "+name)
			require.ErrorContains(t, err, c.says)
		})
	}
	// The device is as it was.
	k := kernelOf(t, d, scaleProgram)
	x, y := bufferOf(t, d, count(0, 64)), newBuffer(t, d, 256)
	require.NoError(t, d.Dispatch(k, words(64, 2, 0), []*Buffer{x, y}, [3]int{1, 1, 1}))
	assert.Equal(t, uint32(126), word(contents(t, d, y), 63))
	_, err := d.Kernel(nil)
	require.ErrorIs(t, err, ErrInvalid)
}
