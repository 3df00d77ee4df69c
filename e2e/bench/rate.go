package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/spreekkamer/spreekkamer/e2e/client"
	"github.com/spreekkamer/spreekkamer/e2e/practice"
)

// The load of the rate: rooms side by side, and messages in each.
const rateRooms, perRoom = 4, 150

// rate measures how many messages a second the homeserver takes in four rooms: of patients in rooms
// that the bot is not in, and of the bot itself; and how many arrive at the other side of the bridge. Messages are encrypted beforehand and sent by
// bare HTTP, and the clients are deaf meanwhile: what is measured is not their speed.
func (b *bench) rate(ctx context.Context) error {
	p, err := b.practice(ctx, rateRooms)
	if err != nil {
		return err
	}
	defer p.Stop()
	token, err := p.BotToken()
	if err != nil {
		return err
	}
	var plain, bot, relayed []load
	for _, t := range p.Talks {
		room, err := t.Patient.DirectChat(ctx, p.Fatima.UserID)
		if err == nil {
			err = p.Fatima.Join(ctx, room)
		}
		if err != nil {
			return err
		}
		plain = append(plain, load{url: p.Home.URL, from: t.Patient, here: room, sender: t.Patient.UserID, there: room})
		bot = append(bot, load{url: p.Home.URL, from: p.Fatima, token: token, as: p.Bot, here: t.Desk, sender: p.Bot, there: t.Desk})
		relayed = append(relayed, loadOf(p, t))
	}
	for _, loads := range [][]load{plain, bot, relayed} {
		for i := range loads {
			if err := loads[i].prepare(ctx, perRoom); err != nil {
				return err
			}
		}
	}
	if err := deafen(ctx, p); err != nil {
		return err
	}
	for _, run := range []struct {
		name  string
		loads []load
	}{{"homeserver", plain}, {"bot", bot}, {"relayed", relayed}} {
		if b.profile != "" && run.name == "relayed" {
			if err := p.Bridge().Signal(syscall.SIGUSR1); err != nil {
				return err
			}
		}
		if err := b.timed(ctx, p, run.name, run.loads); err != nil {
			return err
		}
	}
	return nil
}

// loadOf is what a patient sends through the bridge.
func loadOf(p *practice.Practice, t practice.Talk) load {
	return load{url: p.Home.URL, from: t.Patient, here: t.Consulting, sender: p.Bot, there: t.Desk}
}

// deafen has no client take anything in, since their speed is not measured.
func deafen(ctx context.Context, p *practice.Practice) error {
	clients := []*client.Client{p.Fatima}
	for _, t := range p.Talks {
		clients = append(clients, t.Patient)
	}
	for _, c := range clients {
		if err := c.PauseSync(ctx); err != nil {
			return err
		}
	}
	return nil
}

// timed sends some loads, and notes how fast they arrived and how busy who was with them.
func (b *bench) timed(ctx context.Context, p *practice.Practice, name string, loads []load) error {
	processes := map[string]int{"homeserver": p.Home.Pid(), "bridge": p.Bridge().Pid()}
	before := map[string]usage{}
	for who, pid := range processes {
		u, err := usageOf(pid)
		if err != nil {
			return err
		}
		before[who] = u
	}
	perSecond, err := together(ctx, p.Fatima.AccessToken, loads)
	if err != nil {
		return err
	}
	b.log("%s: %.1f messages a second in %d rooms", name, perSecond, len(loads))
	b.results[name+"_rate"] = perSecond
	for who, pid := range processes {
		u, err := usageOf(pid)
		if err != nil {
			return err
		}
		each := (u.cpu - before[who].cpu).Seconds() * 1000 / float64(len(loads)*perRoom)
		b.log("  processor of the %s: %.1f ms a message", who, each)
		b.results[name+"_"+who+"_ms"] = each
	}
	return nil
}

// A load is what is sent into one room, and where it has to arrive, by whom.
type load struct {
	url, here, there string
	from             *client.Client // who encrypts it, and sends it
	token, as        string         // instead: of an application service, and as whom it sends
	sender           string
	sealed           []json.RawMessage
	sent             int
}

