// Package care holds the rules of the consulting room: which states an account may be
// in (account.go), what the bot asks and which answers it takes (question.go,
// register.go), what a patient's message leads to (hear.go, converse.go, derde.go),
// what staff decide (staff.go), who is old enough (age.go) and how long a message
// may stay (retention.go). It is plain Go: no database, no Matrix, no clock; state, act
// and time go in, state and effects come out. Everything here can be read aloud to a
// doctor.
package care
