package shaders

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"sync"

	"github.com/kansu-dev/kansu/spec"
)

// Device is what a plan may depend on: the limits and the kind of a device.
type Device struct {
	Name              string // adapter name, for tables of tuned choices
	CPU               bool   // a software adapter: no workgroup memory worth using, wide register tiles pay
	MaxBindingBytes   int64  // largest storage binding
	MaxGroups         int    // workgroups per grid dimension
	MaxInvocations    int    // invocations per workgroup
	WorkgroupBytes    int    // workgroup memory per workgroup
	MaxStorageBuffers int    // storage buffers per kernel
	Table             *Table // kernels that were measured as the fastest for classes of shapes; nil for none
	MaxLoop           int    // loop iterations after which the device ends an invocation without an error; 0 where there is no such limit
}

// SoftwareLoops is MaxLoop of a software adapter. Mesa's llvmpipe counts the
// iterations of all loops of an invocation, nested ones too, and leaves them
// after 65,535, with whatever the sums are then.
const SoftwareLoops = 65000

// softwareLoops is how often all loops of one invocation together may go round
// on Mesa's software Vulkan, nested ones counted each time: past it they end
// silently and the result is wrong. Measured on Mesa 22.3.
const softwareLoops = 65535

// Baseline is a device with the limits that WebGPU guarantees everywhere.
var Baseline = Device{
	Name: "baseline", MaxBindingBytes: 128 << 20, MaxGroups: 65535,
	MaxInvocations: 256, WorkgroupBytes: 16384, MaxStorageBuffers: 8,
}

// Kernel is one specialised WGSL program. Kernels are interned: the same
// specialisation is the same pointer, so pointers serve as cache keys.
type Kernel struct {
	Name       string // names shader and specialisation: "conv_tile_64x64x16_relu"
	Source     string // complete WGSL, entry point main
	ParamBytes int    // size of the uniform struct at binding 0
	Writes     []bool // per storage binding from 1 on: written (read_write) or only read
}

// Operand names a buffer of a call: an input, an output or a temporary.
type Operand struct {
	kind  uint8
	Index int
}

// In is the i-th input of the call. An input that is absent binds a dummy.
func In(i int) Operand { return Operand{0, i} }

// Out is the i-th output.
func Out(i int) Operand { return Operand{1, i} }

// Temp is the i-th temporary of the plan.
func Temp(i int) Operand { return Operand{2, i} }

// IsIn reports whether the operand is an input.
func (o Operand) IsIn() bool { return o.kind == 0 }

// IsOut reports whether the operand is an output.
func (o Operand) IsOut() bool { return o.kind == 1 }

// Step is one dispatch of a plan.
type Step struct {
	Kernel   *Kernel
	Params   []byte    // the uniform struct, little endian
	Operands []Operand // per storage binding from 1 on
	Groups   [3]int    // the grid, in workgroups
}

// Rejected is a variant that a plan considered and did not take.
type Rejected struct{ Variant, Why string }

// Plan is how a call runs on a device: one or more dispatches in order.
type Plan struct {
	Function string // "conv"
	Variant  string // the kernel's family, as it can be forced: "tile64", "naive"
	Why      string // what decided for it
	Class    string // class of the shapes, where the device has a table of kernels for such
	Tuned    bool   // the table decided
	Rejected []Rejected
	Steps    []Step
	Temps    []int // elements (of 4 bytes) of each temporary
}

// String prints the plan for a person: variant, reason, grid, what was rejected.
func (p *Plan) String() string {
	var s strings.Builder
	fmt.Fprintf(&s, "%s: %s", p.Function, p.Variant)
	if p.Why != "" {
		fmt.Fprintf(&s, " (%s)", p.Why)
	}
	for _, st := range p.Steps {
		fmt.Fprintf(&s, "\n  dispatch %s on %dx%dx%d groups", st.Kernel.Name, st.Groups[0], st.Groups[1], st.Groups[2])
	}
	for i, t := range p.Temps {
		fmt.Fprintf(&s, "\n  temporary %d: %d floats", i, t)
	}
	for _, r := range p.Rejected {
		fmt.Fprintf(&s, "\n  not %s: %s", r.Variant, r.Why)
	}
	return s.String()
}

