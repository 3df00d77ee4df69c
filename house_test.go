package spreekkamer_test

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/spreekkamer/spreekkamer"
	"github.com/spreekkamer/spreekkamer/config"
	"github.com/spreekkamer/spreekkamer/his"
)

// mostLines is one screenful of ideas; a longer file holds two.
const mostLines = 350

// files are the files of the repository: committed, or about to be.
func files(t *testing.T) []string {
	t.Helper()
	out, err := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard").Output()
	if err != nil { // no repository, for instance in an image that is being built
		return walk(t)
	}
	var all []string
	for name := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		if _, err := os.Stat(name); err == nil { // deleted ones are listed too
			all = append(all, name)
		}
	}
	return all
}

func walk(t *testing.T) (all []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(".", func(path string, entry os.DirEntry, err error) error {
		if err == nil && entry.IsDir() && (path == ".git" || path == ".cache") {
			return filepath.SkipDir
		}
		if err == nil && entry.Type().IsRegular() {
			all = append(all, path)
		}
		return err
	}))
	return all
}

func TestNoFileOutgrowsItsRoom(t *testing.T) {
	for _, file := range files(t) {
		if !strings.HasSuffix(file, ".go") {
			continue
		}
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		lines := bytes.Count(text, []byte("\n"))
		assert.LessOrEqual(t, lines, mostLines, "%s: split it by what it is about", file)
	}
}

// registries are hosts that code is downloaded from. Who builds chooses the mirror: a file
// that names one would choose for them. Written in halves, so that this file names none.
var registries = []string{
	"proxy.go" + "lang.org", "sum.go" + "lang.org", "registry.npm" + "js.org", "registry.yarn" + "pkg.com",
	"py" + "pi.org", "files.python" + "hosted.org", "repo.ma" + "ven.apache.org", "repo1.ma" + "ven.org",
	"central.sona" + "type.com", "crates" + ".io", "ruby" + "gems.org",
}

func TestNoFileNamesARegistry(t *testing.T) {
	for _, file := range files(t) {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, host := range registries {
			assert.False(t, bytes.Contains(text, []byte(host)), "%s names %s", file, host)
		}
	}
}

// settingsOf gives the names of all settings of a struct: a.b, and a[].b in lists of groups.
func settingsOf(t reflect.Type, path string) (names []string) {
	for field := range t.Fields() {
		name := path + field.Tag.Get("mapstructure")
		switch kind := field.Type.Kind(); {
		case kind == reflect.Struct:
			names = append(names, settingsOf(field.Type, name+".")...)
		case kind == reflect.Slice && field.Type.Elem().Kind() == reflect.Struct:
			names = append(names, settingsOf(field.Type.Elem(), name+"[].")...)
		default:
			names = append(names, name)
		}
	}
	return names
}

// explained walks through YAML and gives the names of all settings; without collects those
// that no comment stands by.
func explained(node *yaml.Node, path string, without *[]string) (names []string) {
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		name := path + key.Value
		if strings.TrimSpace(key.HeadComment+key.LineComment+value.HeadComment+value.LineComment) == "" {
			*without = append(*without, name)
		}
		switch {
		case value.Kind == yaml.MappingNode:
			names = append(names, explained(value, name+".", without)...)
		case value.Kind == yaml.SequenceNode && len(value.Content) > 0 && value.Content[0].Kind == yaml.MappingNode:
			names = append(names, explained(value.Content[0], name+"[].", without)...)
		default:
			names = append(names, name)
		}
	}
	return names
}

func TestTheExampleHoldsAndExplainsEverySettingAndNoOther(t *testing.T) {
	var document yaml.Node
	require.NoError(t, yaml.Unmarshal(spreekkamer.ExampleConfig, &document))
	var without []string
	inExample := explained(document.Content[0], "", &without)
	inStruct := settingsOf(reflect.TypeFor[config.Config](), "")
	slices.Sort(inExample)
	slices.Sort(inStruct)
	assert.Equal(t, inStruct, inExample)
	assert.Empty(t, without, "explain these in config.example.yaml")
}

// The last name of every setting is a field that somebody must use; a setting that nobody
// reads is a promise that nobody keeps. A coarse net: it does not tell two fields of the same
// name apart.
func TestEverySettingIsUsedSomewhere(t *testing.T) {
	var code strings.Builder
	for _, file := range files(t) {
		if strings.HasSuffix(file, ".go") && !strings.HasSuffix(file, "_test.go") &&
			!strings.HasPrefix(file, "config/") && !strings.HasPrefix(file, "e2e/") {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			code.Write(text)
		}
	}
	for _, name := range fieldsOf(reflect.TypeFor[config.Config]()) {
		assert.Contains(t, code.String(), "."+name, "no code outside config reads it")
	}
}

// readByConfig are settings that package config itself makes something of.
var readByConfig = []string{"Key", "KeyFile", "URI", "URIFile"}

func fieldsOf(t reflect.Type) (names []string) {
	for field := range t.Fields() {
		of := field.Type
		if of.Kind() == reflect.Slice {
			of = of.Elem()
		}
		switch {
		case of.Kind() == reflect.Struct:
			names = append(names, fieldsOf(of)...)
		case !slices.Contains(readByConfig, field.Name):
			names = append(names, field.Name)
		}
	}
	return names
}

func TestTheSettingsKnowEveryHIS(t *testing.T) {
	known := slices.Sorted(maps.Keys(config.Connectors))
	assert.Equal(t, his.Kinds(), known, "config.Connectors and his.Kinds differ")
}

// compose.yaml is checked as far as that goes without an engine: what it mounts exists, and
// what it waits for is there.
func TestComposeNamesOnlyWhatIsThere(t *testing.T) {
	text, err := os.ReadFile("compose.yaml")
	require.NoError(t, err)
	var compose struct {
		Services map[string]struct {
			Volumes   []string                  `yaml:"volumes"`
			DependsOn map[string]map[string]any `yaml:"depends_on"`
		} `yaml:"services"`
		Volumes map[string]any `yaml:"volumes"`
	}
	require.NoError(t, yaml.Unmarshal(text, &compose))
	require.Contains(t, compose.Services, "spreekkamer")
	for name, service := range compose.Services {
		for other := range service.DependsOn {
			assert.Contains(t, compose.Services, other, name)
		}
		for _, volume := range service.Volumes {
			source, _, _ := strings.Cut(volume, ":")
			if strings.HasPrefix(source, ".") {
				_, err := os.Stat(source)
				assert.NoError(t, err, name)
			} else {
				assert.Contains(t, compose.Volumes, source, fmt.Sprintf("%s mounts %s", name, source))
			}
		}
	}
}
