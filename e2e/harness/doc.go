// Package harness starts the real servers that tests, the demo and `make play` run against:
// Dendrite and Synapse homeservers, PostgreSQL, and any other program (the bridge itself).
//
// Start reading at homeserver.go. What differs per kind of homeserver is in dendrite.go and
// synapse.go; process.go sees to it that nothing that was started outlives the program that
// started it. The programs themselves are installed by e2e/tools/install.sh.
//
// Everything listens on the loopback address only, and every server has a directory of its
// own, so any number of runs can go side by side. Nothing here is meant for production: the
// servers have no rate limits, weak password hashing and a known registration secret.
package harness
