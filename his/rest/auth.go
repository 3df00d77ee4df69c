package rest

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
)

// Auth is how we log in. A certificate of ours (TLS) can come with each of them.
type Auth struct {
	Type       string // one of Logins
	ClientID   string // basic: the user; oauth2, smart: the client
	SecretFile string // basic: password, bearer: token, oauth2: client secret, smart: private key in PEM
	KeyID      string // smart: the key's name in our key set at the server
	TokenURL   string // oauth2, smart
	Scope      string // oauth2, smart
}

// Login signs requests.
type Login interface {
	sign(ctx context.Context, req *http.Request) error
	expire() bool // forgets what was refused; false: there is nothing to renew
}

// logins by Auth.Type.
var logins = map[string]func(Auth, *http.Client) Login{
	"none": func(Auth, *http.Client) Login { return none{} },
	"basic": func(a Auth, _ *http.Client) Login {
		return &fixed{a, func(r *http.Request, s string) { r.SetBasicAuth(a.ClientID, s) }}
	},
	"bearer": func(a Auth, _ *http.Client) Login { return &fixed{a, bearer} },
	"oauth2": func(a Auth, c *http.Client) Login { return &tokens{auth: a, http: c, prove: clientSecret} },
	"smart":  func(a Auth, c *http.Client) Login { return &tokens{auth: a, http: c, prove: clientAssertion} },
}

func (a Auth) login(c *http.Client) (Login, error) {
	if a.Type == "" {
		a.Type = "none"
	}
	open, known := logins[a.Type]
	if !known {
		return nil, fmt.Errorf("login %q: we know none, basic, bearer, oauth2 and smart", a.Type)
	}
	return open(a, c), nil
}

func bearer(r *http.Request, token string) { r.Header.Set("Authorization", "Bearer "+token) }

type none struct{}

func (none) sign(context.Context, *http.Request) error { return nil }
func (none) expire() bool                              { return false }

// fixed is a secret from a file, read anew for each request: it may be replaced at any time.
type fixed struct {
	auth Auth
	put  func(*http.Request, string)
}

func (f *fixed) sign(_ context.Context, req *http.Request) error {
	secret, err := f.auth.secret()
	if err == nil {
		f.put(req, strings.TrimSpace(string(secret)))
	}
	return err
}

func (f *fixed) expire() bool { return false }

func (a Auth) secret() ([]byte, error) {
	secret, err := os.ReadFile(a.SecretFile)
	if err == nil && len(bytes.TrimSpace(secret)) == 0 {
		err = errors.New("the file with the secret is empty")
	}
	return secret, err
}

// tokens are fetched from an OAuth 2 token endpoint (RFC 6749, 4.4) and kept until a minute
// before they run out.
type tokens struct {
	auth  Auth
	http  *http.Client
	prove func(Auth, url.Values) error

	mu    sync.Mutex
	token string
	until time.Time
}

func (t *tokens) sign(ctx context.Context, req *http.Request) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.token == "" || time.Now().After(t.until) {
		if err := t.fetch(ctx); err != nil {
			return err
		}
	}
	bearer(req, t.token)
	return nil
}

func (t *tokens) expire() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.token = ""
	return true
}

func (t *tokens) fetch(ctx context.Context) error {
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {t.auth.Scope}}
	if err := t.prove(t.auth, form); err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.auth.TokenURL, strings.NewReader(form.Encode()))
	if err != nil {
		return errors.New("the token's address is no URL")
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	resp, err := t.http.Do(req)
	if err != nil {
		return bare(Request{Method: "POST", Path: "token"}, err)
	}
	defer resp.Body.Close()
	var answer struct {
		Token   string      `json:"access_token"`
		Type    string      `json:"token_type"`
		Expires json.Number `json:"expires_in"`
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil || resp.StatusCode != http.StatusOK || json.Unmarshal(body, &answer) != nil ||
		answer.Token == "" || !strings.EqualFold(answer.Type, "bearer") {
		return &Error{Status: resp.StatusCode, Code: tokenCode(resp.StatusCode), Retry: retryAfter(resp.Header.Get("Retry-After")), Strange: true}
	}
	seconds, _ := answer.Expires.Int64()
	t.token, t.until = answer.Token, time.Now().Add(time.Duration(seconds)*time.Second-time.Minute)
	if seconds <= 60 { // shorter than our margin, or not said: use it once
		t.until = time.Now()
	}
	return nil
}

// tokenCode is what a token's server means by a status. That it has no time, or failed, says nothing about us.
func tokenCode(status int) Code {
	switch {
	case status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable:
		return CodeBusy
	case status >= 500:
		return CodeBroken
	}
	return CodeLogin
}

func clientSecret(a Auth, form url.Values) error {
	secret, err := a.secret()
	form.Set("client_id", a.ClientID)
	form.Set("client_secret", strings.TrimSpace(string(secret)))
	return err
}

// clientAssertion proves who we are with a key: SMART Backend Services, "Client
// Authentication: Asymmetric" (private_key_jwt), RS384 or ES384, five minutes at most.
func clientAssertion(a Auth, form url.Values) error {
	pem, err := a.secret()
	if err != nil {
		return err
	}
	var key any
	method := jwt.SigningMethod(jwt.SigningMethodRS384)
	if key, err = jwt.ParseRSAPrivateKeyFromPEM(pem); err != nil {
		method = jwt.SigningMethodES384
		if key, err = jwt.ParseECPrivateKeyFromPEM(pem); err != nil {
			return errors.New("the file with the private key holds no RSA or EC key in PEM")
		}
	}
	now := time.Now()
	token := jwt.NewWithClaims(method, jwt.RegisteredClaims{
		Issuer: a.ClientID, Subject: a.ClientID, Audience: jwt.ClaimStrings{a.TokenURL}, ID: uuid.NewString(),
		IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(4 * time.Minute)),
	})
	token.Header["kid"] = a.KeyID
	signed, err := token.SignedString(key)
	if err != nil {
		return errors.New("the private key cannot sign: for an EC key the curve is P-384")
	}
	form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
	form.Set("client_assertion", signed)
	return nil
}

// TLS is whom we trust, and the certificate that we show.
type TLS struct {
	CAFile   string // certificates that we trust instead of the system's; "": the system's
	CertFile string // ours (mTLS); "": none
	KeyFile  string // its private key
}

func (t TLS) transport() (*http.Transport, error) {
	settings := &tls.Config{MinVersion: tls.VersionTLS12}
	if t.CAFile != "" {
		pem, err := os.ReadFile(t.CAFile)
		settings.RootCAs = x509.NewCertPool()
		if err != nil || !settings.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("no certificates in %s: %w", t.CAFile, errors.Join(err))
		}
	}
	if t.CertFile != "" {
		if _, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile); err != nil {
			return nil, fmt.Errorf("our certificate: %w", err)
		}
		settings.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			pair, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile) // it may have been renewed
			return &pair, err
		}
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = settings
	transport.MaxIdleConnsPerHost = 8
	return transport, nil
}
