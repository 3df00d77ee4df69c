// Package his has the running bridge file in a FHIR server that others made: a real homeserver,
// real clients, the bridge as a process, HAPI JPA, and between the two last ones a network that
// fails. Its tests have the build tag conformance, since they need Java; `make conformance` runs
// them. What they share with the tests of the connector alone is in his/conformance.
package his
