// Package world sets up a whole practice for tests, the demo and make play: a real
// homeserver, Spreekkamer beside it as a process of its own, patients, staff, and a
// second homeserver when asked. Everything listens on loopback and ends with the program.
package world

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/spreekkamer/spreekkamer/e2e/client"
	"github.com/spreekkamer/spreekkamer/e2e/harness"
	"github.com/spreekkamer/spreekkamer/e2e/proxy"
)

// Password is that of every user of the world.
const Password = "only-for-trying-out"

// Options say what world to make.
type Options struct {
	Name       string // under which its Bundles are left for the validator (bundles.go); "" = they are not
	Kind       harness.Kind
	Dir        string            // own directory; made if needed
	Database   string            // PostgreSQL URI for the bridge; "" = SQLite
	Second     bool              // a second, federated homeserver (Dendrite) with patients of its own
	Patients   int               // on each homeserver
	Hours      []string          // opening hours of the practice; none = nothing is said about them
	Retention  time.Duration     // 0 = the default of the product
	Env        []string          // SPREEKKAMER_… for the bridge
	Homeserver harness.Options   // further choices; Kind and Dir are filled in, and ours is added to Registrations
	Settings   map[string]string // unused settings stay at their defaults
	HIS        string            // the practice's HIS folder; "" = one in Dir
	FHIR       string            // base of a FHIR server that is the HIS instead; the folder is the CRM then
	NewRecords bool              // patients whom the FHIR server does not have are made there
	AskEvery   time.Duration     // how often the FHIR server is asked for answers, which does not knock then; 0 = it knocks
	Faults     bool              // a bridge with places to die at, behind a proxy: see internal/faultpoint
	Profile    bool              // the bridge writes a processor profile on SIGUSR1
}

// A Person is someone with an account on a homeserver.
type Person struct {
	UserID   string `json:"user_id"`
	Password string `json:"password"`
	Role     string `json:"role,omitempty"`
	Name     string `json:"name,omitempty"`
}

// A World is a practice that runs.
type World struct {
	Dir            string
	Home, Second   *harness.Homeserver
	Bot            string // user id
	Patients       []Person
	SecondPatients []Person
	Staff          []Person
	HIS            string // folder of the practice: its HIS, or its CRM beside a FHIR server

	Proxy *proxy.Proxy // between bridge and homeserver; nil without Options.Faults

	opts       Options
	binary     string
	port       int
	proxyPorts [2]int // for the bridge, for the homeserver
	driver     *client.Driver

	left    sync.Once // the Bundles
	leaving error     // what came of that

	mu     sync.Mutex
	bridge *harness.Process
}

// PracticeID is the one practice of the world.
const PracticeID = "linde"

// Start makes a world and waits until the practice's rooms are there.
func Start(ctx context.Context, o Options) (w *World, err error) {
	w = &World{Dir: o.Dir, opts: o, HIS: cmp.Or(o.HIS, filepath.Join(o.Dir, "his"))}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.Stop())
		}
	}()
	if err := os.MkdirAll(w.bridgeDir(), 0o700); err != nil {
		return w, err
	}
	if err := os.MkdirAll(w.HIS, 0o700); err != nil {
		return w, err
	}
	if w.binary, err = binary(o.tags()); err != nil {
		return w, err
	}
	for _, port := range []*int{&w.port, &w.proxyPorts[0], &w.proxyPorts[1]} {
		if *port, err = harness.FreePort(); err != nil {
			return w, err
		}
	}
	steps := []func(context.Context) error{w.writeKey, w.startHome, w.startSecond, w.people, w.startProxy, w.writeConfig, w.StartBridge, w.admin}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return w, err
		}
	}
	return w, nil
}

func (o Options) tags() string {
	tags := "goolm"
	if o.Faults {
		tags += ",faultpoints"
	}
	if o.Profile {
		tags += ",profile"
	}
	return tags
}

// Stop ends everything, and leaves the Bundles that were filed; its error is about those. It may
// be called again.
func (w *World) Stop() error {
	if w.driver != nil {
		_ = w.driver.Stop()
	}
	if bridge := w.Bridge(); bridge != nil {
		_ = bridge.Stop()
	}
	if w.Proxy != nil {
		w.Proxy.Stop()
	}
	for _, h := range []*harness.Homeserver{w.Home, w.Second} {
		if h != nil {
			_ = h.Stop()
		}
	}
	w.left.Do(func() { w.leaving = w.leaveBundles() })
	return w.leaving
}

func (w *World) bridgeDir() string { return filepath.Join(w.Dir, "bridge") }

// ConfigFile is where the bridge's settings are.
func (w *World) ConfigFile() string { return filepath.Join(w.bridgeDir(), "config.yaml") }

// LogFile is where the bridge tells what it does. Where its disk may be full that is elsewhere.
func (w *World) LogFile() string {
	if w.opts.Faults {
		return filepath.Join(w.Dir, "bridge.log")
	}
	return filepath.Join(w.bridgeDir(), "bridge.log")
}

func (w *World) registrationFile() string { return filepath.Join(w.bridgeDir(), "registration.yaml") }

// DataDirs is every folder in which the bridge or a homeserver stores anything.
func (w *World) DataDirs() []string {
	all := []string{w.bridgeDir(), w.Home.Dir}
	if w.Second != nil {
		all = append(all, w.Second.Dir)
	}
	return all
}

// writeKey makes the master key, as an operator would with `spreekkamer keys`.
func (w *World) writeKey(context.Context) error {
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return err
	}
	file := filepath.Join(w.bridgeDir(), "master.key")
	return os.WriteFile(file, []byte(base64.StdEncoding.EncodeToString(key)+"\n"), 0o600)
}

// startHome starts the practice's homeserver. Its name is only known then, and the
// registration does not need it.
func (w *World) startHome(ctx context.Context) (err error) {
	if err := w.writeRegistration(); err != nil {
		return err
	}
	o := w.opts.Homeserver
	o.Kind, o.Dir, o.Federation = w.opts.Kind, filepath.Join(w.Dir, "homeserver"), w.opts.Second
	o.Registrations = append(slices.Clone(o.Registrations), w.registrationFile())
	w.Home, err = harness.StartHomeserver(ctx, o)
	return err
}

func (w *World) startSecond(ctx context.Context) (err error) {
	if !w.opts.Second {
		return nil
	}
	w.Second, err = harness.StartHomeserver(ctx, harness.Options{
		Kind: harness.Dendrite, Dir: filepath.Join(w.Dir, "second"), Federation: true,
	})
	return err
}

func (w *World) startProxy(context.Context) (err error) {
	if w.opts.Faults {
		w.Proxy, err = proxy.Start(w.Home.URL, w.bridgeURL(), w.proxyPorts[0], w.proxyPorts[1])
	}
	return err
}

// admin lets the bot erase media where the homeserver can.
func (w *World) admin(ctx context.Context) error {
	if w.opts.Kind != harness.Synapse {
		return nil
	}
	return w.Home.MakeAdmin(ctx, w.Bot)
}

func writeYAML(file string, settings any) error {
	text, err := yaml.Marshal(settings)
	if err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	return os.WriteFile(file, text, 0o600)
}
