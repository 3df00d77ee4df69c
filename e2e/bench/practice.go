package main

import (
	"context"
	"fmt"

	"github.com/spreekkamer/spreekkamer/e2e/practice"
	"github.com/spreekkamer/spreekkamer/e2e/world"
)

// practice starts a world with so many open conversations.
func (b *bench) practice(ctx context.Context, patients int) (*practice.Practice, error) {
	w, err := world.Start(ctx, world.Options{Kind: b.kind, Dir: b.dir, Patients: patients, Env: b.env(), Profile: b.profile != ""})
	if err != nil {
		return nil, err
	}
	p, err := practice.Open(ctx, w)
	if err != nil {
		_ = w.Stop()
		return nil, err
	}
	return p, nil
}

func (b *bench) env() []string {
	env := []string{"SPREEKKAMER_LOG_LEVEL=warn"}
	if b.profile != "" {
		env = append(env, "PROFILE_FILE="+b.profile)
	}
	return env
}

// log tells how the run goes.
func (b *bench) log(format string, args ...any) { fmt.Printf("  "+format+"\n", args...) }
