// Package fcm sends messages through Firebase Cloud Messaging: it reads and checks a campaign's message, sends one copy of it with
// exactly one request on the wire, and classifies what came of it by FCM's rules.
//
// A message is read by read.go against schema.go, and copied for each recipient by address.go. A Send goes through the SDK to
// courier.go, over a connection of lanes.go, and what became of it (exchange.go) is classified by classify.go. Whether anything can be
// sent at all, reach.go tells.
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

// Sender sends for one project. It is safe for concurrent use.
type Sender struct {
	client      *messaging.Client
	project     string
	transport   *singleSendTransport
	prober      *healthProber
	metrics     *metrics
	opts        Options
	now         func() time.Time
	longWaitLog rate.Sometimes // logs an absurd Retry-After
}

// New checks the options and reads the credentials; a *CredentialsError says that those cannot be used. Nobody is asked yet: Check
// fetches an access token and connects. (Application Default Credentials may be those of a machine of Google's, which is asked who it is.)
func New(ctx context.Context, o Options) (*Sender, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, fmt.Errorf("fcm options: %w", err)
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

// newClient makes the SDK's client above our transport.
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

// Project is the Firebase project that is sent for: the options', or the one that the credentials name.
func (s *Sender) Project() string { return s.project }

// Close drops the connections. What is under way over TLS is cut off, and ends as Ambiguous.
func (s *Sender) Close() error {
	s.prober.close()
	s.transport.close()
	return nil
}

// Send makes one request for one recipient and classifies what came of it. It never repeats it. A ctx that ends cuts it off.
func (s *Sender) Send(ctx context.Context, m *Message, e Envelope) Answer {
	return s.send(ctx, m, e, s.client.Send)
}

// Validate is Send with validate_only: FCM judges the copy and delivers nothing. It counts against the quota as any other request
// does. A Sent carries a message id that names nothing.
func (s *Sender) Validate(ctx context.Context, m *Message, e Envelope) Answer {
	return s.send(ctx, m, e, s.client.SendDryRun)
}

// request is how the SDK sends, or only asks.
type sendFunc func(context.Context, *messaging.Message) (string, error)

func (s *Sender) send(ctx context.Context, m *Message, e Envelope, sendOnce sendFunc) Answer {
	if e.Target.Kind != notification.TargetToken {
		return Answer{Class: Other, Code: notification.CodeNoToken, Detail: "there is no token to send to"}
	}
	start := s.now()
	x := new(exchange)
	_, err := sendOnce(withExchange(ctx, x), m.copyFor(e, start))
	a := s.buildAnswer(x, err)
	a.Detail, a.Field, a.MessageID = scrubDetail(a.Detail, e.Target), scrub(a.Field, e.Target), scrub(a.MessageID, e.Target)
	s.metrics.observe(a.Class, s.now().Sub(start))
	return a
}

// answer classifies the exchange. The SDK's error counts only where there was none: it refuses some messages by itself.
func (s *Sender) buildAnswer(x *exchange, err error) Answer {
	if !x.started {
		return Answer{Class: BadMessage, Code: "INVALID_ARGUMENT", Detail: fmt.Sprintf("the Firebase SDK refuses the message: %v", err)}
	}
	a := x.classify()
	if x.retryAfter != "" {
		var capped bool
		if a.RetryAfter, capped = parseRetryAfter(x.retryAfter, s.now()); capped {
			s.longWaitLog.Do(func() {
				s.opts.Logger.Warn("FCM asks for an absurd wait", "retry_after", x.retryAfter, "status", x.status, "taken_as", a.RetryAfter)
			})
		}
	}
	return a
}

// metrics are this room's own; a nil registerer leaves them unregistered.
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
