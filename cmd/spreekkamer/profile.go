//go:build profile

package main

import (
	"os"
	"os/signal"
	"runtime/pprof"
	"syscall"
	"time"
)

// profileTime is how long the processor is watched.
const profileTime = 20 * time.Second

// In a build with the tag profile, SIGUSR1 writes a processor profile to the file that
// PROFILE_FILE names. It is never part of what is installed: a profile names our functions only,
// but a program that writes files on a signal has no place beside patients' messages.
func init() {
	wanted := make(chan os.Signal, 1)
	signal.Notify(wanted, syscall.SIGUSR1)
	go func() {
		for range wanted {
			file, err := os.Create(os.Getenv("PROFILE_FILE"))
			if err == nil {
				err = pprof.StartCPUProfile(file)
			}
			if err != nil {
				println("profile:", err.Error())
				continue
			}
			time.Sleep(profileTime)
			pprof.StopCPUProfile()
			_ = file.Close()
		}
	}()
}
