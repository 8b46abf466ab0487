package shaders

import (
	_ "embed"
	"fmt"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed norm_grad_stream.wgsl
var normGradStreamWGSL string

// normGradStreamNot says why a gradient cannot be had in one pass, "" where it can:
// the statistics must be given, and the cells planes of whole vec4s.
func normGradStreamNot(g *spec.NormGrad) string {
	if !g.Fixed || !g.Scale {
		return "dx depends on sums, or there is no scale"
	}
	cells, _, affine, most, ok := normGradCells(gradDims(g))
	n, c, s, planes := cellPlanes(cells)
	switch {
	case !ok || !planes || s%4 != 0 || s/4 < leastPlane:
		return "the cells are not large planes of whole vec4s"
	case affine.terms() != 1:
		return "an element of scale has several cells"
	}
	if _, _, _, parts := normGradStreamShape(n, c, s/4); parts > most {
		return "the planes are too many"
	}
	return ""
}

// normGradStreamShape cuts n planes of each of c cells, of s vec4s: into pieces of
// a plane of so many rounds each, and into groups of images. parts is how many sums
// a cell has.
func normGradStreamShape(n, c, s int) (pieces, rounds, images, parts int) {
	const run, most, busy = 4, 64, 4096 // most rounds, so that few numbers are summed up one by one
	all := ceilDiv(s, runsWG*run)
	pieces = ceilDiv(all, most)
	rounds = ceilDiv(all, pieces)
	pieces = ceilDiv(all, rounds)
	images = max(1, n*c*pieces/busy)
	images = min(images, n)
	return pieces, rounds, images, ceilDiv(n, images) * pieces * runsWG
}

func normGradStreamKernel(whole bool) *Kernel {
	return intern(fmt.Sprintf("norm_grad_stream_whole%t", whole), func() *Kernel {
		return &Kernel{Source: specialise(normGradStreamWGSL, setU32("WG", runsWG), setBool("WHOLE", whole), unroll),
			ParamBytes: 128 + 48, Writes: []bool{false, false, false, false, true, true}}
	})
}

// normGradStream plans a gradient by given statistics: the coefficients, the pass,
// and what makes gradients of its sums.
func normGradStream(g spec.NormGrad, io normGradOperands, dev Device) Plan {
	p := normGradPlan{g: g, io: io, dev: dev}
	p.coef, p.low = p.temp(4*g.Groups), p.temp(g.Groups)
	dims := gradDims(&g)
	cells, _, affine, _, _ := normGradCells(dims)
	n, c, s, _ := cellPlanes(cells)
	pieces, rounds, images, parts := normGradStreamShape(n, c, s/4)
	part := p.temp(4 * c * parts)
	p.finish(outputsOf(dims, sideGroups), p.temp(4), 0, sideGroups, false)
	total := ceilDiv(n, images) * c * pieces
	kept := gradLayout{kept: cells.kept}
	p.Steps = append(p.Steps, Step{
		Kernel:   normGradStreamKernel(s%(4*4*runsWG) == 0 && s/(4*4*runsWG)%pieces == 0),
		Params:   append(kept.params()[:128], Params{}.U32(len(cells.kept), total, n, c, s/4, pieces, rounds, images, parts).pad16()...),
		Operands: []Operand{io.dy, io.x, p.coef, io.scale, part, io.dx},
		Groups:   Grid1D(total, dev.MaxGroups),
	})
	p.finish(affine, part, parts, sideAffine, false)
	return p.Plan
}
