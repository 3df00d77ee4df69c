package rest_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/his/rest"
)

// ask makes one request and gives what the server saw of who we are.
func ask(t testing.TB, c *rest.Client) error {
	t.Helper()
	_, err := c.Do(t.Context(), rest.Request{Method: "GET", Path: "Task/1"})
	return err
}

func TestFixedLogins(t *testing.T) {
	for _, tt := range []struct {
		name string
		auth rest.Auth
		want string
	}{
		{"none", rest.Auth{}, ""},
		{"a user and a password", rest.Auth{Type: "basic", ClientID: "chat", SecretFile: secret(t, "pw\n")}, "Basic Y2hhdDpwdw=="},
		{"a token", rest.Auth{Type: "bearer", SecretFile: secret(t, " token\n")}, "Bearer token"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, says(200, rest.MediaType, "{}"))
			require.NoError(t, ask(t, client(t, rest.Settings{Base: s.URL, Auth: tt.auth})))
			assert.Equal(t, tt.want, s.asked[0].Header.Get("Authorization"))
		})
	}
}

func TestALoginThatCannotBe(t *testing.T) {
	_, err := rest.New(rest.Settings{Base: "https://his.example", Auth: rest.Auth{Type: "kerberos"}})
	require.Error(t, err)
	for _, file := range []string{filepath.Join(t.TempDir(), "none"), secret(t, " \n")} {
		s := serve(t, says(200, rest.MediaType, "{}"))
		require.Error(t, ask(t, client(t, rest.Settings{Base: s.URL, Auth: rest.Auth{Type: "bearer", SecretFile: file}})))
		assert.Empty(t, s.asked, "nothing is sent without the login")
	}
}

