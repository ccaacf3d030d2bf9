// Package fcm sends messages through Firebase Cloud Messaging. It checks a campaign's message,
// sends each copy with exactly one request, and classifies the answer by FCM's rules.
//
// Parse reads a message (message.go, read.go) against FCM's schema (schema.go, checks.go). Each
// recipient gets a copy (copy.go). A Sender hands the copy to the Firebase SDK, which calls our
// transport (singlesend.go). The transport takes an access token (accesstokens.go) and a connection
// (connpool.go, or transport.go without TLS). The outcome becomes an Answer (classify.go,
// status.go, answer.go).
package fcm

import (
	"context"
	"fmt"
	"net/http"
	"time"

	firebase "firebase.google.com/go/v4"
	"firebase.google.com/go/v4/messaging"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"
	"google.golang.org/api/option"

	"fanfare/internal/notification"
)

// Sender sends messages for one Firebase project. It is safe for concurrent use.
type Sender struct {
	client      *messaging.Client
	project     string
	transport   *singleSendTransport
	prober      *healthProber
	metrics     *metrics
	opts        Options
	now         func() time.Time
	longWaitLog rate.Sometimes // limits the warnings about a long Retry-After
}

// New checks the options and reads the credentials. It returns a *CredentialsError if they are
// unusable. It makes no request to FCM: Check fetches an access token and connects. Application
// Default Credentials may ask the metadata server of a Google machine.
func New(ctx context.Context, o Options) (*Sender, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, fmt.Errorf("check FCM options: %w", err)
	}
	m, err := newMetrics(o.Registerer)
	if err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	c, project, err := newSingleSendTransport(ctx, o, m)
	if err != nil {
		return nil, err
	}
	client, err := newClient(ctx, o, project, c)
	if err != nil {
		c.close()
		return nil, err
	}
	return &Sender{
		client: client, project: project, transport: c, prober: newHealthProber(ctx, c), metrics: m, opts: o, now: time.Now,
		longWaitLog: rate.Sometimes{Interval: time.Minute},
	}, nil
}

// newClient creates the SDK's client on top of our transport.
func newClient(ctx context.Context, o Options, project string, c *singleSendTransport) (*messaging.Client, error) {
	if project == "" {
		return nil, fmt.Errorf("no Firebase project: set fcm.project_id (FCM_PROJECT_ID), or use credentials that name one")
	}
	opts := []option.ClientOption{option.WithHTTPClient(&http.Client{Transport: c})}
	if o.Endpoint != "" {
		opts = append(opts, option.WithEndpoint(o.baseURL()))
	}
	app, err := firebase.NewApp(ctx, &firebase.Config{ProjectID: project}, opts...)
	if err != nil {
		return nil, fmt.Errorf("make Firebase app: %w", err)
	}
	client, err := app.Messaging(ctx)
	if err != nil {
		return nil, fmt.Errorf("make messaging client: %w", err)
	}
	return client, nil
}

// Project returns the Firebase project: the one from the options, or the one in the credentials.
func (s *Sender) Project() string { return s.project }

// Close closes the connections. A request in flight over TLS is cut off and ends as Ambiguous.
func (s *Sender) Close() error {
	s.prober.close()
	s.transport.close()
	return nil
}

// Send makes one request for one recipient and classifies the outcome. It never retries. When ctx
// ends, the request is cut off.
func (s *Sender) Send(ctx context.Context, m *Message, e Envelope) Answer {
	return s.send(ctx, m, e, s.client.Send)
}

// Validate is Send with validate_only: FCM checks the copy and delivers nothing. It counts against
// the quota like any other request. The message id of a Sent answer names no message.
func (s *Sender) Validate(ctx context.Context, m *Message, e Envelope) Answer {
	return s.send(ctx, m, e, s.client.SendDryRun)
}

// sendFunc is the SDK's Send or its SendDryRun.
type sendFunc func(context.Context, *messaging.Message) (string, error)

func (s *Sender) send(ctx context.Context, m *Message, e Envelope, sendOnce sendFunc) Answer {
	if e.Target.Kind != notification.TargetToken {
		return Answer{Class: Other, Code: notification.CodeNoToken, Detail: "no token to send to"}
	}
	start := s.now()
	x := new(exchange)
	_, err := sendOnce(withExchange(ctx, x), m.copyFor(e, start))
	a := s.buildAnswer(x, err)
	a.Detail, a.Field, a.MessageID = scrubDetail(a.Detail, e.Target), scrub(a.Field, e.Target), scrub(a.MessageID, e.Target)
	s.metrics.observe(a.Class, s.now().Sub(start))
	return a
}

// buildAnswer classifies the exchange. The SDK's own error counts only if no request was made,
// because the SDK refuses some messages itself.
func (s *Sender) buildAnswer(x *exchange, err error) Answer {
	if !x.started {
		return Answer{Class: BadMessage, Code: "INVALID_ARGUMENT", Detail: fmt.Sprintf("the Firebase SDK refuses the message: %v", err)}
	}
	a := x.classify()
	if x.retryAfter != "" {
		var capped bool
		if a.RetryAfter, capped = parseRetryAfter(x.retryAfter, s.now()); capped {
			s.longWaitLog.Do(func() {
				s.opts.Logger.Warn("Retry-After too long; capped", "retry_after", x.retryAfter, "status", x.status, "wait", a.RetryAfter)
			})
		}
	}
	return a
}

// metrics are the package's Prometheus metrics. A nil registerer leaves them unregistered.
type metrics struct {
	sends       *prometheus.CounterVec
	seconds     prometheus.Histogram
	connections prometheus.Gauge
	dials       prometheus.Counter
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	const namespace, subsystem = "fanfare", "fcm"
	m := &metrics{
		sends: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Subsystem: subsystem, Name: "sends_total", Help: "Sends by the class of their answer.",
		}, []string{"class"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: namespace, Subsystem: subsystem, Name: "send_seconds", Help: "Time from Send to its answer.",
			Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 15, 30},
		}),
		connections: prometheus.NewGauge(prometheus.GaugeOpts{
			Namespace: namespace, Subsystem: subsystem, Name: "connections", Help: "TLS connections open.",
		}),
		dials: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: namespace, Subsystem: subsystem, Name: "dials_total", Help: "TLS connections made.",
		}),
	}
	if reg == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.sends, m.seconds, m.connections, m.dials} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *metrics) observe(c Class, took time.Duration) {
	m.sends.WithLabelValues(c.String()).Inc()
	m.seconds.Observe(took.Seconds())
}
