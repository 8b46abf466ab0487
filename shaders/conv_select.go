package shaders

import (
	"cmp"
	"math"
	"slices"

	"github.com/kansu-dev/kansu/spec"
)

// costed gathers candidates with their modelled times. The unit only has to be
// the same for all candidates of one call.
type costed struct {
	cands []candidate
	costs []float64
}

// add adds a candidate that cannot serve where not says why.
func (c *costed) add(name, not string, cost float64, plan func() (Plan, error)) {
	if not != "" {
		cost = math.Inf(1)
	}
	c.cands = append(c.cands, candidate{name: name, why: "least modelled time", not: not, plan: plan})
	c.costs = append(c.costs, cost)
}

// least returns the name and time of the best candidate.
func (c *costed) least() (name string, cost float64) {
	cost = math.Inf(1)
	for i, v := range c.costs {
		if v < cost {
			name, cost = c.cands[i].name, v
		}
	}
	return name, cost
}

// sorted returns the candidates, the one with the least time first.
func (c *costed) sorted() []candidate {
	order := make([]int, len(c.cands))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(c.costs[a], c.costs[b]) })
	out := make([]candidate, len(order))
	for i, at := range order {
		out[i] = c.cands[at]
	}
	return out
}

// convCandidates returns all kernels in the order of their modelled time.
//
// The model for a GPU counts multiply-adds, padding included, over the share of
// the machine that the grid fills. It has not been fitted to one. The model for
// software counts loads and multiply-adds, of which a load costs about twice as
// much, plus a share of what it takes to compile a text for one window; it was
// fitted to llvmpipe.
func convCandidates(g spec.Conv, dev Device) []candidate { return convCosts(g, dev).sorted() }

// convCosts returns all kernels with their modelled times.
func convCosts(g spec.Conv, dev Device) *costed {
	var all costed
	cost := convCostOf(dev)
	for _, t := range convTiles {
		all.add("tile"+t.String(), tileNot(g, t, dev), cost.tile(g, t, 1), func() (Plan, error) { return convTiled(g, dev, t) })
	}
	for _, t := range convTiles {
		if !splits(t) {
			continue
		}
		all.add("split"+t.String(), splitNot(g, t, dev), cost.tile(g, t, splitsOf(g, t)), func() (Plan, error) { return convSplit(g, dev, t) })
	}
	for _, m := range winogradSizes {
		all.add("winograd"+itoa(m), winogradNot(g, m, dev), cost.winograd(g, m), func() (Plan, error) { return convWinograd(g, dev, m) })
	}
	all.add("depthwise", depthwiseNot(g, dev), cost.depthwise(g, false), func() (Plan, error) { return convDepthwise(g, dev) })
	all.add("depthwise_row", depthwiseRowNot(g, dev), cost.depthwise(g, true), func() (Plan, error) { return convDepthwiseRow(g, dev) })
	for _, t := range registerTiles {
		all.add("register"+t.String(), registerNot(g, t, dev), cost.register(g, t), func() (Plan, error) { return convRegister(g, dev, t) })
	}
	all.add("gather"+convGatherTile.String(), gatherNot(g, convGatherTile, dev), cost.gather(g, convGatherTile),
		func() (Plan, error) { return convGather(g, dev, convGatherTile) })
	all.add("naive", "", cost.naive(g), func() (Plan, error) { return convNaive(g, dev), nil })
	return &all
}

// convCost models the time of each family of kernels on one kind of device.
type convCost struct {
	tile      func(g spec.Conv, t convTile, splits int) float64
	winograd  func(g spec.Conv, m int) float64
	depthwise func(g spec.Conv, rows bool) float64
	register  func(g spec.Conv, t registerTile) float64
	gather    func(g spec.Conv, t registerTile) float64
	naive     func(g spec.Conv) float64
}

// convCostOf returns the model for a device.
func convCostOf(dev Device) *convCost {
	if dev.CPU {
		return &softwareConvCost
	}
	return &gpuConvCost
}

// gpuCores is the number of compute units of a GPU of ordinary size: WebGPU does
// not tell the real one.
const gpuCores = 64

// tileSlots returns how many workgroups of a tile it takes to fill such a GPU.
func tileSlots(t convTile) int { return gpuCores * max(1, 256/t.invocations()) }

// never is the cost of kernels that are for other devices: after all others,
// but before those that cannot serve.
const never = math.MaxFloat64

// gpuConvCost is in multiply-adds of one compute unit.
var gpuConvCost = convCost{
	tile: gpuTileCost,
	winograd: func(g spec.Conv, m int) float64 {
		w := winogradOf(g, m)
		c := w.product(g)
		tile, _ := winogradTile(c, Baseline)
		// The transforms write and read each point of a tile once, at a rate of
		// about 40 multiply-adds for each element.
		moved := float64(2*(c.C+c.K)*w.tiles + g.N*g.C*g.InSize() + g.N*g.K*g.OutSize())
		return 1.5e6 + gpuTileCost(c, tile, 1) + 40*moved/gpuCores
	},
	depthwise: func(g spec.Conv, rows bool) float64 {
		if rows {
			return never
		}
		return gpuThreads(g.N*g.K*ceilDiv(g.OutSize(), 4)) * 4 * float64(g.Terms()) * 3
	},
	register: func(spec.Conv, registerTile) float64 { return never },
	gather: func(g spec.Conv, t registerTile) float64 {
		tiles := g.N * g.Groups * ceilDiv(g.KG(), t.k) * g.Out[0] * g.Out[1] * ceilDiv(g.Out[2], t.w)
		return 5e5 + gpuThreads(tiles)*float64(t.k*t.w*g.Terms())*6
	},
	naive: func(g spec.Conv) float64 {
		return gpuThreads(g.N*g.K*g.OutSize()) * float64(g.Terms()) * 24
	},
}

