package gpu

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Program is the source of a compute kernel.
//
// All bindings are in group 0: binding 0 is `var<uniform>` with ParamBytes
// bytes (absent where ParamBytes is 0), bindings 1 to len(Writes) are
// `var<storage, read>` or `var<storage, read_write>`.
type Program struct {
	Name       string // for messages
	Source     string // WGSL
	Entry      string // entry point, "" = main
	Writes     []bool // one per storage binding: true = read_write, false = read
	ParamBytes int    // size of the uniform struct, 0 = none
}

// Kernel is a compiled Program. It lives as long as its device.
type Kernel struct {
	dev    *Device
	name   string
	writes []bool
	layout *layout
	handle handle
}

// Name is the program's name.
func (k *Kernel) Name() string { return k.name }

// kernelKey is everything that shapes a kernel.
type kernelKey struct {
	name, source, entry string
	layout              layoutKey
}

// layout is a bind-group layout with its pipeline layout.
type layout struct {
	id     uint64
	key    layoutKey
	handle handle
}

const paramAlign = 16 // parameter blocks may be padded up to it

func roundUp(n, to int) int { return (n + to - 1) / to * to }

// keyOf checks a program against the device's limits.
func keyOf(p *Program, l Limits) (kernelKey, error) {
	entry := p.Entry
	if entry == "" {
		entry = "main"
	}
	maxParams := min(l.MaxParamBytes, arenaBytes)
	switch {
	case strings.TrimSpace(p.Source) == "":
		return kernelKey{}, fmt.Errorf("%w: the source is empty", ErrShader)
	case !utf8.ValidString(p.Source) || strings.ContainsRune(p.Source, 0):
		return kernelKey{}, fmt.Errorf("%w: the source is not valid UTF-8 text", ErrShader)
	case !utf8.ValidString(entry) || strings.ContainsRune(entry, 0):
		return kernelKey{}, fmt.Errorf("%w: the entry point %q is not a name", ErrShader, entry)
	case p.ParamBytes < 0 || p.ParamBytes%4 != 0:
		return kernelKey{}, fmt.Errorf("%w: %d parameter bytes, which is no multiple of 4", ErrInvalid, p.ParamBytes)
	case roundUp(p.ParamBytes, paramAlign) > maxParams:
		return kernelKey{}, fmt.Errorf("%w: %d parameter bytes, the device takes at most %d", ErrTooLarge, p.ParamBytes, maxParams)
	case len(p.Writes) > l.MaxStorageBuffers:
		return kernelKey{}, fmt.Errorf("%w: %d storage buffers, the device takes at most %d", ErrTooLarge, len(p.Writes), l.MaxStorageBuffers)
	}
	writes := make([]byte, len(p.Writes))
	for i, w := range p.Writes {
		writes[i] = 'r'
		if w {
			writes[i] = 'w'
		}
	}
	key := layoutKey{paramBytes: p.ParamBytes, writes: string(writes)}
	return kernelKey{name: p.Name, source: p.Source, entry: entry, layout: key}, nil
}

// Kernel compiles a program, or returns the kernel that was compiled from an
// equal one. Errors: ErrShader with the compiler's message and the line it
// names, ErrTooLarge for more bindings or parameters than the device takes.
func (d *Device) Kernel(p *Program) (*Kernel, error) {
	if p == nil {
		return nil, fmt.Errorf("gpu: Kernel: %w: nil program", ErrInvalid)
	}
	key, err := keyOf(p, d.info.Limits)
	if err != nil {
		return nil, fmt.Errorf("gpu: Kernel %q: %w", p.Name, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.usable(); err != nil {
		return nil, fmt.Errorf("gpu: Kernel %q: %w", p.Name, err)
	}
	if k := d.kernels[key]; k != nil {
		return k, nil
	}
	l, err := d.layout(key.layout)
	if err != nil {
		return nil, fmt.Errorf("gpu: Kernel %q: %w", p.Name, err)
	}
	h, err := d.drv.newKernel(l.handle, key.source, key.entry)
	if err != nil {
		if errors.Is(d.note(err), ErrShader) {
			err = explainShader(err, key.source)
		}
		return nil, fmt.Errorf("gpu: Kernel %q: %w", p.Name, err)
	}
	k := &Kernel{dev: d, name: p.Name, writes: append([]bool(nil), p.Writes...), layout: l, handle: h}
	d.kernels[key] = k
	d.stats.KernelsCompiled++
	return k, nil
}

func (d *Device) layout(key layoutKey) (*layout, error) {
	if l := d.layouts[key]; l != nil {
		return l, nil
	}
	h, err := d.drv.newLayout(key)
	if err != nil {
		return nil, d.note(err)
	}
	l := &layout{id: uint64(len(d.layouts) + 1), key: key, handle: h}
	d.layouts[key] = l
	return l, nil
}

// shaderError is a failed compilation with the line of the source that the
// compiler named.
type shaderError struct {
	message string
	line    int // from 1, 0 = unknown
	text    string
}

func (e *shaderError) Error() string {
	if e.line == 0 {
		return "shader error: " + e.message
	}
	return fmt.Sprintf("shader error in line %d: %s\n%s", e.line, strings.TrimSpace(e.text), e.message)
}

func (e *shaderError) Unwrap() error { return ErrShader }

var sourcePlace = regexp.MustCompile(`wgsl:(\d+):\d+`)

// explainShader finds the line that a compiler's message is about.
func explainShader(err error, source string) error {
	message := strings.TrimSpace(strings.TrimPrefix(err.Error(), ErrShader.Error()+": "))
	e := &shaderError{message: message}
	if m := sourcePlace.FindStringSubmatch(message); m != nil {
		lines := strings.Split(source, "\n")
		if n, _ := strconv.Atoi(m[1]); n >= 1 && n <= len(lines) {
			e.line, e.text = n, lines[n-1]
		}
	}
	return e
}
