package appservice

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
	"github.com/spreekkamer/spreekkamer/internal/faultpoint"
	"github.com/spreekkamer/spreekkamer/store"
	"go.mau.fi/util/dbutil"
	"go.mau.fi/util/exsync"
	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/crypto"
	"maunium.net/go/mautrix/id"
)

// Options say who the bot is and where. All but DisplayName, RegistrationID, Away and Wake are needed.
type Options struct {
	URL             string // where the homeserver answers clients
	Domain          string // the server name in its IDs; may hold a port
	Localpart       string // of the bot's Matrix ID
	DisplayName     string // what people see; "" leaves it alone
	ASToken         string
	HSToken         string
	SenderLocalpart string // of the registration; never the bot's, because such a user cannot /sync on Synapse
	RegistrationID  string // the id in the registration file, for the ping
	Store           *store.Store
	RecoveryKeyFile string // outside the database and in the backup; written once
	Log             zerolog.Logger
	Now             func() time.Time
	Due             func(sent time.Time) time.Time // when an event sent then must be gone
	Away            time.Duration                  // without /sync for this long is an outage; 0 = never
	Wake            func()                         // something was kept; may be nil
}

// keeper is what the Matrix side needs of the database.
type keeper interface {
	Bot(ctx context.Context) (store.Bot, error)
	SaveBot(ctx context.Context, bot store.Bot) error
	Keep(ctx context.Context, batch store.Batch) (store.KeepResult, error)
	Room(ctx context.Context, room string) (store.Room, bool, error)
	GapIn(ctx context.Context, room string) (store.Gap, bool, error)
	NextGap(ctx context.Context, now time.Time) (store.Gap, bool, error)
	KnownBefore(ctx context.Context, event string, by time.Time) (bool, error)
	PostponeGap(ctx context.Context, room string, until time.Time) error
	KeyCame(ctx context.Context, room, session string) error
	PickleKey() []byte
	DB() *dbutil.Database
}

var _ keeper = (*store.Store)(nil)

// Client is the bot. Its methods may be called from several goroutines; Run from one.
type Client struct {
	opts       Options
	store      keeper
	user       id.UserID
	log        zerolog.Logger
	libraryLog zerolog.Logger

	matrix  *mautrix.Client        // as the bot, with its device
	token   atomic.Pointer[string] // of matrix; it may change while others send
	service *mautrix.Client        // as the application service, without a device
	machine *crypto.OlmMachine
	rooms   stateStore
	keys    cryptoStore

	raw       *rawCache
	seen      *seen
	sending   *exsync.KeyedMutex[id.RoomID] // encryption in one room is one at a time
	asked     *limiter                      // keys asked for
	reshared  *limiter                      // rooms whose key was renewed for someone who missed it
	awaited   *limiter                      // people who were waited for to get a key
	arrived   arrivals
	identity  func(ctx context.Context, user id.UserID, key string) error // see OnIdentity
	devices   func(users []id.UserID)                                     // see OnDevices
	keyless   func(ctx context.Context, users []id.UserID) error          // see OnKeyless
	typing    func(room id.RoomID, users []id.UserID)
	lost      lostPlace // used by Run only
	caughtUp  chan struct{}
	caught    sync.Once
	signingMu sync.Mutex // one sign-in at a time
	server    serverFacts
	uploads   uploadLimit
}

// Connect makes the bot ready: its user, its one device, its keys and its identity. It can be
// cut off anywhere and run again, and it never makes a second device. It fails when the
// homeserver cannot be reached; the caller decides about trying again.
func Connect(ctx context.Context, o Options) (*Client, error) {
	c, err := newClient(o)
	if err != nil {
		return nil, err
	}
	ctx = c.quiet(ctx)
	for _, step := range []func(context.Context) error{
		c.register, c.signIn, c.openKeys, c.publishKeys, c.secureIdentity, c.introduce,
	} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func newClient(o Options) (*Client, error) {
	if o.Localpart == o.SenderLocalpart {
		return nil, fmt.Errorf("bot %s is also the registration's sender_localpart: Synapse gives such a user no /sync; give the registration a sender_localpart of its own", o.Localpart)
	}
	c := &Client{
		opts: o, store: o.Store, user: id.NewUserID(o.Localpart, o.Domain),
		log: o.Log, libraryLog: quietLogger(o.Log),
		raw: newRawCache(cacheBytes), seen: newSeen(), sending: exsync.NewKeyedMutex[id.RoomID](),
		asked: newLimiter(askAgain, o.Now), reshared: newLimiter(reshareEvery, o.Now), awaited: newLimiter(reshareEvery, o.Now), caughtUp: make(chan struct{}),
	}
	var err error
	if c.service, err = c.libraryClient(o.ASToken); err != nil {
		return nil, err
	}
	if c.matrix, err = c.libraryClient(""); err != nil {
		return nil, err
	}
	c.matrix.RequestHook = func(req *http.Request) {
		if token := c.token.Load(); token != nil {
			req.Header.Set("Authorization", "Bearer "+*token)
		}
	}
	c.rooms = newStateStore(o.Store.DB())
	c.matrix.StateStore = c.rooms
	return c, nil
}

// requestTimeout is longer than a /sync may take and than a large file takes to upload.
const requestTimeout = 3 * time.Minute

// libraryClient speaks the client API with a token. It never tries again by itself: what has
// to happen is in the outbox or in the /sync loop, and these know what else waits.
func (c *Client) libraryClient(token string) (*mautrix.Client, error) {
	m, err := mautrix.NewClient(c.opts.URL, c.user, token)
	if err != nil {
		return nil, fmt.Errorf("homeserver address %q: %w", c.opts.URL, err)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 16
	m.Client = &http.Client{Timeout: requestTimeout, Transport: faultpoint.Transport(transport)}
	m.Log = c.libraryLog
	m.DefaultHTTPRetries = 0
	m.IgnoreRateLimit = true
	m.SetAppServiceUserID = true
	m.ResponseSizeLimit = 256 << 20
	return m, nil
}

// UserID is the bot's Matrix ID.
func (c *Client) UserID() id.UserID { return c.user }

// introduce sets the name people see, when it differs.
func (c *Client) introduce(ctx context.Context) error {
	if c.opts.DisplayName == "" {
		return nil
	}
	profile, err := c.matrix.GetOwnDisplayName(ctx)
	if err == nil && profile.DisplayName == c.opts.DisplayName {
		return nil
	}
	return failed(c.matrix.SetDisplayName(ctx, c.opts.DisplayName), "set the bot's display name")
}

// Close ends what the library does on its own. Run has to have ended; the store stays open.
func (c *Client) Close() {
	c.machine.Destroy()
	c.matrix.Client.CloseIdleConnections()
	c.service.Client.CloseIdleConnections()
}
