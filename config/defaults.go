package config

// chosen are the settings that a practice has to give itself: the example's would be somebody else's.
var chosen = []string{"id", "name", "phone", "huisartsenpost"}

// completePractices gives each practice what it leaves out, as the example's has it. A list of the
// file replaces the example's whole, and without this a practice that says nothing about its
// hours would never be closed.
func completePractices(file, example map[string]any) {
	practices, _ := file["practices"].([]any)
	for i := range practices {
		if given, ok := practices[i].(map[string]any); ok {
			complete(given, practiceDefaults(example))
		}
	}
}

func practiceDefaults(example map[string]any) map[string]any {
	list, _ := example["practices"].([]any)
	one, _ := first(list).(map[string]any)
	defaults := copied(one)
	for _, name := range chosen {
		delete(defaults, name)
	}
	if his, ok := defaults["his"].(map[string]any); ok {
		delete(his, "path") // each practice has one of its own
	}
	return defaults
}

// complete fills in what is not given, or given without a value, in groups too.
func complete(given, defaults map[string]any) {
	for name, value := range defaults {
		if given[name] == nil {
			given[name] = value
			continue
		}
		below, isGroup := given[name].(map[string]any)
		if group, alsoGroup := value.(map[string]any); isGroup && alsoGroup {
			complete(below, group)
		}
	}
}

// copied is a copy of the groups: no two practices share one.
func copied(group map[string]any) map[string]any {
	fresh := make(map[string]any, len(group))
	for name, value := range group {
		if below, ok := value.(map[string]any); ok {
			value = copied(below)
		}
		fresh[name] = value
	}
	return fresh
}
