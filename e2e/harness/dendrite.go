package harness

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	_ "github.com/mattn/go-sqlite3" // for makeAdmin
)

// dendrite is Dendrite with SQLite databases and its built-in message queue.
type dendrite struct{}

const dendriteConfig = "dendrite.yaml"

func (dendrite) configure(ctx context.Context, h *Homeserver) error {
	if err := writeConfig(filepath.Join(h.Dir, dendriteConfig), dendriteSettings(h)); err != nil {
		return err
	}
	if h.address.TLSPort != 0 {
		if err := writeCertificate(h.Dir); err != nil {
			return err
		}
	}
	return dendriteKey(ctx, h.Dir)
}

// dendriteKey makes the signing key, once.
func dendriteKey(ctx context.Context, dir string) error {
	const name = "matrix_key.pem"
	if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
		return nil
	}
	tool, err := Tool("bin", "generate-keys")
	if err != nil {
		return err
	}
	return runTool(ctx, Command{Path: tool, Args: []string{"--private-key", name}, Dir: dir})
}

func (dendrite) command(h *Homeserver) (Command, error) {
	path, err := Tool("bin", "dendrite")
	if err != nil {
		return Command{}, err
	}
	args := []string{"--config", dendriteConfig, "--http-bind-address", "127.0.0.1:" + strconv.Itoa(h.address.Port)}
	if h.address.TLSPort != 0 {
		args = append(args, "--https-bind-address", "127.0.0.1:"+strconv.Itoa(h.address.TLSPort),
			"--tls-cert", certificateFile, "--tls-key", certificateKeyFile)
	}
	return Command{Path: path, Args: args}, nil
}

// makeAdmin writes to the accounts table: Dendrite has no request for it. The rights hold for
// whoever logs in from then on.
func (dendrite) makeAdmin(ctx context.Context, h *Homeserver, userID string) error {
	db, err := sql.Open("sqlite3", filepath.Join(h.DataDirs.Database, "userapi.db")+"?_busy_timeout=10000")
	if err != nil {
		return err
	}
	defer db.Close()
	localpart, server, err := splitUserID(userID)
	if err != nil {
		return err
	}
	const admin = 3
	result, err := db.ExecContext(ctx,
		"UPDATE userapi_accounts SET account_type = $1 WHERE localpart = $2 AND server_name = $3", admin, localpart, server)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n != 1 {
		return fmt.Errorf("no such account (%d rows): %w", n, err)
	}
	return nil
}

// scrub has nothing to do: SQLite overwrites what is deleted, and keeps no write-ahead log.
func (dendrite) scrub(context.Context, *Homeserver) error { return nil }

func dendriteSettings(h *Homeserver) map[string]any {
	return map[string]any{
		"version": 2,
		"global":  dendriteGlobal(h),
		"app_service_api": map[string]any{
			"database":     dendriteDatabase(h, "appservice"),
			"config_files": orEmpty(h.opts.Registrations),
		},
		"client_api": map[string]any{
			"registration_disabled":      true,
			"registration_shared_secret": h.secret,
			"rate_limiting":              map[string]any{"enabled": false},
		},
		"federation_api": map[string]any{
			"database":               dendriteDatabase(h, "federationapi"),
			"disable_tls_validation": true,
			"prefer_direct_fetch":    true,
			"key_perspectives":       []string{},
			"deny_networks":          []string{},
			"allow_networks":         []string{"127.0.0.0/8", "::1/128"},
		},
		"key_server": map[string]any{"database": dendriteDatabase(h, "keyserver")},
		"media_api": map[string]any{
			"database":            dendriteDatabase(h, "mediaapi"),
			"base_path":           h.DataDirs.Media,
			"max_file_size_bytes": 50 << 20,
		},
		"mscs":        map[string]any{"database": dendriteDatabase(h, "mscs")},
		"relay_api":   map[string]any{"database": dendriteDatabase(h, "relayapi")},
		"room_server": map[string]any{"database": dendriteDatabase(h, "roomserver")},
		"sync_api": map[string]any{
			"database": dendriteDatabase(h, "syncapi"),
			"search":   map[string]any{"enabled": false},
		},
		"user_api": map[string]any{
			"account_database": dendriteDatabase(h, "userapi"),
			"bcrypt_cost":      4,
		},
		"logging": []any{map[string]any{"type": "std", "level": "info"}},
	}
}

func dendriteGlobal(h *Homeserver) map[string]any {
	return map[string]any{
		"server_name":                    h.ServerName,
		"private_key":                    "matrix_key.pem",
		"disable_federation":             h.address.TLSPort == 0,
		"trusted_third_party_id_servers": []string{},
		"jetstream":                      map[string]any{"storage_path": filepath.Join(h.Dir, "jetstream")},
		"presence":                       map[string]any{"enable_inbound": false, "enable_outbound": false},
		"report_stats":                   map[string]any{"enabled": false},
		"cache":                          map[string]any{"max_size_estimated": "64mb", "max_age": "1h"},
	}
}

// dendriteDatabase is the SQLite database of one component. Dendrite keeps only the path of
// the URI and drops the query; written as %3F, the question mark is part of the path until
// Dendrite has decoded it, and the SQLite driver sees the option. Without secure_delete, what
// was redacted stays in the free space of the file.
func dendriteDatabase(h *Homeserver, component string) map[string]any {
	return map[string]any{"connection_string": "file://" + filepath.Join(h.DataDirs.Database, component+".db") + "%3F_secure_delete=on"}
}
