// Package spreekkamer is the root of the module; it only carries the file that an operator
// reads, so that the binary needs no other file and the tests can check it.
package spreekkamer

import _ "embed"

// ExampleConfig is config.example.yaml: the manual of every setting and the source of every
// default.
//
//go:embed config.example.yaml
var ExampleConfig []byte
