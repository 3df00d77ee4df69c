package harness

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
)

// Servers get their ports from below the range that Linux gives to outgoing connections. With
// a port from that range (as listening on port 0 would give) a server that restarts now and
// then finds its port taken by somebody's connection.
const (
	firstPort = 20000
	lastPort  = 32767
)

var ports struct {
	sync.Mutex
	given map[int]bool
}

// FreePort is a TCP port on the loopback address that nothing listens on. It is not given
// twice by one program; two programs that ask at the same moment are kept apart by chance.
func FreePort() (int, error) {
	ports.Lock()
	defer ports.Unlock()
	if ports.given == nil {
		ports.given = map[int]bool{}
	}
	for range 1000 {
		port := firstPort + rand.IntN(lastPort-firstPort+1)
		if ports.given[port] || !isFree(port) {
			continue
		}
		ports.given[port] = true
		return port, nil
	}
	return 0, fmt.Errorf("no free port between %d and %d", firstPort, lastPort)
}

func isFree(port int) bool {
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return false
	}
	l.Close()
	return true
}
