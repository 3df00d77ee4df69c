package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/go-viper/mapstructure/v2"
	"github.com/spf13/viper"
	"github.com/spreekkamer/spreekkamer"
	"go.yaml.in/yaml/v3"
)

// maxFile is more than any organisation needs; it keeps a wrong file name from filling memory.
const maxFile = 1 << 20

// Load reads the file at path ("" for the example and the environment alone) and checks
// everything. The error is a Mistakes when the settings are wrong, and something else when
// the file cannot be read at all.
func Load(path string) (Config, error) {
	file := map[string]any{}
	if path != "" {
		data, err := readFile(path)
		if err != nil {
			return Config{}, err
		}
		if file, err = parse(data); err != nil {
			return Config{}, fmt.Errorf("read %s: %w", path, err)
		}
	}
	return load(file, os.Environ())
}

// Example gives the settings of config.example.yaml. They are not meant to be used: Validate
// names every one that has to be changed.
func Example() (Config, error) {
	var found Mistakes
	c, err := merge(nil, &found)
	return c, errors.Join(err, found.err())
}

func load(file map[string]any, environ []string) (Config, error) {
	var found Mistakes
	example, err := parse(spreekkamer.ExampleConfig)
	if err != nil {
		return Config{}, fmt.Errorf("read the example config: %w", err)
	}
	prune(file, example, "", &found)
	completePractices(file, example)
	checkEnvironment(environ, example, &found)
	c, err := merge(file, &found)
	if err != nil {
		return Config{}, err
	}
	c.validate(&found)
	return c, found.err()
}

// merge lays the file over the example and the environment over both.
func merge(file map[string]any, found *Mistakes) (c Config, err error) {
	v := viper.NewWithOptions(viper.ExperimentalBindStruct(),
		viper.EnvKeyReplacer(strings.NewReplacer(".", "_")))
	v.SetConfigType("yaml")
	if err = v.ReadConfig(bytes.NewReader(spreekkamer.ExampleConfig)); err != nil {
		return c, fmt.Errorf("read the example config: %w", err)
	}
	if file != nil { // Example is the file alone: no environment either
		v.SetEnvPrefix(strings.TrimSuffix(envPrefix, "_"))
		v.AutomaticEnv()
		if err = v.MergeConfigMap(file); err != nil {
			return c, fmt.Errorf("merge the config: %w", err)
		}
	}
	strict := func(d *mapstructure.DecoderConfig) { d.WeaklyTypedInput = false }
	hook := viper.DecodeHook(mapstructure.DecodeHookFuncType(decodeValue))
	explain(v.UnmarshalExact(&c, hook, strict), found)
	return c, nil
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("there is no %s: copy config.example.yaml to it and change what you need,"+
			" or name another file with --config", path)
	}
	if err != nil {
		return nil, fmt.Errorf("read the config: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read the config: %w", err)
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("%s is larger than 1 MB: it is not a config file", path)
	}
	return data, nil
}

// parse reads one YAML document. A second one would be settings that nobody reads.
func parse(data []byte) (map[string]any, error) {
	all := map[string]any{}
	d := yaml.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(&all); errors.Is(err, io.EOF) {
		return all, nil
	} else if err != nil {
		return nil, err
	}
	if err := d.Decode(new(any)); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more than one document in it (a line of ---): leave one")
	}
	if all == nil { // a file that says null
		all = map[string]any{}
	}
	return all, nil
}

// explain turns the decoder's errors into mistakes. Only the innermost ones know a setting.
func explain(err error, found *Mistakes) {
	switch e := err.(type) {
	case nil:
	case *mapstructure.DecodeError:
		found.add(e.Name(), "%s", e.Unwrap())
	case interface{ Unwrap() []error }:
		for _, one := range e.Unwrap() {
			explain(one, found)
		}
	case interface{ Unwrap() error }:
		explain(e.Unwrap(), found)
	default:
		found.add("config", "%s", err)
	}
}
