package conformance

import (
	"maps"

	"github.com/kansu-dev/kansu/ops"
)

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
	"onnx":    merge(onnxUnary, onnxOperators),
	"webnn":   merge(webnnUnary, webnnOperators),
	"pytorch": merge(pytorchUnary, pytorchOperators),
}

var onnxOperators = map[string]operator{
	"BatchNormalization":        onnxBatchNormalization,
	"Conv":                      onnxConv,
	"ConvTranspose":             onnxConvTranspose,
	"Dropout":                   onnxDropout,
	"Gemm":                      onnxGemm,
	"GroupNormalization":        onnxGroupNormalization,
	"Hardmax":                   onnxSoftmax(ops.Hardmax),
	"InstanceNormalization":     onnxInstanceNormalization,
	"LRN":                       onnxLRN,
	"LayerNormalization":        onnxLayerNormalization,
	"LogSoftmax":                onnxSoftmax(ops.LogSoftmax),
	"LpNormalization":           onnxLpNormalization,
	"MatMul":                    onnxMatMul,
	"MeanVarianceNormalization": onnxMeanVarianceNormalization,
	"RMSNormalization":          onnxRMSNormalization,
	"Softmax":                   onnxSoftmax(ops.Softmax),
}

var webnnOperators = map[string]operator{
	"batchNormalization":    webnnBatchNormalization,
	"conv2d":                webnnConv2d,
	"convTranspose2d":       webnnConvTranspose2d,
	"gemm":                  webnnGemm,
	"instanceNormalization": webnnInstanceNormalization,
	"layerNormalization":    webnnLayerNormalization,
	"matmul":                webnnMatmul,
	"softmax":               webnnSoftmax,
}

var pytorchOperators = map[string]operator{
	"batch_norm":          torchBatchNorm,
	"conv1d":              torchConv,
	"conv2d":              torchConv,
	"conv3d":              torchConv,
	"conv_transpose1d":    torchConvTranspose,
	"conv_transpose2d":    torchConvTranspose,
	"conv_transpose3d":    torchConvTranspose,
	"group_norm":          torchGroupNorm,
	"instance_norm":       torchInstanceNorm,
	"layer_norm":          torchLayerNorm,
	"linear":              torchLinear,
	"local_response_norm": torchLRN,
	"log_softmax":         torchAlong(ops.LogSoftmax),
	"normalize":           torchNormalize,
	"rms_norm":            torchRMSNorm,
	"softmax":             torchAlong(ops.Softmax),
}
