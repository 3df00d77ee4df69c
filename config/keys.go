package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// envPrefix starts the name of every setting in the environment.
const envPrefix = "SPREEKKAMER_"

// prune takes what the example does not know out of the operator's settings and notes it, so
// that the rest can be read and all mistakes are named at once. Viper alone would ignore a
// value where a group belongs, take Retention for retention, and split a name at its dots.
func prune(file, example map[string]any, path string, found *Mistakes) {
	for _, key := range slices.Sorted(maps.Keys(file)) {
		setting := path + key
		want, known := example[key]
		if !known {
			found.add(setting, "there is no such setting%s", didYouMean(key, example))
			delete(file, key)
			continue
		}
		switch want := want.(type) {
		case map[string]any:
			if !pruneGroup(file[key], want, setting, found) {
				delete(file, key)
			}
		case []any:
			pruneList(file[key], want, setting, found)
		}
	}
}

// pruneGroup tells whether there is a group to read; an empty one leaves the defaults.
func pruneGroup(value any, example map[string]any, setting string, found *Mistakes) bool {
	group, ok := value.(map[string]any)
	found.want(ok || value == nil, setting, "is a group of settings: %s",
		strings.Join(slices.Sorted(maps.Keys(example)), ", "))
	prune(group, example, setting+".", found)
	return ok
}

// pruneList looks into the entries of practices and staff; the example's first entry shows
// what one may hold.
func pruneList(value any, example []any, setting string, found *Mistakes) {
	entries, _ := value.([]any)
	if len(example) == 0 {
		return
	}
	of, groups := example[0].(map[string]any)
	for i, entry := range entries {
		values, ok := entry.(map[string]any)
		if !ok || !groups {
			continue // the decoder names it
		}
		prune(values, of, fmt.Sprintf("%s[%d].", setting, i), found)
	}
}

// didYouMean helps with a typing error: the known name with the same letters, or with the
// same beginning.
func didYouMean(key string, example map[string]any) string {
	for _, known := range slices.Sorted(maps.Keys(example)) {
		same := strings.EqualFold(known, strings.ReplaceAll(key, "-", "_"))
		if same || len(key) >= 3 && strings.HasPrefix(known, strings.ToLower(key[:3])) {
			return ": did you mean " + known + "?"
		}
	}
	if group, _, found := strings.Cut(key, "."); found {
		if _, known := example[group]; known {
			return ": write what comes after the dot on a line of its own under " + group
		}
	}
	return ""
}

// checkEnvironment finds variables that look like settings and are none: a typing error in
// SPREEKKAMER_RETENTION_MESSAGES would otherwise keep messages longer than was meant.
// Kubernetes sets SPREEKKAMER_PORT… and SPREEKKAMER_SERVICE_… by itself next to a service of
// that name; those are left alone.
func checkEnvironment(environ []string, example map[string]any, found *Mistakes) {
	known := map[string]bool{}
	envNames(example, envPrefix, known)
	for _, variable := range environ {
		name, _, _ := strings.Cut(variable, "=")
		rest, ours := strings.CutPrefix(name, envPrefix)
		if !ours || known[name] || strings.HasPrefix(rest, "PORT") || strings.HasPrefix(rest, "SERVICE_") {
			continue
		}
		found.add(name, "there is no such setting for the environment (practices and staff go in the file)")
	}
}

// envNames collects the names of all settings that a variable can hold: everything but the
// lists of groups.
func envNames(example map[string]any, prefix string, names map[string]bool) {
	for key, value := range example {
		name := prefix + strings.ToUpper(key)
		switch value := value.(type) {
		case map[string]any:
			envNames(value, name+"_", names)
		case []any:
			_, groups := first(value).(map[string]any)
			names[name] = !groups
		default:
			names[name] = true
		}
	}
}

func first(list []any) any {
	if len(list) == 0 {
		return nil
	}
	return list[0]
}
