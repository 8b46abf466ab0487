package fast

// repair computes the channels that the guard does not leave to Winograd's method
// directly: the outputs' that failed with all inputs', and the other way round.
func (p *winoGrad) repair() {
	g := p.g
	if list := p.failed[0]; len(list) > 0 {
		sub := *g
		sub.K = len(list)
		dy := gatherChannels(p.dy, list, g.N, g.K, g.OutSize())
		dw := getScratch(len(list) * p.cg * 9)
		newWeightGrad(dy, p.x, &sub).run(dw)
		for i, k := range list {
			copy(p.dw[k*p.cg*9:][:p.cg*9], dw[i*p.cg*9:])
		}
		putScratch(dw)
		putScratch(dy)
	}
	if list := p.failed[1]; len(list) > 0 {
		sub := *g
		sub.C = len(list)
		x := gatherChannels(p.x, list, g.N, g.C, g.InSize())
		dw := getScratch(p.kg * len(list) * 9)
		newWeightGrad(p.dy, x, &sub).run(dw)
		for k := range p.kg {
			for i, c := range list {
				copy(p.dw[(k*p.cg+c)*9:][:9], dw[(k*len(list)+i)*9:])
			}
		}
		putScratch(dw)
		putScratch(x)
	}
}

// gatherChannels returns some channels of all images; give them back.
func gatherChannels(v []float32, list []int, images, channels, plane int) []float32 {
	out := getScratch(images * len(list) * plane)
	for n := range images {
		for i, c := range list {
			copy(out[(n*len(list)+i)*plane:][:plane], v[(n*channels+c)*plane:])
		}
	}
	return out
}
