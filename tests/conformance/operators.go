package conformance

import (
	"maps"

	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
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
	"onnx":    merge(onnxUnary, onnxReductions(), onnxOperators),
	"webnn":   merge(webnnUnary, webnnReductions(), webnnOperators),
	"pytorch": unbatched(merge(differentiated(merge(pytorchUnary, pytorchOperators), pytorchGradients), pytorchTaped)),
}

var onnxOperators = map[string]operator{
	"Add":                       onnxBinary(ops.Add),
	"AveragePool":               onnxAveragePool,
	"BatchNormalization":        onnxBatchNormalization,
	"Cast":                      onnxCast,
	"Concat":                    onHost(onnxConcat, concatIntegers),
	"Constant":                  onnxConstant,
	"ConstantOfShape":           onnxConstantOfShape,
	"Conv":                      onnxConv,
	"ConvTranspose":             onnxConvTranspose,
	"Crop":                      onnxCrop,
	"DepthToSpace":              onnxDepthToSpace,
	"Div":                       onnxBinary(ops.Div),
	"Dropout":                   onnxDropout,
	"Expand":                    onnxExpand,
	"Flatten":                   viewed(onnxFlatten),
	"Gather":                    onHost(onnxGather, gatherIntegers),
	"Gemm":                      onnxGemm,
	"GlobalAveragePool":         unary(ops.GlobalAvgPool),
	"GlobalLpPool":              onnxGlobalLpPool,
	"GlobalMaxPool":             unary(ops.GlobalMaxPool),
	"GroupNormalization":        onnxGroupNormalization,
	"Hardmax":                   onnxSoftmax(ops.Hardmax),
	"Identity":                  onHost(plain(spec.Identity), func(c *call) []*Value { return c.in[:1] }),
	"ImageScaler":               onnxImageScaler,
	"InstanceNormalization":     onnxInstanceNormalization,
	"LayerNormalization":        onnxLayerNormalization,
	"LogSoftmax":                onnxSoftmax(ops.LogSoftmax),
	"LpNormalization":           onnxLpNormalization,
	"LpPool":                    onnxLpPool,
	"LRN":                       onnxLRN,
	"MatMul":                    onnxMatMul,
	"Max":                       variadic(ops.Max),
	"MaxPool":                   onnxMaxPool,
	"MaxUnpool":                 onnxMaxUnpool,
	"Mean":                      onnxMean,
	"MeanVarianceNormalization": onnxMeanVarianceNormalization,
	"Min":                       variadic(ops.Min),
	"Mul":                       onnxBinary(ops.Mul),
	"Pad":                       onnxPad,
	"Pow":                       onnxPow,
	"PRelu":                     onnxPRelu,
	"Reshape":                   viewed(onnxReshape),
	"Resize":                    onnxResize,
	"RMSNormalization":          onnxRMSNormalization,
	"Shape":                     onnxShape,
	"Slice":                     onnxSlice,
	"Softmax":                   onnxSoftmax(ops.Softmax),
	"SpaceToDepth":              onnxSpaceToDepth,
	"Split":                     onnxSplit,
	"Squeeze":                   viewed(onnxSqueeze),
	"Sub":                       onnxBinary(ops.Sub),
	"Sum":                       variadic(ops.Add),
	"SwiGLU":                    onnxSwiGLU,
	"Tile":                      onnxTile,
	"Transpose":                 onnxTranspose,
	"Unsqueeze":                 viewed(onnxUnsqueeze),
	"Upsample":                  onnxUpsample,
}

var webnnOperators = map[string]operator{
	"add":                   webnnBinary(ops.Add),
	"averagePool2d":         webnnPool(ops.AvgPool),
	"batchNormalization":    webnnBatchNormalization,
	"concat":                webnnConcat,
	"conv2d":                webnnConv2d,
	"convTranspose2d":       webnnConvTranspose2d,
	"div":                   webnnBinary(ops.Div),
	"expand":                webnnExpand,
	"gemm":                  webnnGemm,
	"instanceNormalization": webnnInstanceNormalization,
	"l2Pool2d":              webnnPool(l2Pool),
	"layerNormalization":    webnnLayerNormalization,
	"matmul":                webnnMatmul,
	"max":                   webnnBinary(ops.Max),
	"maxPool2d":             webnnPool(ops.MaxPool),
	"min":                   webnnBinary(ops.Min),
	"mul":                   webnnBinary(ops.Mul),
	"pad":                   webnnPad,
	"pow":                   webnnBinary(ops.Pow),
	"prelu":                 webnnPrelu,
	"resample2d":            webnnResample2d,
	"reshape":               webnnReshape,
	"slice":                 webnnSlice,
	"softmax":               webnnSoftmax,
	"split":                 webnnSplit,
	"sub":                   webnnBinary(ops.Sub),
	"transpose":             webnnTranspose,
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
	"log_softmax":         torchAlong(ops.LogSoftmax),
	"max_pool1d":          torchMaxPool,
	"max_pool2d":          torchMaxPool,
	"max_pool3d":          torchMaxPool,
	"prelu":               torchPRelu,
	"softmax":             torchAlong(ops.Softmax),
}