// gpuTileCost is the cost of a tile kernel, with split sums where splits is
// above 1.
func gpuTileCost(g spec.Conv, t convTile, splits int) float64 {
	w := productOf(g)
	w.splits = max(1, splits)
	// Smaller tiles load more for each multiply-add.
	overhead := 1 + 16/float64(t.m) + 16/float64(t.n)
	rounds := ceilDiv(t.groups(g, w), tileSlots(t)) * max(1, 256/t.invocations())
	cost := float64(rounds*t.m*t.n) * float64(ceilDiv(w.k, w.splits*t.k)*t.k) * overhead
	if splits > 1 {
		cost += 5e5 + 8*float64(splits*g.N*g.K*g.OutSize())/gpuCores
	}
	return cost
}

// gpuThreads returns how many of n invocations a compute unit runs, of which
// it needs about 1024 to be busy.
func gpuThreads(n int) float64 { return float64(1024 * ceilDiv(n, 1024*gpuCores)) }

// softwareConvCost is in cycles of a group of 8 invocations.
var softwareConvCost = convCost{
	tile: func(spec.Conv, convTile, int) float64 { return never },
	// Faster here too, but who computes on a software adapter wants the plain
	// sums more than the time.
	winograd: func(spec.Conv, int) float64 { return never },
	depthwise: func(g spec.Conv, rows bool) float64 {
		if !rows {
			return never
		}
		return 1e6 + float64(g.N*g.K*g.OutSize()*g.Terms())*3
	},
	register: softwareRegisterCost,
	gather: func(g spec.Conv, t registerTile) float64 {
		f := flat(g)
		groups := ceilDiv(g.N*g.Groups*ceilDiv(g.KG(), t.k)*f.Out[0]*f.Out[1]*ceilDiv(f.Out[2], t.w), 8)
		return 5e5 + float64(max(groups, 4)*g.Terms())*(5*float64(8*t.w)+2.2*float64(8*t.k)+1.4*float64(t.k*t.w)+150)
	},
	naive: func(g spec.Conv) float64 { return float64(g.N*g.K*g.OutSize()*g.Terms()) * 16 },
}

// compileCost is a share of what compiling a text for one window takes. Phases of a
// transposed convolution have short ones, which together count as one.
const compileCost = 4e6

// softwareRegisterCost is the cost of a register kernel.
func softwareRegisterCost(g spec.Conv, t registerTile) float64 {
	f := flat(g)
	s := registerShapeOf(f, t)
	groups := ceilDiv(g.N*g.Groups*ceilDiv(g.KG(), t.k)*f.Out[0]*f.Out[1]*ceilDiv(f.Out[2], t.w), 8)
	loads := 8 * (4*s.row4() + s.kernel*t.k)
	sums := s.kernel * t.k * t.w
	steps := ceilDiv(g.Terms(), s.kernel)
	return compileCost + float64(max(groups, 4)*steps)*(2.2*float64(loads)+1.4*float64(sums)+100)
}

// String names the tile as the variants do.
func (t registerTile) String() string { return itoa(t.k) + "x" + itoa(t.w) }

// convTransposeCandidates returns all kernels in the order of their modelled
// time, which is that of the matrix product as in convCandidates and of a few
// operations for each column and output.
func convTransposeCandidates(g spec.ConvTranspose, dev Device) []candidate {
	var all costed
	cost := convCostOf(dev)
	c := columnsOf(g)
	columns := float64(c.N * c.K * c.InSize())
	outputs := float64(g.N * g.K * g.OutSize())
	gather := 5e5 + (8*columns+16*outputs)/gpuCores
	if dev.CPU {
		gather = 5e5 + 8*columns + 60*outputs
	}
	tensors := g.N*g.C*g.InSize() + g.C*g.KG()*g.Taps() + g.N*g.K*g.OutSize()
	if int(columns) > tensors/2+1<<18 && flipNot(g, dev) == "" {
		gather = never / 2 // the flipped convolution has no columns to hold
	}
	for _, t := range convTiles {
		not := columnsNot(g, dev)
		if not == "" {
			not = tileNot(c, t, dev)
		}
		all.add("gemm"+t.String(), not, cost.tile(c, t, 1)+gather, func() (Plan, error) { return convTransposeTiled(g, dev, t) })
	}
	for _, t := range registerTiles {
		all.add("gemm"+t.String(), columnsRegisterNot(g, t, dev), cost.register(c, t)+gather, func() (Plan, error) { return convTransposeRegister(g, dev, t) })
	}
	for _, t := range phaseTiles {
		f, not, time := phasesOf(g, t, dev)
		if !dev.CPU {
			time = never
		}
		all.add("phases"+t.String(), not, time, func() (Plan, error) { return convTransposePhases(f, dev, t) })
	}
	tile := newTransposedDepthwise(&g)
	depthwise := float64(never)
	if dev.CPU {
		depthwise = tile.cost(&g)
	}
	all.add("depthwise", transposedDepthwiseNot(&g, &tile, dev), depthwise, func() (Plan, error) { return convTransposeDepthwise(g, tile, dev), nil })
	not := flipNot(g, dev)
	flip := math.Inf(1)
	if not == "" {
		flip = flipCost(g, dev)
	}
	all.add("flip", not, flip, func() (Plan, error) { return convTransposeFlipped(g, dev) })
	naive := gpuThreads(int(outputs)) * float64(24*g.Terms()+8*g.Taps())
	if dev.CPU {
		naive = outputs * float64(16*g.Terms()+30*g.Taps())
	}
	all.add("naive", "", naive, func() (Plan, error) { return convTransposeNaive(g, dev), nil })
	return all.sorted()
}
