package daemon

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"

	"fanfare/test/servers"
)

// The error differs from an outage, because no restart cures it.
func TestErrorSaysThatOnlyOneSideSpeaksTLS(t *testing.T) {
	secured, err := miniredis.RunTLS(&tls.Config{Certificates: []tls.Certificate{servers.NewCertificate(t, "redis.test").Pair}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(secured.Close)
	inClear, limited := servers.Redis(t), servers.Redis(t, "--requirepass", "secret")
	silent := answerEach(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
	closing := answerEach(t, func(conn net.Conn) { _, _ = conn.Read(make([]byte, 512)) })
	refusing := answerEach(t, func(conn net.Conn) {
		_, _ = conn.Read(make([]byte, 512))
		_, _ = conn.Write([]byte{tlsAlert, 3, 1, 0, 2, 2, 70})
	})
	for name, c := range map[string]struct {
		url, says string
		settings  bool // the settings are wrong
	}{
		"TLS to a port in clear":        {"rediss://" + inClear, "no TLS handshake with " + inClear + ": does this port speak TLS?", true},
		"TLS to one with a password":    {"rediss://" + limited, "no TLS handshake with " + limited + ": does this port speak TLS?", true},
		"TLS to a silent port":          {"rediss://" + silent, "no TLS handshake with " + silent + ": does this port speak TLS?", false},
		"clear to a port for TLS":       {"redis://" + secured.Addr(), secured.Addr() + " speaks TLS: use rediss://", true},
		"clear to one with an alert":    {"redis://" + refusing, refusing + " speaks TLS: use rediss://", true},
		"clear to a port that hangs up": {"redis://" + closing, "EOF", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := ping(t, RedisOptions{URL: c.url, DialTimeout: 300 * time.Millisecond})
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("got %v, want %q", err, c.says)
			}
			_, plain := errors.AsType[tls.RecordHeaderError](err)
			if settings := plain || ExitCode(err) == ExitUsage; settings != c.settings {
				t.Errorf("%v is blamed on the settings: %t", err, settings)
			}
		})
	}
}

// answerEach calls answer for each connection, then closes it.
func answerEach(t *testing.T, answer func(net.Conn)) string {
	t.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				answer(conn)
			}()
		}
	}()
	return listener.Addr().String()
}

// The client dials five times for each command.
func TestASilentPortCostsOneDialTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dials := 0
		d := newRedisDialer(&tls.Config{MinVersion: tls.VersionTLS12}, 0)
		d.connect = func(context.Context, string, string) (net.Conn, error) {
			dials++
			ours, theirs := net.Pipe()
			go func() { _, _ = io.Copy(io.Discard, theirs) }()
			return ours, nil
		}
		began := time.Now()
		for range 5 {
			if _, err := d.dial(t.Context(), "tcp", "h:1"); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
		}
		if took := time.Since(began); took != defaultRedisDialTimeout+time.Second || dials != 2 {
			t.Errorf("%s and %d connections, want one handshake and one question in clear", took, dials)
		}
		if _, err := d.dial(t.Context(), "tcp", "h:2"); err == nil || dials != 4 {
			t.Errorf("another address: %v after %d connections", err, dials)
		}
		if _, err := d.dial(t.Context(), "tcp", "h:1"); err == nil || dials != 6 {
			t.Errorf("later: %v after %d connections", err, dials)
		}
	})
}

// A dial that was cancelled says nothing about the address.
func TestAStopIsNoStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newRedisDialer(&tls.Config{MinVersion: tls.VersionTLS12}, time.Minute)
		d.connect = func(context.Context, string, string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			go func() { _, _ = io.Copy(io.Discard, theirs) }()
			return ours, nil
		}
		ctx, stop := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, stop)
		if _, err := d.dial(ctx, "tcp", "h:1"); !errors.Is(err, context.Canceled) || len(d.stalled) != 0 {
			t.Errorf("got %v, and stalls %v", err, d.stalled)
		}
	})
}
