package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// server serves /livez, /readyz and /metrics until it is closed.
type server struct {
	http *http.Server
	addr net.Addr
	done chan error
}

// newRegistry holds what every program tells about itself; there is no global one.
func newRegistry() *prometheus.Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		collectors.NewBuildInfoCollector(),
	)
	return registry
}

// maxScrapes bounds the scrapes at one time: each gathers all metrics.
const maxScrapes = 4

func handler(health *Health, registry *prometheus.Registry) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { writeResults(w, nil) }) // who can answer, lives
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) { writeResults(w, health.Ready(r.Context())) })
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{Registry: registry, MaxRequestsInFlight: maxScrapes}))
	return mux
}

// serve listens on addr. Nothing that is served needs a password, so an address that others can reach is warned about.
func newServer(ctx context.Context, addr string, h http.Handler, log *slog.Logger) (*server, error) {
	listener, err := listen(ctx, addr, log)
	if err != nil {
		return nil, fmt.Errorf("listen for health and metrics: %w", err)
	}
	if !isLoopback(listener.Addr()) {
		log.Warn("health and metrics can be reached from other machines, without a password", "addr", listener.Addr().String())
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
	go func() { s.done <- s.http.Serve(newConnLimit(listener, maxConns)) }()
	log.Info("serving health and metrics", "addr", s.addr.String())
	return s, nil
}

// listen takes another port where a loopback one is in use: a second process on this machine, a Job beside the service,
// must not be kept from its work by the first one's metrics. An address that others scrape is no such convenience.
func listen(ctx context.Context, addr string, log *slog.Logger) (net.Listener, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", addr)
	if !errors.Is(err, syscall.EADDRINUSE) {
		return listener, err
	}
	tcp, resolveErr := net.ResolveTCPAddr("tcp", addr)
	if resolveErr != nil || !isLoopback(tcp) {
		return nil, err
	}
	tcp.Port = 0
	if listener, err = config.Listen(ctx, "tcp", tcp.String()); err != nil {
		return nil, err
	}
	log.Warn("the address for health and metrics is in use: took another port", "wanted", addr, "addr", listener.Addr().String())
	return listener, nil
}

func isLoopback(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// close lets requests under way finish.
func (s *server) close(ctx context.Context) error {
	err := s.http.Shutdown(ctx)
	if served := <-s.done; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}
