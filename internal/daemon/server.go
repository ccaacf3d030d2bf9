package daemon

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"fanfare/internal/loopback"
)

// server serves /livez, /readyz and /metrics until it is closed.
type server struct {
	http *http.Server
	addr net.Addr
	done chan error
}

// newRegistry makes a registry with the metrics that every program has. None is global.
func newRegistry() *prometheus.Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		collectors.NewBuildInfoCollector(),
	)
	return registry
}

// maxScrapes limits concurrent scrapes, since each gathers all metrics.
const maxScrapes = 4

func handler(health *Health, registry *prometheus.Registry) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { writeResults(w, nil) }) // a reply proves liveness
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) { writeResults(w, health.Ready(r.Context())) })
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{Registry: registry, MaxRequestsInFlight: maxScrapes}))
	return mux
}

// newServer listens on addr and serves. No password protects it, so it warns if addr is not
// loopback.
func newServer(ctx context.Context, addr string, h http.Handler, log *slog.Logger) (*server, error) {
	listener, err := listen(ctx, addr, log)
	if err != nil {
		return nil, fmt.Errorf("listen for health and metrics: %w", err)
	}
	if !loopback.IsAddr(listener.Addr()) {
		log.Warn("health and metrics are open to other machines without a password", "addr", listener.Addr().String())
	}
	s := &server{
		http: &http.Server{
			Handler:           h,
			MaxHeaderBytes:    8 << 10,
			ReadHeaderTimeout: 5 * time.Second,
			ReadTimeout:       10 * time.Second,
			WriteTimeout:      30 * time.Second,
			IdleTimeout:       2 * time.Minute,
			ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		},
		addr: listener.Addr(),
		done: make(chan error, 1),
	}
	go func() { s.done <- s.http.Serve(LimitConns(listener, maxConns)) }()
	log.Info("serving health and metrics", "addr", s.addr.String())
	return s, nil
}

// listen takes a free port if the given one is in use on loopback. A Job beside a service on one
// machine must not fail because of the service's metrics. A public port must be the one that others
// scrape, so there it fails.
func listen(ctx context.Context, addr string, log *slog.Logger) (net.Listener, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", addr)
	if !errors.Is(err, syscall.EADDRINUSE) {
		return listener, err
	}
	tcp, resolveErr := net.ResolveTCPAddr("tcp", addr)
	if resolveErr != nil || !loopback.IsAddr(tcp) {
		return nil, err
	}
	tcp.Port = 0
	if listener, err = config.Listen(ctx, "tcp", tcp.String()); err != nil {
		return nil, err
	}
	log.Warn("health port in use; took another port", "wanted", addr, "addr", listener.Addr().String())
	return listener, nil
}

// close waits for requests under way.
func (s *server) close(ctx context.Context) error {
	err := s.http.Shutdown(ctx)
	if served := <-s.done; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// maxConns limits the connections to health and metrics. A prober and a scraper need two.
const maxConns = 128

// connLimit closes the oldest connection when there are more than max. A listener that stopped
// accepting would shut out a prober while others hold connections open.
type connLimit struct {
	net.Listener
	max int

	mu    sync.Mutex
	conns *list.List // of *limitedConn, the oldest first
}

// LimitConns returns a listener that closes its oldest connection when there are more than most.
func LimitConns(l net.Listener, most int) net.Listener {
	return &connLimit{Listener: l, max: most, conns: list.New()}
}

// Accept waits for the next connection.
func (l *connLimit) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	limited := &limitedConn{Conn: conn, limit: l}
	if oldest := l.add(limited); oldest != nil {
		_ = oldest.Close() // the least useful one
	}
	return limited, nil
}

// add registers a connection. It returns the oldest if there are too many.
func (l *connLimit) add(conn *limitedConn) (oldest *limitedConn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	conn.element = l.conns.PushBack(conn)
	if l.conns.Len() > l.max {
		oldest, _ = l.conns.Front().Value.(*limitedConn)
	}
	return oldest
}

type limitedConn struct {
	net.Conn
	limit   *connLimit
	element *list.Element
}

// Close closes the connection and no longer counts it.
func (c *limitedConn) Close() error {
	c.limit.mu.Lock()
	c.limit.conns.Remove(c.element) // a second removal does nothing
	c.limit.mu.Unlock()
	return c.Conn.Close()
}
