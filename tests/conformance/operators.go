package conformance

import "maps"

// merge joins tables of operators.
func merge(tables ...map[string]operator) map[string]operator {
	all := map[string]operator{}
	for _, t := range tables {
		maps.Copy(all, t)
	}
	return all
}

// suites are the operators of each suite, by their names there.
var suites = map[string]map[string]operator{
	"onnx": merge(onnxUnary, map[string]operator{
		"Conv": onnxConv, "ConvTranspose": onnxConvTranspose,
	}),
	"webnn": merge(webnnUnary, map[string]operator{
		"conv2d": webnnConv2d, "convTranspose2d": webnnConvTranspose2d,
	}),
	"pytorch": merge(pytorchUnary, map[string]operator{
		"conv1d": torchConv, "conv2d": torchConv, "conv3d": torchConv,
		"conv_transpose1d": torchConvTranspose, "conv_transpose2d": torchConvTranspose, "conv_transpose3d": torchConvTranspose,
	}),
}
