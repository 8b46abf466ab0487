package shaders

import "github.com/kansu-dev/kansu/spec"

// PlanBatchNorm follows with its shader.
func PlanBatchNorm(g spec.BatchNorm, dev Device, force string) (Plan, error) {
	return choose("batchnorm", force, nil)
}

// PlanBatchNormTrain follows with its shader.
func PlanBatchNormTrain(g spec.BatchNorm, dev Device, force string) (Plan, error) {
	return choose("batchnormtrain", force, nil)
}

// PlanInstanceNorm follows with its shader.
func PlanInstanceNorm(g spec.InstanceNorm, dev Device, force string) (Plan, error) {
	return choose("instancenorm", force, nil)
}

// PlanInstanceNormTrain follows with its shader.
func PlanInstanceNormTrain(g spec.InstanceNorm, dev Device, force string) (Plan, error) {
	return choose("instancenormtrain", force, nil)
}

// PlanRMSNorm follows with its shader.
func PlanRMSNorm(g spec.RMSNorm, dev Device, force string) (Plan, error) {
	return choose("rmsnorm", force, nil)
}

// PlanGroupNorm follows with its shader.
func PlanGroupNorm(g spec.GroupNorm, dev Device, force string) (Plan, error) {
	return choose("groupnorm", force, nil)
}

// PlanMeanVariance follows with its shader.
func PlanMeanVariance(g spec.MeanVariance, dev Device, force string) (Plan, error) {
	return choose("meanvariance", force, nil)
}

// PlanSoftmax follows with its shader.
func PlanSoftmax(g spec.SoftmaxOf, dev Device, force string) (Plan, error) {
	return choose("softmax", force, nil)
}

// PlanLpNormalize follows with its shader.
func PlanLpNormalize(g spec.LpNormalize, dev Device, force string) (Plan, error) {
	return choose("lpnormalize", force, nil)
}

// PlanLRN follows with its shader.
func PlanLRN(g spec.LRN, dev Device, force string) (Plan, error) { return choose("lrn", force, nil) }

// PlanDropout follows with its shader.
func PlanDropout(g spec.Dropout, dev Device, force string) (Plan, error) {
	return choose("dropout", force, nil)
}

// PlanLayerNorm follows with its shader.
func PlanLayerNorm(g spec.LayerNorm, stats bool, dev Device, force string) (Plan, error) {
	return choose("layernorm", force, nil)
}
