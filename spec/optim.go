package spec

import "math"

// SGDParams are the parameters of stochastic gradient descent, with PyTorch's
// names and meaning.
type SGDParams struct {
	LR          float64 // step size
	Momentum    float64 // default 0
	Dampening   float64 // default 0
	WeightDecay float64 // added to the gradient as WeightDecay*p; default 0
	Nesterov    bool
	First       bool // the first step: the momentum buffer becomes the gradient
}

// Check returns ErrParam for parameters that make no step.
func (p SGDParams) Check() error {
	if err := optimNumbers("learning rate", p.LR, "momentum", p.Momentum, "weight decay", p.WeightDecay); err != nil {
		return err
	}
	if math.IsNaN(p.Dampening) || math.IsInf(p.Dampening, 0) {
		return paramErr("dampening is %v; it must be finite", p.Dampening)
	}
	if p.Nesterov && (p.Momentum == 0 || p.Dampening != 0) {
		return paramErr("Nesterov momentum needs a momentum and no dampening; they are %v and %v", p.Momentum, p.Dampening)
	}
	return nil
}

// AdamParams are the parameters of Adam and AdamW, with PyTorch's names and
// meaning. The betas are taken as they stand; DefaultAdam has the usual ones.
type AdamParams struct {
	LR           float64
	Beta1, Beta2 float64
	Eps          float64
	WeightDecay  float64
	Decoupled    bool // AdamW: the weights decay by themselves, not by the gradient
	Step         int  // 1 at the first step, for the bias correction
}

// DefaultAdam returns PyTorch's defaults: 1e-3, 0.9, 0.999, 1e-8.
func DefaultAdam() AdamParams { return AdamParams{LR: 1e-3, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8} }

// Check returns ErrParam for parameters that make no step.
func (p AdamParams) Check() error {
	if err := optimNumbers("learning rate", p.LR, "eps", p.Eps, "weight decay", p.WeightDecay); err != nil {
		return err
	}
	for _, b := range []float64{p.Beta1, p.Beta2} {
		if !(b >= 0 && b < 1) {
			return paramErr("beta is %v; it must be from 0 to below 1", b)
		}
	}
	if p.Step < 1 {
		return paramErr("step is %d; the first one is 1", p.Step)
	}
	return nil
}

// StepSize returns LR/(1-Beta1^Step).
func (p AdamParams) StepSize() float64 { return p.LR / (1 - math.Pow(p.Beta1, float64(p.Step))) }

// RootBias returns sqrt(1-Beta2^Step).
func (p AdamParams) RootBias() float64 { return math.Sqrt(1 - math.Pow(p.Beta2, float64(p.Step))) }

func optimNumbers(nameValue ...any) error {
	for i := 0; i < len(nameValue); i += 2 {
		v := nameValue[i+1].(float64)
		if !(v >= 0) || math.IsInf(v, 0) {
			return paramErr("%s is %v; it must be finite and not negative", nameValue[i], v)
		}
	}
	return nil
}

// OptimBudget is the error of one optimiser step. The magnitude is the sum of
// the absolute values of the terms of the update.
func OptimBudget() Budget { return Budget{ULP: 2, Scaled: 6} }
