package shaders

import (
	"embed"
	"fmt"
	"slices"
	"strings"
	"sync"
)

//go:embed tuned/*.json
var tunedFiles embed.FS

// tunedTables are the tables that come with the library.
var tunedTables = sync.OnceValues(func() ([]*Table, error) {
	files, err := tunedFiles.ReadDir("tuned")
	if err != nil {
		return nil, err
	}
	var all []*Table
	for _, f := range files {
		raw, err := tunedFiles.ReadFile("tuned/" + f.Name())
		if err != nil {
			return nil, err
		}
		t, err := ParseTable(raw)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name(), err)
		}
		all = append(all, t)
	}
	return all, nil
})

// TunedTable returns the table that comes with the library for an adapter of
// this name, nil where there is none. Of several that match, the one with the
// longest name is the closest.
func TunedTable(adapter string) (*Table, error) {
	all, err := tunedTables()
	if err != nil {
		return nil, err
	}
	var best *Table
	for _, t := range all {
		if t.Matches(adapter) && (best == nil || len(t.Device) > len(best.Device)) {
			best = t
		}
	}
	return best, nil
}

// Tunable returns the functions whose kernel a table can choose, by the name
// that Plan.Function has, each with its kernels.
func Tunable() map[string][]string {
	softmax := []string{"naive", "columns", "rows", "group", "split"}
	norm := []string{"naive", "split", "tree", "columns", "rows", "group"}
	pool := []string{"plane", "tile", "group", "naive"}
	conv := []string{"winograd4", "winograd2", "depthwise", "depthwise_row", "gather" + convGatherTile.String(), "naive"}
	transposed := []string{"depthwise", "flip", "naive"}
	for _, t := range convTiles {
		conv = append(conv, "tile"+t.String())
		transposed = append(transposed, "gemm"+t.String())
		if splits(t) {
			conv = append(conv, "split"+t.String())
		}
	}
	for _, t := range registerTiles {
		conv = append(conv, "register"+t.String())
		transposed = append(transposed, "gemm"+t.String())
	}
	for _, t := range phaseTiles {
		transposed = append(transposed, "phases"+t.String())
	}
	normGrad := []string{"planes", "naive", "group", "rows", "stream"}
	poolGrad := []string{"tile", "block", "rows", "scatter", "gather"}
	lanes := []string{"vec4", "naive"}
	return map[string][]string{
		"gemm": GemmVariants(), "conv": conv, "convtranspose": transposed,
		"maxpool": pool, "avgpool": pool, "lppool": pool,
		"batchnorm_train": norm, "layernorm": norm, "rmsnorm": norm, "instancenorm": norm, "groupnorm": norm,
		"meanvariance": norm, "moments": norm,
		"softmax": softmax, "lpnormalize": {"naive", "group"}, "reduce": {"naive", "columns", "group", "rows"}, "gather": GatherVariants(),
		"binary": {"vec4", "runs", "naive"}, "concat": {"vec4", "scalar"}, "pad": {"vec4", "rows", "naive"}, "upsample": lanes, "lrn": lanes, "lrn_grad": lanes,
		"conv_grad":    {"depthwise", "register", "tile64x64", "naive"},
		"maxpool_grad": poolGrad, "avgpool_grad": poolGrad, "lppool_grad": poolGrad,
		"batchnorm_grad": normGrad, "batchnorm_train_grad": normGrad, "layernorm_grad": normGrad, "rmsnorm_grad": normGrad,
		"instancenorm_grad": normGrad, "groupnorm_grad": normGrad, "meanvariance_grad": normGrad,
		"softmax_grad": softmax, "lpnormalize_grad": {"naive", "group"},
	}
}

// chooseTuned is choose with the device's table before the models: where it has
// a kernel for the call's class of shapes, and that kernel can serve, it decides.
func chooseTuned(function, force string, dev Device, class func() string, cands []candidate) (Plan, error) {
	if dev.Table == nil || force != "" {
		return choose(function, force, cands)
	}
	named := class()
	e, ok := dev.Table.Lookup(function, named)
	note := ""
	if ok {
		i := slices.IndexFunc(cands, func(c candidate) bool { return c.name == e.Kernel })
		switch {
		case i < 0: // of the function, but not one of this call's
			note = fmt.Sprintf("; the table's %s is not for this call", e.Kernel)
		case cands[i].not != "":
			note = fmt.Sprintf("; the table's %s cannot serve: %s", e.Kernel, cands[i].not)
		default:
			c := cands[i]
			c.why = fmt.Sprintf("the table for %s: %.2f times as fast as the model's choice for %s", dev.Table.Device, e.Gain, named)
			cands = slices.Concat([]candidate{c}, cands[:i], cands[i+1:])
		}
	}
	p, err := choose(function, force, cands)
	p.Class = named
	p.Why += note
	p.Why = strings.TrimPrefix(p.Why, "; ")
	p.Tuned = ok && note == ""
	return p, err
}
