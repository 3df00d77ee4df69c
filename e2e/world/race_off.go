//go:build !race

package world

// race builds the bridge with the race detector when this program was built with it.
const race = false
