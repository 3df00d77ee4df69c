// Package app wires the parts of Spreekkamer together and runs them.
package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"
	_ "time/tzdata" // a minimal image has no time zones

	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"
	"maunium.net/go/mautrix"

	"github.com/spreekkamer/spreekkamer/appservice"
	"github.com/spreekkamer/spreekkamer/bridge"
	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/config"
	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/internal/faultpoint"
	"github.com/spreekkamer/spreekkamer/media"
	"github.com/spreekkamer/spreekkamer/media/clamd"
	"github.com/spreekkamer/spreekkamer/store"
	"github.com/spreekkamer/spreekkamer/texts"
)

// Errors name our ids and what went wrong, never what somebody else's server said. This is the
// second net under that, for every line of the log.
func init() {
	zerolog.ErrorMarshalFunc = func(err error) any {
		if err == nil {
			return nil
		}
		return appservice.Scrub(err.Error())
	}
}

// zoneName is where the practices are: days and ages are counted there.
const zoneName = "Europe/Amsterdam"

// An instance is Spreekkamer with all its parts.
type instance struct {
	config  config.Config
	log     zerolog.Logger
	store   *store.Store
	matrix  *appservice.Client
	bridge  *bridge.Bridge
	started time.Time
	ready   atomic.Bool // the rooms are there, and messages are handled
}

// Run starts everything and returns when ctx ends or something fails for good.
func Run(ctx context.Context, c config.Config, log zerolog.Logger) error {
	// The homeserver may send events from the moment it can reach us: first the address is
	// ours, then the database, then the bot.
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	defer listener.Close()
	i := &instance{config: c, log: log, started: time.Now()}
	if i.store, err = openStore(ctx, c, log); err != nil {
		return err
	}
	defer i.store.Close()
	if err := i.wire(ctx); err != nil {
		return err
	}
	return i.serve(ctx, listener)
}

func openStore(ctx context.Context, c config.Config, log zerolog.Logger) (*store.Store, error) {
	key, err := c.MasterKey()
	if err != nil {
		return nil, err
	}
	uri, err := c.DatabaseURI()
	if err != nil {
		return nil, err
	}
	return store.Open(ctx, store.Options{Kind: c.Database.Type, URI: uri, Key: key, Log: log, Now: faultpoint.Now})
}

// wire makes the Matrix side and the bridge.
func (i *instance) wire(ctx context.Context) error {
	zone, err := time.LoadLocation(zoneName)
	if err != nil {
		return fmt.Errorf("time zone: %w", err)
	}
	catalog, err := texts.Load()
	if err != nil {
		return err
	}
	settings, err := bridgeSettings(i.config, zone)
	if err != nil {
		return err
	}
	wake := func() { i.bridge.Wake() } // set below, before anything runs
	if i.matrix, err = i.connect(ctx, zone, wake); err != nil {
		return err
	}
	i.bridge = bridge.New(settings, i.store, chat{i.matrix, i.config.Homeserver.Domain, i.config.Retention.Messages}, catalog, faultpoint.Now, i.log)
	i.matrix.OnRoomKey(i.bridge.KeyArrived)
	i.matrix.OnIdentity(i.bridge.IdentityChanged)
	i.matrix.OnDevices(i.bridge.DevicesChanged)
	i.matrix.OnKeyless(i.bridge.NoKeysOf)
	i.matrix.OnTyping(i.bridge.SomeoneTypes)
	return nil
}

func (i *instance) connect(ctx context.Context, zone *time.Location, wake func()) (*appservice.Client, error) {
	reg, err := LoadRegistration(i.config)
	if err != nil {
		return nil, err
	}
	options := appservice.Options{
		URL: i.config.Homeserver.URL, Domain: i.config.Homeserver.Domain,
		Localpart: i.config.Bot.Localpart, DisplayName: i.config.Bot.DisplayName,
		ASToken: reg.ASToken, HSToken: reg.HSToken, SenderLocalpart: reg.SenderLocalpart, RegistrationID: reg.ID,
		Store: i.store, RecoveryKeyFile: i.config.Secrets.RecoveryKeyFile, Log: i.log, Now: faultpoint.Now, Wake: wake,
		Away: i.config.Desk.OutageAfter,
		Due:  func(sent time.Time) time.Time { return care.Due(sent, i.config.Retention.Messages, zone) },
	}
	return retried(ctx, i.log, func() (*appservice.Client, error) { return appservice.Connect(ctx, options) })
}

// retried tries again while the homeserver cannot be reached: it may be starting too.
func retried[T any](ctx context.Context, log zerolog.Logger, try func() (T, error)) (result T, err error) {
	for wait := 200 * time.Millisecond; ; wait = min(2*wait, 10*time.Second) {
		if result, err = try(); err == nil || !temporary(err) {
			return result, err
		}
		log.Warn().Err(err).Msg("The homeserver is not ready, will be tried again")
		select {
		case <-ctx.Done():
			return result, ctx.Err()
		case <-time.After(wait):
		}
	}
}

