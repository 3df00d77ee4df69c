// Package appservice is the Matrix side of the bridge. It takes in what homeservers tell us
// and does what the rest of the program wants done in rooms.
//
// Two ways lead in and both end in one inbox: the /sync loop of the bot's own device (sync.go),
// which is complete and gives the order, and the transactions that the homeserver pushes
// (transactions.go), which are quicker when /sync is down. Nothing is acknowledged before it is
// kept: the place in the /sync stream is saved in the database transaction that stores the
// rows, and a transaction is answered 200 only after its rows are stored. Events are kept by
// reference; what people wrote stays at the homeserver and, for a while, in memory (raw.go).
//
// Start reading at connect.go (who the bot is) and sync.go (what comes in); read.go and send.go
// are what the use cases call. What differs between homeservers is in tables of small
// functions, one file per kind: device.go, erase_synapse.go, erase_dendrite.go.
//
// Kept out: what an event means (package bridge) and every SQL statement (package store).
package appservice
