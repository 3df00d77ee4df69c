package appservice

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"go.mau.fi/util/random"
	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/store"
)

// register creates the bot's user. That it exists already is fine, and an error may come after
// the user was made, so signing in decides whether it worked.
func (c *Client) register(ctx context.Context) error {
	req := &mautrix.ReqRegister[any]{
		Username: c.opts.Localpart, Type: mautrix.AuthTypeAppservice, InhibitLogin: true,
	}
	_, err := c.service.MakeFullRequest(ctx, mautrix.FullRequest{
		Method: http.MethodPost, URL: c.service.BuildURL(mautrix.ClientURLPath{"v3", "register"}), RequestJSON: req,
	})
	if err == nil || errors.Is(err, mautrix.MUserInUse) {
		return nil
	}
	c.log.Warn().Str("error", said(err)).Msg("Registering the bot's user failed; trying to sign in nevertheless")
	return nil
}

// deviceKinds are the ways to a device of one's own. The first that the homeserver knows is
// used; which one it was shows in whether a token is stored.
var deviceKinds = []func(c *Client, ctx context.Context, bot store.Bot) (store.Bot, error){
	(*Client).createDevice, // Synapse, and what else knows MSC4190: the as_token speaks for the device
	(*Client).logIn,        // Dendrite: a token of its own
}

// signIn makes sure that the bot has its device and that the homeserver accepts it. The device
// ID is stored before the homeserver hears it: after a crash in between it is the same again.
func (c *Client) signIn(ctx context.Context) error {
	c.signingMu.Lock()
	defer c.signingMu.Unlock()
	bot, err := c.store.Bot(ctx)
	if err != nil {
		return fmt.Errorf("load the bot's device: %w", err)
	}
	if bot.UserID != "" && bot.UserID != string(c.user) {
		return fmt.Errorf("this database belongs to the bot %s, the configuration names %s: give it a database of its own", bot.UserID, c.user)
	}
	if bot.DeviceID == "" {
		bot.UserID, bot.DeviceID = string(c.user), newDeviceID()
		if err := c.store.SaveBot(ctx, bot); err != nil {
			return fmt.Errorf("store the bot's device: %w", err)
		}
	}
	if bot.Token != "" {
		return c.keepToken(ctx, bot)
	}
	return c.firstSignIn(ctx, bot)
}

func newDeviceID() string { return "SPREEK" + strings.ToUpper(random.String(10)) }

func (c *Client) firstSignIn(ctx context.Context, bot store.Bot) error {
	var refused []error
	for _, kind := range deviceKinds {
		signed, err := kind(c, ctx, bot)
		if err == nil {
			c.use(signed)
			return c.store.SaveBot(ctx, signed)
		}
		refused = append(refused, err)
		if classOf(err) == nil && !errors.Is(err, ErrUnsupported) { // no answer, or one about something else
			break
		}
	}
	return fmt.Errorf("sign in as %s (is the registration loaded by the homeserver?): %w", c.user, errors.Join(refused...))
}

// keepToken goes on with the stored token. Logging in again would give a new one, and Dendrite
// remembers transaction IDs per token; so only when it is no longer accepted.
func (c *Client) keepToken(ctx context.Context, bot store.Bot) error {
	c.use(bot)
	who, err := c.matrix.Whoami(ctx)
	if err == nil && who.DeviceID == id.DeviceID(bot.DeviceID) {
		return nil
	}
	if err != nil && classOf(err) != ErrUnknownToken {
		return failed(err, "ask the homeserver who the bot is")
	}
	c.log.Warn().Msg("The homeserver no longer accepts the bot's token; logging in again with the same device")
	if bot, err = c.logIn(ctx, bot); err != nil {
		return err
	}
	c.use(bot)
	return c.store.SaveBot(ctx, bot)
}

// use lets the library speak as the bot's device. After the first time only the token changes.
func (c *Client) use(bot store.Bot) {
	token, ownToken := c.opts.ASToken, bot.Token != ""
	if ownToken {
		token = bot.Token
	}
	c.token.Store(&token)
	if c.matrix.DeviceID == "" {
		c.matrix.DeviceID = id.DeviceID(bot.DeviceID)
		c.matrix.SetAppServiceUserID, c.matrix.SetAppServiceDeviceID = !ownToken, !ownToken
	}
}

const deviceName = "Spreekkamer"

// createDevice makes the device, or finds it there, with the as_token. Whether the as_token then
// speaks for the device is asked: Dendrite lets an existing device be renamed like this, and no
// more.
func (c *Client) createDevice(ctx context.Context, bot store.Bot) (store.Bot, error) {
	path := c.service.BuildClientURL("v3", "devices", bot.DeviceID)
	_, err := c.service.MakeRequest(ctx, http.MethodPut, path, &mautrix.ReqPutDevice{DisplayName: deviceName}, nil)
	if err != nil {
		return bot, failed(err, "create the bot's device")
	}
	who, err := c.whoami(ctx, bot.DeviceID)
	if err != nil {
		return bot, failed(err, "ask the homeserver about the bot's device")
	}
	if who.DeviceID != id.DeviceID(bot.DeviceID) {
		return bot, fmt.Errorf("device %s was created, but the homeserver takes us for device %q: %w", bot.DeviceID, who.DeviceID, ErrUnsupported)
	}
	return bot, nil
}

// whoami asks, with the as_token, as whom and which device the homeserver takes us.
func (c *Client) whoami(ctx context.Context, device string) (who mautrix.RespWhoami, err error) {
	query := map[string]string{"device_id": device, "org.matrix.msc3202.device_id": device}
	url := c.service.BuildURLWithQuery(mautrix.ClientURLPath{"v3", "account", "whoami"}, query)
	_, err = c.service.MakeRequest(ctx, http.MethodGet, url, nil, &who)
	return who, err
}

// logIn asks for a token for the device that the database names.
func (c *Client) logIn(ctx context.Context, bot store.Bot) (store.Bot, error) {
	answer, err := c.service.Login(ctx, &mautrix.ReqLogin{
		Type:       mautrix.AuthTypeAppservice,
		Identifier: mautrix.UserIdentifier{Type: mautrix.IdentifierTypeUser, User: c.opts.Localpart},
		DeviceID:   id.DeviceID(bot.DeviceID), InitialDeviceDisplayName: deviceName,
	})
	if err != nil {
		return bot, failed(err, "log in as application service")
	}
	if answer.DeviceID != id.DeviceID(bot.DeviceID) {
		return bot, fmt.Errorf("log in as application service: asked for device %s, got %s: %w", bot.DeviceID, answer.DeviceID, ErrUnsupported)
	}
	bot.Token = answer.AccessToken
	return bot, nil
}
