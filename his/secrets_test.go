package his_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/his/histest"
	"github.com/spreekkamer/spreekkamer/his/rest"
)

const (
	clientSecret = "g3heim-van-de-praktijk"
	accessToken  = "t0ken-van-de-dag"
)

// A gossip stands before a FHIR server and whoever gives tokens. It lets only our token in. What
// it refuses it refuses with everything that it was told: the login, the body, the address.
type gossip struct {
	*httptest.Server
	behind   http.Handler
	refuses  int // the status of every answer; 0: it passes all on
	noTokens bool
	asked    []string
}

func newGossip(t testing.TB, behind http.Handler) *gossip {
	g := &gossip{behind: behind}
	g.Server = httptest.NewServer(g)
	t.Cleanup(g.Close)
	return g
}

func (g *gossip) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.asked = append(g.asked, r.URL.String())
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	token := r.URL.Path == "/token"
	switch {
	case token && !g.noTokens:
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"access_token":%q,"token_type":"bearer","expires_in":300}`, accessToken)
	case token:
		g.repeats(w, r, http.StatusBadRequest, body)
	case g.refuses > 0:
		g.repeats(w, r, g.refuses, body)
	case r.Header.Get("Authorization") != "Bearer "+accessToken:
		g.repeats(w, r, http.StatusUnauthorized, body)
	default:
		g.behind.ServeHTTP(w, r)
	}
}

func (g *gossip) repeats(w http.ResponseWriter, r *http.Request, status int, body []byte) {
	said := fmt.Sprint(r.Method, " ", r.URL, " ", r.Header, " ", string(body))
	issue := map[string]any{
		"severity": "error", "code": said, "diagnostics": said, "details": map[string]any{"text": said},
		"expression": append(strings.Fields(said), "Patient.name[0].Vries", "Patient.identifier[999990019]"), "location": []string{said, "Vries"},
	}
	text, err := json.Marshal(map[string]any{"resourceType": "OperationOutcome", "error_description": said, "issue": []any{issue}})
	if err != nil {
		panic(err)
	}
	w.Header().Set("Content-Type", rest.MediaType)
	w.Header().Set("Location", g.URL+"/fhir/Patient/Vries-999990019")
	w.WriteHeader(status)
	_, _ = w.Write(text)
}

// logins are how we can prove who we are, each with what must not be seen of it.
func logins(t testing.TB) map[string]struct {
	auth    rest.Auth
	secrets []string
} {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.MarshalECPrivateKey(key)
	require.NoError(t, err)
	private := string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}))
	file := func(text string) string {
		path := filepath.Join(t.TempDir(), "secret")
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	return map[string]struct {
		auth    rest.Auth
		secrets []string
	}{
		"oauth2": {rest.Auth{Type: "oauth2", ClientID: "chat", SecretFile: file(clientSecret)}, []string{clientSecret}},
		"smart":  {rest.Auth{Type: "smart", ClientID: "chat", SecretFile: file(private), KeyID: "1"}, append(strings.Split(private, "\n")[1:3], "PRIVATE", "eyJ")},
	}
}

// listens catches whatever the process logs (slog takes the log of package log too), at the level
// that tells most.
func listens(t testing.TB) *bytes.Buffer {
	heard := &bytes.Buffer{}
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(heard, &slog.HandlerOptions{Level: slog.LevelDebug})))
	t.Cleanup(func() {
		slog.SetDefault(before)
		log.SetOutput(os.Stderr)
	})
	return heard
}

// Everything that is done at a HIS in a conversation, at one that works and at one that refuses
// everything in every way and repeats what it was told: nothing of a person and no secret is in
// any address, in any line of the log or in any error.
func TestNothingOfAPersonAndNoSecretIsInAnAddressALogOrAnError(t *testing.T) {
	for name, login := range logins(t) {
		t.Run(name, func(t *testing.T) {
			heard := listens(t)
			debug := zerolog.New(heard).Level(zerolog.DebugLevel)
			f := newFakeFHIR(t)
			f.can(true, true, true, allTypes...)
			g := newGossip(t, f)
			login.auth.TokenURL = g.URL + "/token"
			c := fhirAt(t, f, func(s *his.FHIR) { s.Base, s.Auth = g.URL+"/fhir", login.auth })
			tell := func(what string, err error) { debug.Debug().Err(err).Str("doing", what).Msg("It did not work") }
			conversation(t, c, f, func(what string, err error) { require.NoError(t, err, what) })
			require.NotEmpty(t, f.find("Communication", ""), "it was filed")

			failed := 0
			for _, status := range []int{301, 400, 401, 403, 404, 409, 410, 412, 413, 422, 429, 500, 503} {
				g.refuses = status
				fresh := fhirAt(t, f, func(s *his.FHIR) { s.Base, s.Auth = g.URL+"/fhir", login.auth })
				for _, connector := range []his.Connector{c, fresh} {
					conversation(t, connector, nil, func(what string, err error) {
						if err != nil {
							failed++
							tell(what, err)
						}
					})
				}
			}
			assert.Greater(t, failed, 100)
			g.refuses, g.noTokens = 0, true
			conversation(t, fhirAt(t, f, func(s *his.FHIR) { s.Base, s.Auth = g.URL+"/fhir", login.auth }), nil, func(what string, err error) {
				require.Error(t, err, what)
				tell(what, err)
			})

			secrets := append(slices.Clone(login.secrets), accessToken, "999990019", "Vries", "Jan", "Bakker", "kanarie", "Bericht nummer", "612345678", "jan@example", "20417", "1980")
			assert.NotEmpty(t, heard.String())
			for _, secret := range secrets {
				assert.NotContains(t, heard.String(), secret, "the log")
				for _, asked := range append(g.asked, f.asked...) {
					assert.NotContains(t, asked, secret, "an address")
				}
			}
		})
	}
}

// conversation does everything once, and tells how each thing went. f is a server that works, in
// which the practice answers.
func conversation(t *testing.T, c his.Connector, f *fakeFHIR, went func(what string, err error)) {
	t.Helper()
	went("check", c.Check(t.Context()))
	edit := histest.Message(2)
	edit.Kind, edit.Replaces = his.KindEdit, histest.Message(1).ID
	photo := histest.Message(3)
	photo.Attachments = []his.Attachment{histest.Photo("Jan de Vries.jpg", []byte("a photo"))}
	closing := histest.Message(4)
	closing.Kind, closing.Closing, closing.Author = his.KindClosing, histest.Document(), histest.Document().By
	for _, item := range []his.Item{histest.Message(1), edit, photo, closing} {
		_, err := c.File(t.Context(), item)
		went("file "+string(item.Kind), err)
	}
	if f != nil {
		f.create("Communication", map[string]any{
			"resourceType": "Communication", "status": "completed", "partOf": []any{map[string]any{"reference": f.find("Communication", "")[0]}},
			"sender": map[string]any{"display": "P. Bakker"}, "payload": []any{map[string]any{"contentString": "kanarie"}},
		})
	}
	reference := "Communication/1"
	all, _, err := c.(his.Answerer).Answers(t.Context(), "")
	went("answers", err)
	if f != nil {
		require.Len(t, all, 1)
		reference = all[0].Reference
	}
	for _, how := range []his.Delivery{his.DeliveryReceived, his.DeliveryDelivered} {
		went("report", c.(his.Answerer).Report(t.Context(), his.Report{Reference: reference, Delivery: how, At: time.Now()}))
	}
	open := histest.Conversation()
	went("track", c.(his.Tracker).Track(t.Context(), open, time.Now()))
	_, _, err = c.(his.Tracker).Tracked(t.Context(), "")
	went("tracked", err)
	for _, q := range []his.PatientQuery{{BSN: open.Patient.BSN}, {LastName: open.Patient.LastName, BirthDate: open.Patient.BirthDate}} {
		_, _, err = c.(his.Finder).Find(t.Context(), q)
		went("find", err)
	}
	mistake := histest.Message(5)
	mistake.Kind, mistake.Author = his.KindMistake, his.Author{Name: "P. Bakker", Role: his.RoleHuisarts}
	_, err = c.File(t.Context(), mistake)
	went("file a mistake", err)
}
