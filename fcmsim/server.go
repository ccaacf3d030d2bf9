package fcmsim

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"

	"fanfare/fcmsim/internal/h2"
)

// Off as an address in Listen means no listener.
const Off = "off"

// Listen has the addresses of a Server, each as host:port. An empty address is a free port of
// 127.0.0.1; Off means no listener.
type Listen struct {
	TLS   string // HTTP/2 and HTTP/1.1 over TLS
	HTTP  string // HTTP/1.1, and HTTP/2 with prior knowledge, without TLS
	Admin string // the admin API, over HTTP without TLS
	// CAFile is where Start writes the PEM certificate of the CA that it makes. Empty is a
	// temporary file that Close removes.
	CAFile string
}

// URLs are the addresses of a Server. Those without a listener are empty.
type URLs struct {
	TLS   string `json:"tls,omitempty"`   // an FCM endpoint: https://127.0.0.1:port/v1
	HTTP  string `json:"http,omitempty"`  // an FCM endpoint: http://127.0.0.1:port/v1
	Token string `json:"token,omitempty"` // the OAuth token endpoint; over HTTP if that listener is on
	Admin string `json:"admin,omitempty"` // http://127.0.0.1:port/admin
}

// Server serves a Simulator until Close, or until the context of Start ends.
type Server struct {
	URLs   URLs
	CAFile string

	simulator *Simulator
	http2     *h2.Server
	servers   []*http.Server
	serving   sync.WaitGroup
	tempDir   string
	closeOnce sync.Once
	closeErr  error
}

// Start listens on all addresses of l and serves until ctx ends or Close is called. All listeners
// accept connections when it returns. An error names the listener that failed, and nothing stays
// open.
func (s *Simulator) Start(ctx context.Context, l Listen) (*Server, error) {
	srv := &Server{simulator: s}
	srv.http2 = h2.NewServer(frontend{s}, h2.Options{
		MaxBody: maxBody, MaxHeader: maxHeader, Preface: headerTimeout, Idle: idleTimeout, Write: writeTimeout, Logger: s.options.Logger,
	})
	if err := srv.start(ctx, l); err != nil {
		return nil, errors.Join(err, srv.Close())
	}
	context.AfterFunc(ctx, func() { _ = srv.Close() })
	return srv, nil
}

func (srv *Server) start(ctx context.Context, l Listen) error {
	s := srv.simulator
	if l.TLS != Off {
		addr, err := srv.startTLS(ctx, l)
		if err != nil {
			return fmt.Errorf("listen for TLS: %w", err)
		}
		srv.URLs.TLS, srv.URLs.Token = "https://"+addr+"/v1", "https://"+addr+"/token"
	}
	if l.HTTP != Off {
		ln, err := listen(ctx, l.HTTP)
		if err != nil {
			return fmt.Errorf("listen for HTTP: %w", err)
		}
		addr := ln.Addr().String()
		srv.serve(newHTTPServer(plainHandler{frontend{s}, srv.http2}, s.options.Logger), newCountingListener(ln, &s.counters, &s.counters.plain))
		srv.URLs.HTTP, srv.URLs.Token = "http://"+addr+"/v1", "http://"+addr+"/token"
	}
	if l.Admin != Off {
		ln, err := listen(ctx, l.Admin)
		if err != nil {
			return fmt.Errorf("listen for the admin API: %w", err)
		}
		srv.URLs.Admin = "http://" + ln.Addr().String() + "/admin"
		server := newHTTPServer(requireLocalHost(ln.Addr(), l.Admin, s.AdminHandler()), s.options.Logger)
		server.ReadTimeout, server.WriteTimeout = bodyTimeout, adminWriteTimeout
		srv.serve(server, newLimitedListener(ln, maxAdminConns))
	}
	return nil
}

func (srv *Server) startTLS(ctx context.Context, l Listen) (string, error) {
	s := srv.simulator
	authority, err := newCertificates()
	if err != nil {
		return "", err
	}
	if err := srv.writeCA(l.CAFile, authority.caPEM); err != nil {
		return "", err
	}
	ln, err := listen(ctx, l.TLS)
	if err != nil {
		return "", err
	}
	greeter, config := newTLSListener(newCountingListener(ln, &s.counters, &s.counters.tls), s, authority)
	server := newHTTPServer(frontend{s}, s.options.Logger)
	server.TLSConfig = config
	server.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){
		"h2": func(_ *http.Server, c *tls.Conn, _ http.Handler) { srv.http2.Serve(c, linkOf(c)) },
	}
	srv.serve(server, greeter)
	return ln.Addr().String(), nil
}

func (srv *Server) writeCA(path string, pem []byte) error {
	if path == "" {
		dir, err := os.MkdirTemp("", "fcmsim-")
		if err != nil {
			return err
		}
		srv.tempDir, path = dir, filepath.Join(dir, "ca.pem")
	}
	srv.CAFile = path
	if err := os.WriteFile(path, pem, 0o644); err != nil {
		return fmt.Errorf("write CA file: %w", err)
	}
	return nil
}

func listen(ctx context.Context, addr string) (net.Listener, error) {
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	return new(net.ListenConfig).Listen(ctx, "tcp", addr)
}

// newHTTPServer makes a server for HTTP/1.1. It sets no timeout for bodies and responses, because a
// rule may delay a response for hours. The handlers set them.
func newHTTPServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		MaxHeaderBytes:    maxHeader,
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		ConnContext:       withConnection,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

func (srv *Server) serve(server *http.Server, ln net.Listener) {
	srv.servers = append(srv.servers, server)
	srv.serving.Go(func() {
		if server.TLSConfig != nil {
			_ = server.ServeTLS(ln, "", "")
			return
		}
		_ = server.Serve(ln)
	})
}

// Close ends all connections at once, including requests that hang. HTTP/2 senders learn by GOAWAY
// which requests were received. Further calls return the same result.
func (srv *Server) Close() error {
	srv.closeOnce.Do(func() {
		var errs []error
		srv.http2.Close() // first, because it sends GOAWAY to its peers
		for _, server := range srv.servers {
			errs = append(errs, server.Close())
		}
		srv.serving.Wait()
		if srv.tempDir != "" {
			errs = append(errs, os.RemoveAll(srv.tempDir))
		}
		srv.closeErr = errors.Join(errs...)
	})
	return srv.closeErr
}
