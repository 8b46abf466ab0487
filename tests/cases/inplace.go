package cases

// InPlaceCase is a case whose first input nobody needs after the call: a timing
// releases it with the call and goes on with the output, which in pure Go takes
// its memory. Other libraries name such a function in-place.
type InPlaceCase struct{ Case }

// inPlace returns the workloads that other libraries were measured with in
// place: each with its name and _inplace behind. None drifts to values that are
// slow to compute with, however often it is repeated.
func inPlace(forward []Workload) []Workload {
	var all []Workload
	for _, w := range forward {
		switch w.Name {
		case "relu_16M", "bn_eval", "layernorm_4096x1024", "groupnorm32", "instancenorm":
			all = append(all, Workload{w.Name + "_inplace", w.Function, &InPlaceCase{w.Case}})
		}
	}
	return all
}
