// Package conformance shows the fhir connector on FHIR servers that others made: HAPI JPA
// (also with every request validated, also on PostgreSQL) and the router of Medplum; and it
// has every Bundle judged by the HAPI validator. `make conformance` installs and runs it; its
// tests have the build tag conformance, since they need Java. What they look with is here
// too: a Fixture for histest on any FHIR server, a View of the server from behind, and a
// Proxy in between that does what networks do.
package conformance
