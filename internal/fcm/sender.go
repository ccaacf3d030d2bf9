// Package fcm sends the bodies of requests through Firebase Cloud Messaging. It sends each with
// exactly one request, and classifies the answer by FCM's rules.
//
// A Sender hands a body to one of two clients: ours (client.go), or the Firebase SDK's
// (sdkclient.go). Both use our transport (singlesend.go), which takes an access token
// (accesstokens.go) and a connection (connpool.go, or transport.go without TLS). The outcome
// becomes an Answer (classify.go, status.go, answer.go).
package fcm

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"

	"fanfare/internal/notification"
)

// Sender sends messages for one Firebase project. It is safe for concurrent use.
type Sender struct {
	client      client
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

// newClient creates the client of the options.
func newClient(ctx context.Context, o Options, project string, c *singleSendTransport) (client, error) {
	if project == "" {
		return nil, fmt.Errorf("no Firebase project: set fcm.project_id (FCM_PROJECT_ID), or use credentials that name one")
	}
	if o.Client == ClientSDK {
		return newSDKClient(ctx, o, project, c)
	}
	return &ownClient{c}, nil
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
// ends, the request is cut off. The body names the target. It is not read any more once
// Send has returned.
func (s *Sender) Send(ctx context.Context, body []byte, target notification.Target) Answer {
	if !target.IsSendable() {
		return Answer{Class: Other, Code: notification.CodeNoToken, Detail: "no address to send to"}
	}
	start := s.now()
	x := newExchange()
	defer x.recycle()
	err := s.client.send(ctx, x, body)
	a := s.buildAnswer(x, err)
	a.Detail, a.Field, a.MessageID = scrubDetail(a.Detail, target), scrub(a.Field, target), scrub(a.MessageID, target)
	s.metrics.observe(a.Class, s.now().Sub(start))
	return a
}

// Validate is Send with validate_only: FCM checks the message and delivers nothing. It counts
// against the quota like any other request. The message id of a Sent answer names no message.
func (s *Sender) Validate(ctx context.Context, body []byte, target notification.Target) Answer {
	return s.Send(ctx, validateOnly(body), target)
}

// buildAnswer classifies the exchange. The client's own error counts only if no request was made.
func (s *Sender) buildAnswer(x *exchange, err error) Answer {
	if !x.started {
		return Answer{Class: BadMessage, Code: "INVALID_ARGUMENT", Detail: err.Error(), Unrequested: true}
	}
	a := x.classify()
	for _, value := range x.retryAfter { // the longest of them, in any order
		wait, capped := parseRetryAfter(value, s.now())
		a.RetryAfter = max(a.RetryAfter, wait)
		if capped {
			s.longWaitLog.Do(func() {
				s.opts.Logger.Warn("Retry-After too long; capped", "retry_after", value, "status", x.status, "wait", wait)
			})
		}
	}
	return a
}

// metrics are the package's Prometheus metrics. A nil registerer leaves them unregistered.
type metrics struct {
	sends       *prometheus.CounterVec
	byClass     [len(classNames)]prometheus.Counter // those of sends: finding one costs more than counting
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
	for c := Sent; int(c) < len(classNames); c++ {
		m.byClass[c] = m.sends.WithLabelValues(c.String())
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
	m.byClass[c].Inc()
	m.seconds.Observe(took.Seconds())
}
