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
	"AveragePool":               onnxAveragePool,
	"GlobalAveragePool":         unary(ops.GlobalAvgPool),
	"GlobalLpPool":              onnxGlobalLpPool,
	"GlobalMaxPool":             unary(ops.GlobalMaxPool),
	"LpPool":                    onnxLpPool,
	"MaxPool":                   onnxMaxPool,
	"MaxUnpool":                 onnxMaxUnpool,
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
	"averagePool2d":         webnnPool(ops.AvgPool),
	"l2Pool2d":              webnnPool(l2Pool),
	"maxPool2d":             webnnPool(ops.MaxPool),
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
	"adaptive_avg_pool1d": torchAdaptiveAvgPool,
	"adaptive_avg_pool2d": torchAdaptiveAvgPool,
	"adaptive_avg_pool3d": torchAdaptiveAvgPool,
	"adaptive_max_pool1d": torchAdaptiveMaxPool,
	"adaptive_max_pool2d": torchAdaptiveMaxPool,
	"adaptive_max_pool3d": torchAdaptiveMaxPool,
	"avg_pool1d":          torchAvgPool,
	"avg_pool2d":          torchAvgPool,
	"avg_pool3d":          torchAvgPool,
	"lp_pool1d":           torchLpPool,
	"lp_pool2d":           torchLpPool,
	"lp_pool3d":           torchLpPool,
	"max_pool1d":          torchMaxPool,
	"max_pool2d":          torchMaxPool,
	"max_pool3d":          torchMaxPool,
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
