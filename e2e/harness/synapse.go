package harness

import (
	"context"
	_ "embed"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"
)

// synapse is Synapse as one process, with SQLite or PostgreSQL.
type synapse struct{}

const (
	synapseConfig       = "homeserver.yaml"
	synapseDatabaseFile = "homeserver.db"
	// unlimited is a rate no test reaches.
	unlimited = 9999
)

// synapseModule makes Synapse run its own job for redacted content more often.
//
//go:embed harness_censor.py
var synapseModule []byte

func (synapse) configure(_ context.Context, h *Homeserver) error {
	settings, err := synapseSettings(h)
	if err != nil {
		return err
	}
	if h.address.TLSPort != 0 {
		if err := writeCertificate(h.Dir); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(h.Dir, "harness_censor.py"), synapseModule, 0o600); err != nil {
		return fmt.Errorf("write the module: %w", err)
	}
	return writeConfig(filepath.Join(h.Dir, synapseConfig), settings)
}

func (synapse) command(h *Homeserver) (Command, error) {
	python, err := Tool("venv", "bin", "python")
	if err != nil {
		return Command{}, err
	}
	return Command{
		Path: python,
		Args: []string{"-m", "synapse.app.homeserver", "--config-path", synapseConfig},
		Env:  []string{"PYTHONPATH=" + h.Dir},
	}, nil
}

// makeAdmin uses the admin API: a change in the database would be cached away.
func (synapse) makeAdmin(ctx context.Context, h *Homeserver, userID string) error {
	token, err := h.adminToken(ctx)
	if err != nil {
		return err
	}
	path := "/_synapse/admin/v1/users/" + url.PathEscape(userID) + "/admin"
	return h.request(ctx, http.MethodPut, path, token, map[string]any{"admin": true}, nil)
}

func (synapse) scrub(ctx context.Context, h *Homeserver) error {
	if h.opts.PostgresURI != "" {
		return scrubPostgres(ctx, h.opts.PostgresURI)
	}
	return scrubSQLite(ctx, filepath.Join(h.DataDirs.Database, synapseDatabaseFile))
}

func synapseSettings(h *Homeserver) (map[string]any, error) {
	database, err := synapseDatabase(h)
	if err != nil {
		return nil, err
	}
	every := h.opts.CensorEvery
	if every == 0 {
		every = time.Second
	}
	s := map[string]any{
		"server_name":                    h.ServerName,
		"report_stats":                   false,
		"public_baseurl":                 h.URL + "/",
		"pid_file":                       filepath.Join(h.Dir, "homeserver.pid"),
		"signing_key_path":               filepath.Join(h.Dir, "signing.key"),
		"media_store_path":               h.DataDirs.Media,
		"listeners":                      synapseListeners(h),
		"database":                       database,
		"registration_shared_secret":     h.secret,
		"macaroon_secret_key":            h.secret,
		"form_secret":                    h.secret,
		"trusted_key_servers":            []any{},
		"suppress_key_server_warning":    true,
		"bcrypt_rounds":                  4,
		"app_service_config_files":       orEmpty(h.opts.Registrations),
		"redaction_retention_period":     0,
		"enable_search":                  false,
		"presence":                       map[string]any{"enabled": false},
		"ip_range_blacklist":             []any{},
		"federation_verify_certificates": false,
		"max_upload_size":                "50M",
		"caches":                         map[string]any{"cache_entry_ttl": "10s"},
		"modules": []any{map[string]any{
			"module": "harness_censor.Censor",
			"config": map[string]any{"every_ms": every.Milliseconds()},
		}},
	}
	if h.address.TLSPort != 0 {
		s["tls_certificate_path"] = filepath.Join(h.Dir, certificateFile)
		s["tls_private_key_path"] = filepath.Join(h.Dir, certificateKeyFile)
	}
	for name, limit := range synapseLimits() {
		s[name] = limit
	}
	return s, nil
}

func synapseListeners(h *Homeserver) []any {
	listener := func(port int, tls bool, names ...string) map[string]any {
		return map[string]any{
			"port": port, "type": "http", "tls": tls, "bind_addresses": []string{"127.0.0.1"},
			"resources": []any{map[string]any{"names": names, "compress": false}},
		}
	}
	all := []any{listener(h.address.Port, false, "client")}
	if h.address.TLSPort != 0 {
		all = append(all, listener(h.address.TLSPort, true, "federation"))
	}
	return all
}

func synapseDatabase(h *Homeserver) (map[string]any, error) {
	if h.opts.PostgresURI == "" {
		return map[string]any{
			"name": "sqlite3",
			"args": map[string]any{"database": filepath.Join(h.DataDirs.Database, synapseDatabaseFile)},
		}, nil
	}
	u, err := url.Parse(h.opts.PostgresURI)
	if err != nil {
		return nil, fmt.Errorf("database URI: %w", err)
	}
	return map[string]any{
		"name": "psycopg2",
		"args": map[string]any{"dsn": u.String(), "cp_min": 2, "cp_max": 10},
	}, nil
}

// synapseLimits switches every rate limit off; the usual ones stop a test after ten messages.
func synapseLimits() map[string]any {
	rate := map[string]any{"per_second": unlimited, "burst_count": unlimited}
	each := func(names ...string) map[string]any {
		m := map[string]any{}
		for _, name := range names {
			m[name] = rate
		}
		return m
	}
	return map[string]any{
		"rc_message":        rate,
		"rc_registration":   rate,
		"rc_room_creation":  rate,
		"rc_joins_per_room": rate,
		"rc_login":          each("address", "account", "failed_attempts"),
		"rc_joins":          each("local", "remote"),
		"rc_invites":        each("per_room", "per_user", "per_issuer"),
	}
}