// issuer gives tokens that last so many seconds.
func issuer(t testing.TB, lasts int) *server {
	t.Helper()
	n := 0
	return serve(t, func(w http.ResponseWriter, _ *http.Request) {
		n++
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"access_token":"token-%d","token_type":"Bearer","expires_in":%d}`, n, lasts)
	})
}

// guarded lets only a token in.
func guarded(t testing.TB, token *string) *server {
	t.Helper()
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", rest.MediaType)
		if r.Header.Get("Authorization") != "Bearer "+*token {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		io.WriteString(w, "{}") //nolint:errcheck // a test
	})
}

func TestATokenIsKeptAndRenewedOnceWhenItIsRefused(t *testing.T) {
	tokens := issuer(t, 3600)
	good := "token-1"
	s := guarded(t, &good)
	c := client(t, rest.Settings{Base: s.URL, Auth: rest.Auth{Type: "oauth2", ClientID: "chat", SecretFile: secret(t, "s3cret"), TokenURL: tokens.URL, Scope: "system/*.cruds"}})
	require.NoError(t, ask(t, c))
	require.NoError(t, ask(t, c))
	require.Len(t, tokens.asked, 1)
	form, err := url.ParseQuery(tokens.bodies[0])
	require.NoError(t, err)
	assert.Equal(t, url.Values{"grant_type": {"client_credentials"}, "client_id": {"chat"}, "client_secret": {"s3cret"}, "scope": {"system/*.cruds"}}, form)
	good = "token-2" // the first was taken back
	require.NoError(t, ask(t, c))
	assert.Len(t, tokens.asked, 2)
	good = "never"
	require.ErrorIs(t, ask(t, c), rest.CodeLogin)
	assert.Len(t, tokens.asked, 3, "once, and not for ever")
}

func TestATokenThatDoesNotLastIsUsedOnce(t *testing.T) {
	tokens := issuer(t, 30)
	s := serve(t, says(200, rest.MediaType, "{}"))
	c := client(t, rest.Settings{Base: s.URL, Auth: rest.Auth{Type: "oauth2", ClientID: "chat", SecretFile: secret(t, "x"), TokenURL: tokens.URL}})
	require.NoError(t, ask(t, c))
	require.NoError(t, ask(t, c))
	assert.Equal(t, "Bearer token-2", s.asked[1].Header.Get("Authorization"))
}

func TestATokensServerThatIsDownSaysNothingAboutUs(t *testing.T) {
	for status, code := range map[int]rest.Code{429: rest.CodeBusy, 503: rest.CodeBusy, 502: rest.CodeBroken, 403: rest.CodeLogin} {
		tokens := serve(t, says(status, "application/json", "{}"))
		s := serve(t, says(200, rest.MediaType, "{}"))
		err := ask(t, client(t, rest.Settings{Base: s.URL, Auth: rest.Auth{Type: "oauth2", SecretFile: secret(t, "x"), TokenURL: tokens.URL}}))
		var answered *rest.Error
		require.ErrorAs(t, err, &answered)
		assert.Equal(t, code, answered.Code, "%d", status)
		assert.True(t, answered.Strange, "it is not the HIS that says so")
		assert.True(t, rest.Untaken(err), "nothing was sent to the HIS")
	}
}

func TestNoTokenIsAnErrorWithoutTheServersWords(t *testing.T) {
	for _, answer := range []http.HandlerFunc{
		says(400, "application/json", `{"error":"invalid_client","error_description":"s3cret"}`),
		says(200, "text/html", "<html>"), says(200, "application/json", `{"access_token":"x","token_type":"mac"}`),
	} {
		tokens := serve(t, answer)
		s := serve(t, says(200, rest.MediaType, "{}"))
		err := ask(t, client(t, rest.Settings{Base: s.URL, Auth: rest.Auth{Type: "oauth2", SecretFile: secret(t, "s3cret"), TokenURL: tokens.URL}}))
		require.ErrorIs(t, err, rest.CodeLogin)
		assert.NotContains(t, err.Error(), "s3cret")
		assert.Empty(t, s.asked)
	}
}

func pemOf(t testing.TB, kind string, der []byte, err error) string {
	t.Helper()
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// SMART Backend Services: the assertion is read by a library, with the public key.
func TestAKeyProvesWhoWeAre(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	ecKey, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(rsaKey)
	ec, errEC := x509.MarshalECPrivateKey(ecKey)
	for _, tt := range []struct {
		name, pem, alg string
		public         any
	}{
		{"RSA", pemOf(t, "PRIVATE KEY", pkcs8, err), "RS384", &rsaKey.PublicKey},
		{"EC", pemOf(t, "EC PRIVATE KEY", ec, errEC), "ES384", &ecKey.PublicKey},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tokens := issuer(t, 300)
			s := serve(t, says(200, rest.MediaType, "{}"))
			c := client(t, rest.Settings{Base: s.URL, Auth: rest.Auth{Type: "smart", ClientID: "chat", KeyID: "key-1", SecretFile: secret(t, tt.pem), TokenURL: tokens.URL}})
			require.NoError(t, ask(t, c))
			form, err := url.ParseQuery(tokens.bodies[0])
			require.NoError(t, err)
			assert.Equal(t, "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", form.Get("client_assertion_type"))
			var claims jwt.RegisteredClaims
			read, err := jwt.ParseWithClaims(form.Get("client_assertion"), &claims, func(*jwt.Token) (any, error) { return tt.public, nil },
				jwt.WithValidMethods([]string{tt.alg}), jwt.WithAudience(tokens.URL), jwt.WithIssuer("chat"), jwt.WithSubject("chat"), jwt.WithExpirationRequired())
			require.NoError(t, err)
			assert.Equal(t, "key-1", read.Header["kid"])
			assert.NotEmpty(t, claims.ID)
			assert.LessOrEqual(t, claims.ExpiresAt.Sub(claims.IssuedAt.Time), 5*time.Minute)
		})
	}
	s := serve(t, says(200, rest.MediaType, "{}"))
	require.Error(t, ask(t, client(t, rest.Settings{Base: s.URL, Auth: rest.Auth{Type: "smart", SecretFile: secret(t, "no key"), TokenURL: s.URL}})))
}

// certificate makes one that is its own authority.
func certificate(t testing.TB) (certFile, keyFile string, pool *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "spreekkamer"}, NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	certFile = secret(t, pemOf(t, "CERTIFICATE", der, err))
	private, err := x509.MarshalPKCS8PrivateKey(key)
	keyFile = secret(t, pemOf(t, "PRIVATE KEY", private, err))
	parsed, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	pool = x509.NewCertPool()
	pool.AddCert(parsed)
	return certFile, keyFile, pool
}

func TestBothSidesShowTheirCertificate(t *testing.T) {
	certFile, keyFile, pool := certificate(t)
	s := httptest.NewUnstartedServer(says(200, rest.MediaType, "{}"))
	s.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool}
	s.StartTLS()
	defer s.Close()
	ca := secret(t, pemOf(t, "CERTIFICATE", s.Certificate().Raw, nil))
	require.NoError(t, ask(t, client(t, rest.Settings{Base: s.URL, TLS: rest.TLS{CAFile: ca, CertFile: certFile, KeyFile: keyFile}})))
	require.Error(t, ask(t, client(t, rest.Settings{Base: s.URL, TLS: rest.TLS{CAFile: ca}})), "without ours we are not let in")
	require.Error(t, ask(t, client(t, rest.Settings{Base: s.URL, TLS: rest.TLS{CertFile: certFile, KeyFile: keyFile}})), "a server that nobody we trust knows is not talked to")
	for _, wrong := range []rest.TLS{{CAFile: keyFile}, {CAFile: "none"}, {CertFile: certFile, KeyFile: "none"}} {
		_, err := rest.New(rest.Settings{Base: s.URL, TLS: wrong})
		require.Error(t, err)
	}
}

func TestOldTLSIsRefused(t *testing.T) {
	s := httptest.NewUnstartedServer(says(200, rest.MediaType, "{}"))
	s.TLS = &tls.Config{MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}
	s.Config.ErrorLog = nil
	s.StartTLS()
	defer s.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(ca, []byte(pemOf(t, "CERTIFICATE", s.Certificate().Raw, nil)), 0o600))
	err := ask(t, client(t, rest.Settings{Base: s.URL, TLS: rest.TLS{CAFile: ca}}))
	assert.ErrorContains(t, err, "protocol version")
}
