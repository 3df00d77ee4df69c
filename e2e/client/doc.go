// Package client is the independent Matrix client of the end-to-end tests and the demo: the
// other end of every conversation with the bridge, made of another library than the bridge's
// own (matrix-js-sdk with its Rust crypto, which Element is built on).
//
// A Driver is one Node process (driver.mjs); a Client is one logged-in device in it. What a
// client sees comes in by itself and is kept as a model, Room by Room; WaitFor and its kin wait
// until the model is as the test wants it, without sleeping. Start reading at driver.go.
//
// Crypto state is in memory: a client that logs in again is a new device.
package client