// temporary says that the homeserver could not be reached, or is not up to it yet.
func temporary(err error) bool {
	var answer mautrix.HTTPError
	if !errors.As(err, &answer) {
		return false
	}
	return answer.Response == nil || answer.Response.StatusCode >= http.StatusInternalServerError ||
		answer.Response.StatusCode == http.StatusTooManyRequests
}

// serve runs everything until ctx ends: HTTP first, so that the homeserver finds us.
func (i *instance) serve(ctx context.Context, listener net.Listener) error {
	group, ctx := errgroup.WithContext(ctx)
	server := &http.Server{Handler: i.handler(), ReadHeaderTimeout: 10 * time.Second}
	group.Go(func() error {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve: %w", err)
		}
		return nil
	})
	group.Go(func() error {
		<-ctx.Done()
		return server.Close()
	})
	group.Go(func() error { return i.matrix.Run(ctx) })
	group.Go(func() error { return i.work(ctx) })
	err := group.Wait()
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// work begins when the first /sync is complete: by then the bot has seen the echoes of
// everything it had sent before it stopped, so nothing is sent twice.
func (i *instance) work(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-i.matrix.CaughtUp():
	}
	if err := i.takeStaff(ctx); err != nil {
		return err
	}
	_, err := retried(ctx, i.log, func() (struct{}, error) { return struct{}{}, i.bridge.Prepare(ctx) })
	if err != nil {
		return err
	}
	i.ready.Store(true)
	i.log.Info().Dur("after", time.Since(i.started)).Msg("Spreekkamer is ready")
	return i.bridge.Run(ctx)
}

// takeStaff hands the staff that the configuration names to the bridge.
func (i *instance) takeStaff(ctx context.Context) error {
	var named []care.Member
	for _, s := range i.config.Staff {
		named = append(named, care.Member{UserID: s.User, Name: s.Name, Role: care.Role(s.Role), Practice: s.Practice, Source: bridge.FromConfig})
	}
	return i.bridge.TakeStaff(ctx, named)
}

func bridgeSettings(c config.Config, zone *time.Location) (bridge.Settings, error) {
	s := bridge.Settings{
		Organisation: c.Organisation.Name, Website: c.Organisation.Website, Language: c.Language,
		Privacy: document(c.Organisation.Privacy), Terms: document(c.Organisation.Terms),
		Servers: c.Homeserver.AllowedServers, Domain: c.Homeserver.Domain, Arriving: bridge.Arriving, Retention: c.Retention.Messages,
		HoldUnsigned: c.Relay.UnsignedDevices == config.Hold,
		KeyTimeout:   c.Relay.KeyTimeout, MaxFile: int64(c.Relay.MaxFileSize), Zone: zone,
		Limits:     bridge.Limits(c.Limits),
		AnswerDays: c.Desk.AnswerDays, RemindAfter: c.Desk.RemindAfter, SentMark: c.Relay.SentMark, FiledMark: c.Relay.FiledMark,
		Files: media.Limits{Pixels: int64(c.Relay.MaxPixels), Refused: c.Relay.RefusedFiles, Allowed: c.Relay.AllowedFiles},
	}
	if c.Relay.Clamd != "" {
		scanner, err := clamd.New(c.Relay.Clamd)
		if err != nil {
			return s, fmt.Errorf("relay.clamd: %w", err)
		}
		s.Scanner = scanner
	}
	for _, p := range c.Practices {
		connector, err := openHIS(p.HIS)
		if err != nil {
			return s, fmt.Errorf("practice %s: %w", p.ID, err)
		}
		var crm *bridge.System
		if p.CRM.Type != "" {
			other, err := openHIS(p.CRM)
			if err != nil {
				return s, fmt.Errorf("practice %s: crm: %w", p.ID, err)
			}
			system := filingIn(other, p.Filing)
			system.Consult = nil // it is about care
			crm = &system
		}
		hours, err := care.HoursOf(p.Hours, p.Closed, p.Holidays)
		if err != nil {
			return s, fmt.Errorf("practice %s: hours: %w", p.ID, err)
		}
		s.Practices = append(s.Practices, bridge.Practice{
			Practice: care.Practice{ID: p.ID, Name: p.Name, Postcodes: postcodes(p), Hours: hours},
			Phone:    p.Phone, Emergency: p.EmergencyPhone, OutOfHours: p.Huisartsenpost, AGB: p.AGB,
			System: filingIn(connector, p.Filing), CRM: crm,
		})
	}
	return s, nil
}

// filingIn is a system with what the practice wants filed there.
func filingIn(c his.Connector, f config.Filing) bridge.System {
	s := bridge.System{Connector: c, OnClosing: f.When == config.FileClosing, AskEvery: f.AskEvery}
	if f.Consult.Code != "" {
		s.Consult = &his.Code{System: f.Consult.System, Code: f.Consult.Code, Display: f.Consult.Display}
	}
	return s
}

func postcodes(p config.Practice) (all []string) {
	for _, code := range p.Postcodes {
		all = append(all, string(code))
	}
	return all
}

func document(d config.Document) texts.Document {
	return texts.Document{Version: d.Version, Date: d.Date, URL: d.URL}
}