// Params builds the bytes of a uniform struct whose members are 32-bit scalars.
type Params []byte

// U32 appends non-negative integers as u32.
func (p Params) U32(v ...int) Params {
	for _, x := range v {
		p = binary.LittleEndian.AppendUint32(p, uint32(x))
	}
	return p
}

// I32 appends integers as i32.
func (p Params) I32(v ...int) Params {
	for _, x := range v {
		p = binary.LittleEndian.AppendUint32(p, uint32(int32(x)))
	}
	return p
}

// F32 appends floats.
func (p Params) F32(v ...float32) Params {
	for _, x := range v {
		p = binary.LittleEndian.AppendUint32(p, math.Float32bits(x))
	}
	return p
}

// Grid1D folds n workgroups into a grid that no dimension of exceeds max. The
// shader computes its linear group as x + nx*(y + ny*z) and must return where
// that is n or more: the fold may round up.
func Grid1D(n, max int) [3]int {
	if n <= max {
		return [3]int{n, 1, 1}
	}
	// Near-square, so that few groups are idle: with x = ceil(sqrt n) fewer
	// than x of them are.
	x := int(math.Ceil(math.Sqrt(float64(n))))
	if x <= max {
		return [3]int{x, (n + x - 1) / x, 1}
	}
	x = max
	rest := (n + x - 1) / x
	y := int(math.Ceil(math.Sqrt(float64(rest))))
	if y > max {
		y = max
	}
	return [3]int{x, y, (rest + y - 1) / y}
}

// softwareRounds is how many rounds an invocation may make on a software adapter,
// in all its loops together: Mesa's llvmpipe counts to 65,535 and then leaves
// every loop, without a word.
const softwareRounds = 60000

// tooManyRounds says so of a kernel that would pass that bound on the device.
func tooManyRounds(rounds int, dev Device) string {
	if dev.CPU && rounds > softwareRounds {
		return fmt.Sprintf("%d rounds of a loop, and a software adapter may stop after %d", rounds, softwareRounds)
	}
	return ""
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }

// pick chooses a variant by name: the forced one where it is set, or the first
// that fits. Candidates come in order of preference.
type candidate struct {
	name string
	why  string // why it is the choice
	not  string // why it cannot serve this call; empty when it can
	plan func() (Plan, error)
}

// choose returns the plan of the forced candidate, or of the first that can
// serve. It returns ErrUnsupported for a forced name that is unknown or cannot
// serve the call.
func choose(function, force string, cands []candidate) (Plan, error) {
	var rejected []Rejected
	var names []string
	for _, c := range cands {
		names = append(names, c.name)
		switch {
		case force != "" && c.name != force:
			rejected = append(rejected, Rejected{c.name, "kernel " + force + " was forced"})
			continue
		case c.not != "" && force != "":
			return Plan{}, &spec.Error{Kind: spec.ErrUnsupported, Message: fmt.Sprintf("kernel %q cannot serve this call: %s", force, c.not)}
		case c.not != "":
			rejected = append(rejected, Rejected{c.name, c.not})
			continue
		}
		p, err := c.plan()
		if err != nil {
			return Plan{}, err
		}
		p.Function, p.Variant, p.Why, p.Rejected = function, c.name, c.why, rejected
		if force != "" {
			p.Why = "forced"
		}
		return p, nil
	}
	if force == "" {
		var why []string
		for _, r := range rejected {
			why = append(why, r.Variant+": "+r.Why)
		}
		return Plan{}, &spec.Error{Kind: spec.ErrUnsupported, Message: "no kernel can serve this call: " + strings.Join(why, "; ")}
	}
	return Plan{}, &spec.Error{Kind: spec.ErrUnsupported, Message: fmt.Sprintf("no kernel %q; there are %s", force, strings.Join(names, ", "))}
}

var interned sync.Map // kernel name -> *Kernel

// intern returns the kernel of this name, building it the first time. A name
// must name everything that shapes the text.
func intern(name string, build func() *Kernel) *Kernel {
	if k, ok := interned.Load(name); ok {
		return k.(*Kernel)
	}
	k := build()
	k.Name = name
	actual, _ := interned.LoadOrStore(name, k)
	return actual.(*Kernel)
}
