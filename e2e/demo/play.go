package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spreekkamer/spreekkamer/e2e/harness"
	"github.com/spreekkamer/spreekkamer/e2e/world"
)

// patientsToPlay is how many patients there are on each homeserver.
const patientsToPlay = 20

// A playing is what .run/play.json says: all that someone needs who tries it by hand.
type playing struct {
	Homeserver string         `json:"homeserver"`
	ServerName string         `json:"server_name"`
	Bot        string         `json:"bot"`
	Space      string         `json:"space"`
	Balie      string         `json:"balie"`
	Beheer     string         `json:"beheer"`
	Patients   []world.Person `json:"patients"`
	Staff      []world.Person `json:"staff"`
	Second     second         `json:"second_homeserver"`
	HIS        string         `json:"his_dir"`
	DataDirs   []string       `json:"data_dirs"`
	Bridge     int            `json:"bridge_pid"`
}

type second struct {
	Homeserver string         `json:"homeserver"`
	ServerName string         `json:"server_name"`
	Patients   []world.Person `json:"patients"`
}

// playground starts everything, tells where it is and waits for Ctrl-C. When the bridge is
// killed it is started again; settings of the environment reach it.
func playground(ctx context.Context, kind harness.Kind, _ bool) error {
	dir, err := directory("play-" + string(kind))
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	w, err := world.Start(ctx, world.Options{Kind: kind, Dir: dir, Second: true, Patients: patientsToPlay})
	if err != nil {
		return err
	}
	defer w.Stop()
	file := filepath.Join(filepath.Dir(dir), "play.json")
	defer os.Remove(file)
	for {
		if err := tell(ctx, w, file); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			fmt.Println("Stopping …")
			return nil
		case <-w.Bridge().Done():
			fmt.Fprintln(os.Stderr, "The bridge ended; starting it again")
		}
		if err := w.StartBridge(ctx); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
	}
}

func tell(ctx context.Context, w *world.World, file string) error {
	p := playing{
		Homeserver: w.Home.URL, ServerName: w.Home.ServerName, Bot: w.Bot, Patients: w.Patients, Staff: w.Staff,
		Second: second{w.Second.URL, w.Second.ServerName, w.SecondPatients},
		HIS:    w.HIS, DataDirs: w.DataDirs(), Bridge: w.Bridge().Pid(),
	}
	for kind, room := range map[string]*string{"space": &p.Space, "balie": &p.Balie, "beheer": &p.Beheer} {
		var err error
		if *room, err = w.Room(ctx, kind); err != nil {
			return err
		}
	}
	text, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return err
	}
	fmt.Println(string(text))
	// whole or not at all: someone may be waiting for the file
	if err := os.WriteFile(file+".part", text, 0o600); err != nil {
		return err
	}
	return os.Rename(file+".part", file)
}
