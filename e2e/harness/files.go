package harness

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// Names of the federation listener's certificate and key in a server's directory.
const (
	certificateFile    = "tls.crt"
	certificateKeyFile = "tls.key"
)

// writeConfig writes settings as JSON, which every YAML parser reads.
func writeConfig(path string, settings map[string]any) error {
	b, err := json.MarshalIndent(settings, "", "  ")
	if err != nil {
		return fmt.Errorf("encode %s: %w", filepath.Base(path), err)
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	return nil
}

// writeCertificate makes a self-signed certificate for the loopback address.
func writeCertificate(dir string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("make a TLS key: %w", err)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()),
		Subject:      pkix.Name{CommonName: "localhost"},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.AddDate(1, 0, 0),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:     []string{"localhost"},
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return fmt.Errorf("make a TLS certificate: %w", err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("encode the TLS key: %w", err)
	}
	if err := writePEM(filepath.Join(dir, certificateFile), "CERTIFICATE", certificate); err != nil {
		return err
	}
	return writePEM(filepath.Join(dir, certificateKeyFile), "PRIVATE KEY", private)
}

func writePEM(path, kind string, der []byte) error {
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		return fmt.Errorf("write the TLS certificate: %w", err)
	}
	return nil
}

// runTool runs a program to its end. What it says is part of the error, if there is one.
func runTool(ctx context.Context, c Command) error {
	if c.LogFile == "" {
		c.LogFile = filepath.Join(c.Dir, filepath.Base(c.Path)+".log")
	}
	p, err := StartProcess(c)
	if err != nil {
		return err
	}
	select {
	case <-p.Done():
	case <-ctx.Done():
		p.Kill()
		return fmt.Errorf("run %s: %w", filepath.Base(c.Path), ctx.Err())
	}
	if err := p.Wait(); err != nil {
		return fmt.Errorf("run %s: %w: %s", filepath.Base(c.Path), err, p.LogTail())
	}
	return nil
}

// orEmpty is the list, never nil: the servers want [] where Go would write null.
func orEmpty(list []string) []string { return append([]string{}, list...) }
