package his_test

import "slices"

// can says what the server tells of itself. Types are those it has.
func (f *fakeFHIR) can(transactions, conditional, clientIDs bool, types ...string) {
	var resources, interactions []any
	for _, kind := range types {
		resources = append(resources, map[string]any{
			"type": kind, "conditionalCreate": conditional, "conditionalUpdate": conditional, "updateCreate": clientIDs,
		})
	}
	if transactions {
		interactions = append(interactions, map[string]any{"code": "transaction"})
	}
	f.statement = map[string]any{"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "rest": []any{
		map[string]any{"mode": "server", "resource": resources, "interaction": interactions},
	}}
	f.plain, f.foreign, f.types = !conditional, !clientIDs, types
}

// twice makes of a type what is sent again once more, and says so.
func (f *fakeFHIR) twice(kind string) {
	f.doubling = append(f.doubling, kind)
	server := f.statement["rest"].([]any)[0].(map[string]any)
	for _, r := range server["resource"].([]any) {
		if r := r.(map[string]any); r["type"] == kind {
			r["conditionalCreate"] = false
		}
	}
}

// isWithout says that it said that it does not have a type.
func (f *fakeFHIR) isWithout(kind string) bool {
	return len(f.types) > 0 && slices.Contains(allTypes, kind) && !slices.Contains(f.types, kind)
}
