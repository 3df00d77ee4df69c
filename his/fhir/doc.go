// Package fhir holds the part of FHIR R4 (4.0.1) that Spreekkamer writes: plain
// structs with the standard's own names (datatypes.go, resources.go), and a
// transaction Bundle that streams what it carries (bundle.go). It knows nothing of
// patients' conversations: which of ours becomes which of these is decided in his.
//
// The structs are ours because served Go model packages lose primitive extensions
// and write invalid Communications. An element that is left out here is one we do
// not use; a code is a string; cardinality is kept by who fills them in and judged
// by the independent validator in his/validator.
package fhir
