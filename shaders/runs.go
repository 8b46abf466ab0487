package shaders

import (
	"fmt"
	"strings"
)

// The streaming kernels have two forms. As they stand, an invocation takes one
// vec4, and neighbours take neighbours: what a GPU wants. A software adapter runs
// 8 invocations side by side as the lanes of vector registers, but loads and stores
// lane by lane, and pays for every dispatch of a workgroup and for each loop: there
// an invocation takes a run of vec4s, side by side with those of its neighbours, and
// then the one 8 runs on, several times. On llvmpipe a copy takes three quarters of
// the time. Longer runs make texts too long for a core's decoded instructions.

// runsWG invocations share a workgroup, runVec4s vec4s are a run, and an invocation
// takes runRounds runs.
const runsWG, runVec4s, runRounds = 8, 2, 32

// eachVec4 is the head of a streaming kernel in the form for GPUs; its end is a
// closing brace.
const eachVec4 = `  let i = (group.x + groups.x * (group.y + groups.y * group.z)) * WG + local;
  if (i >= p.count) { return; }
`

// eachRun is the head of the form for software. Tests for the end are masks there,
// and cost next to nothing beside the loads.
const eachRun = `  let first = (group.x + groups.x * (group.y + groups.y * group.z)) * (WG * RUN * ROUNDS) + local * RUN;
  for (var round = 0u; round < ROUNDS; round++) {
    for (var q = 0u; q < RUN; q++) { // unroll
      let i = first + round * (WG * RUN) + q;
      if (i < p.count) {
`

// toRuns rewrites a streaming kernel to the form for software adapters.
func toRuns(text string) string {
	head, body, ok := strings.Cut(text, eachVec4)
	end := strings.LastIndex(body, "}\n")
	if !ok || end < 0 {
		panic("shaders: not a streaming kernel") // a bug in this package, found by its tests
	}
	text = head + eachRun + body[:end] + "      }\n    }\n  }\n" + body[end:]
	return specialise(text, setConst("WG", fmt.Sprintf("%du;\nconst RUN = %du;\nconst ROUNDS = %du", runsWG, runVec4s, runRounds)), unroll)
}

// inRuns is the form of a streaming kernel: in runs, or as it stands.
type inRuns bool

var bothForms = []inRuns{false, true}

// name returns the name of a kernel's form.
func (f inRuns) name(kernel string) string {
	if f {
		return kernel + "_runs"
	}
	return kernel
}

// edit makes the form of the text.
func (f inRuns) edit(text string) string {
	if f {
		return toRuns(text)
	}
	return text
}

// grid returns the workgroups for count vec4s.
func (f inRuns) grid(count int, dev Device) [3]int {
	per := 64
	if f {
		per = runsWG * runVec4s * runRounds
	}
	return Grid1D(ceilDiv(count, per), dev.MaxGroups)
}

// streaming returns the candidates of a streaming kernel, that for the device
// first.
func streaming(dev Device, not, why string, plan func(f inRuns) Plan) []candidate {
	as := func(name, why string, f inRuns) candidate {
		return candidate{name: name, why: why, not: not, plan: func() (Plan, error) { return plan(f), nil }}
	}
	vec4, runs := as("vec4", why, false), as("runs", why+", in runs", true)
	if dev.CPU {
		return []candidate{runs, vec4}
	}
	return []candidate{vec4, runs}
}

// planeRuns cuts planes of n vec4s into parts of whole rounds of runs, for a
// software adapter: a part is a workgroup, and computes its coefficients once, so
// that parts are as large as still leaves work for a few cores.
func planeRuns(planes, n int) (parts, rounds int) {
	const run, most, least, busy = 4, 128, 4, 32
	all := ceilDiv(n, runsWG*run)
	parts = max(ceilDiv(all, most), min(ceilDiv(busy, planes), ceilDiv(all, least)))
	rounds = ceilDiv(all, parts)
	return ceilDiv(all, rounds), rounds
}

// leastPlane is the vec4s of a plane from which planeRuns is worth while.
const leastPlane = 32
