package story

import (
	"slices"

	"github.com/spreekkamer/spreekkamer/e2e/world"
)

// All is the whole story, for a patient and someone who is too young.
func All(patient, child world.Person) []Step {
	return slices.Concat(Arrive, Enter(patient), Talk, Leave(child))
}

// Answered is the story up to an open conversation in which staff have answered.
func Answered(patient world.Person) []Step {
	return slices.Concat(Arrive, Enter(patient), Talk[:3])
}
