package daemon

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
)

// defaultRedisDialTimeout is the client's default.
const defaultRedisDialTimeout = 5 * time.Second

type dialFunc func(ctx context.Context, network, addr string) (net.Conn, error)

// redisDialer connects to Redis. Where one side speaks TLS and the other does not, its error says
// so.
type redisDialer struct {
	tls     *tls.Config // nil: plaintext
	timeout time.Duration
	connect dialFunc

	mu      sync.Mutex
	stalled map[string]handshakeStall
}

// handshakeStall is a TLS handshake without a reply. The client dials five times for one command.
// Until the stall ends, dials to the same address fail at once.
type handshakeStall struct {
	err  error
	ends time.Time
}

func newRedisDialer(config *tls.Config, timeout time.Duration) *redisDialer {
	if timeout <= 0 {
		timeout = defaultRedisDialTimeout
	}
	return &redisDialer{
		tls: config, timeout: timeout, stalled: map[string]handshakeStall{},
		connect: redis.NewDialer(&redis.Options{DialTimeout: timeout}),
	}
}

func (d *redisDialer) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	if err := d.stallError(addr); err != nil {
		return nil, err
	}
	conn, err := d.connect(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	if d.tls == nil {
		return d.watchPlaintext(ctx, conn, network, addr), nil
	}
	handshakeCtx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	secured := tls.Client(conn, d.tlsConfigFor(addr))
	if err = secured.HandshakeContext(handshakeCtx); err == nil {
		return secured, nil
	}
	_ = conn.Close()
	if errors.Is(err, context.DeadlineExceeded) {
		err = d.recordStall(ctx, network, addr, err)
	}
	return nil, err
}

// tlsConfigFor sets the host name to verify, unless the settings name one.
func (d *redisDialer) tlsConfigFor(addr string) *tls.Config {
	if d.tls.ServerName != "" {
		return d.tls
	}
	config := d.tls.Clone()
	if host, _, err := net.SplitHostPort(addr); err == nil {
		config.ServerName = host
	}
	return config
}

func (d *redisDialer) stallError(addr string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if s := d.stalled[addr]; time.Now().Before(s.ends) {
		return s.err
	}
	return nil
}

// recordStall returns the error of a handshake without a reply, and remembers it. A Redis without
// TLS waits for the end of a line. If it replies to a plaintext PING, the settings are wrong.
// Silence may be an outage.
func (d *redisDialer) recordStall(ctx context.Context, network, addr string, err error) error {
	if d.speaksPlaintext(ctx, network, addr) {
		err = tls.RecordHeaderError{Msg: "the server replied in plaintext"}
	}
	err = fmt.Errorf("no TLS handshake with %s: does this port speak TLS? %w", addr, err)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stalled[addr] = handshakeStall{err, time.Now().Add(d.timeout)}
	return err
}

// probe opens another connection with a timeout of its own.
func (d *redisDialer) probe(ctx context.Context, network, addr string, ask func(context.Context, net.Conn) bool) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), min(d.timeout, time.Second))
	defer cancel()
	conn, err := d.connect(ctx, network, addr)
	if err != nil {
		return false
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	return ask(ctx, conn)
}

func (d *redisDialer) speaksPlaintext(ctx context.Context, network, addr string) bool {
	return d.probe(ctx, network, addr, func(_ context.Context, conn net.Conn) bool {
		if _, err := io.WriteString(conn, "PING\r\n"); err != nil {
			return false
		}
		var first [1]byte
		_, err := io.ReadFull(conn, first[:])
		return err == nil && (first[0] == '+' || first[0] == '-') // +PONG, or -NOAUTH
	})
}

// speaksTLS reports whether the server takes part in a handshake, even if it refuses it.
func (d *redisDialer) speaksTLS(ctx context.Context, network, addr string) bool {
	return d.probe(ctx, network, addr, func(ctx context.Context, conn net.Conn) bool {
		err := tls.Client(conn, &tls.Config{MinVersion: tls.VersionTLS12, ServerName: "redis"}).HandshakeContext(ctx)
		_, untrusted := errors.AsType[*tls.CertificateVerificationError](err)
		refusal, refused := errors.AsType[*net.OpError](err)
		return err == nil || untrusted || refused && refusal.Op == "remote error" // an alert
	})
}

// rawConn lets the client check whether a server has closed an idle connection.
type rawConn interface {
	net.Conn
	syscall.Conn
}

// plaintextConn is a connection without TLS. If it ends before the first read, the port may be for
// TLS.
type plaintextConn struct {
	rawConn
	addr      string
	speaksTLS func() bool
	hasRead   bool  // the client reads from one goroutine at a time
	tlsError  error // kept, because the client reads again after an error
}

func (d *redisDialer) watchPlaintext(ctx context.Context, conn net.Conn, network, addr string) net.Conn {
	raw, ok := conn.(rawConn)
	if !ok {
		return conn
	}
	return &plaintextConn{rawConn: raw, addr: addr, speaksTLS: func() bool { return d.speaksTLS(ctx, network, addr) }}
}

// Read looks for TLS when the first reply is the end of the connection, or not from Redis.
func (c *plaintextConn) Read(into []byte) (int, error) {
	if c.tlsError != nil {
		return 0, c.tlsError
	}
	n, err := c.rawConn.Read(into)
	first := !c.hasRead
	c.hasRead = true
	if first && (n > 0 && into[0] == tlsAlert || n == 0 && isClosed(err) && c.speaksTLS()) {
		err = WithExitCode(ExitUsage, fmt.Errorf("%s speaks TLS: use rediss://, or set redis.tls.enabled", c.addr))
		c.tlsError = fmt.Errorf("connect: %w", err) // the client drops the outermost layer in a greeting
		return 0, c.tlsError
	}
	return n, err
}

// tlsAlert is the first byte of a TLS server's reply to plaintext. No reply of Redis begins with
// it.
const tlsAlert = 0x15

func isClosed(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET)
}