func (l *load) prepare(ctx context.Context, messages int) error {
	for i := range messages {
		content := map[string]any{"msgtype": "m.text", "body": fmt.Sprintf("Bericht nummer %d van deze reeks.", i)}
		sealed, err := l.from.Encrypt(ctx, l.here, "m.room.message", content)
		if err != nil {
			return err
		}
		l.sealed = append(l.sealed, sealed)
	}
	return nil
}

// together sends all loads side by side and returns how many messages a second arrived, from the
// first that was sent to the last that arrived.
func together(ctx context.Context, observer string, loads []load) (perSecond float64, err error) {
	ctx, cancel := context.WithTimeout(ctx, 4*time.Minute)
	defer cancel()
	waiting := map[string]int{}
	senders := map[string]string{}
	for _, l := range loads {
		waiting[l.there], senders[l.there] = perRoom, l.sender
	}
	o := &observation{url: loads[0].url, token: observer}
	if err := o.next(ctx, 0, nil); err != nil {
		return 0, err
	}
	started := time.Now()
	group, ctx := errgroup.WithContext(ctx)
	for _, l := range loads {
		group.Go(func() error { return l.send(ctx) })
	}
	group.Go(func() error {
		for left := len(loads) * perRoom; left > 0; {
			err := o.next(ctx, 10_000, func(room, sender string) {
				if senders[room] == sender && waiting[room] > 0 {
					waiting[room]--
					left--
				}
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err := group.Wait(); err != nil {
		return 0, fmt.Errorf("%w; not arrived: %v", err, waiting)
	}
	return float64(len(loads)*perRoom) / time.Since(started).Seconds(), nil
}

func (l *load) send(ctx context.Context) error {
	for len(l.sealed) > 0 {
		if err := l.sendFirst(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (l *load) sendFirst(ctx context.Context) error {
	where := fmt.Sprintf("%s/_matrix/client/v3/rooms/%s/send/m.room.encrypted/bench%d", l.url, url.PathEscape(l.here), l.sent)
	content, token := l.sealed[0], l.from.AccessToken
	if l.as != "" {
		where, token = where+"?user_id="+url.QueryEscape(l.as), l.token
	}
	l.sealed, l.sent = l.sealed[1:], l.sent+1
	return ask(ctx, http.MethodPut, where, token, content, nil)
}

// An observation follows what is sent in the rooms of a user, without reading any of it.
type observation struct{ url, token, since string }

const onlyMessages = `{"presence":{"types":["none"]},"account_data":{"types":["none"]},"room":{"state":{"types":["none"]},` +
	`"ephemeral":{"types":["none"]},"account_data":{"types":["none"]},"timeline":{"limit":1000,"types":["m.room.encrypted"]}}}`

func (o *observation) next(ctx context.Context, wait int, saw func(room, sender string)) error {
	query := url.Values{"filter": {onlyMessages}, "timeout": {fmt.Sprint(wait)}}
	if o.since != "" {
		query.Set("since", o.since)
	}
	var answer struct {
		NextBatch string `json:"next_batch"`
		Rooms     struct {
			Join map[string]struct {
				Timeline struct {
					Events []struct {
						Sender string `json:"sender"`
					} `json:"events"`
				} `json:"timeline"`
			} `json:"join"`
		} `json:"rooms"`
	}
	if err := ask(ctx, http.MethodGet, o.url+"/_matrix/client/v3/sync?"+query.Encode(), o.token, nil, &answer); err != nil {
		return err
	}
	o.since = answer.NextBatch
	for room, news := range answer.Rooms.Join {
		for _, e := range news.Timeline.Events {
			if saw != nil {
				saw(room, e.Sender)
			}
		}
	}
	return nil
}

var plainHTTP = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 2 * rateRooms}}

// ask makes one request to the homeserver.
func ask(ctx context.Context, method, where, token string, body []byte, answer any) error {
	req, err := http.NewRequestWithContext(ctx, method, where, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := plainHTTP.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: status %d: %s", method, resp.StatusCode, text)
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(text, answer)
}
