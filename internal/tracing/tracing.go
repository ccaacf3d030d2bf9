// Package tracing shows the way of some recipients as OpenTelemetry traces: from their claim to
// FCM's answer in a dispatcher, and from there to SQL in a responder. It is off unless the
// variables of OTLP are set.
//
// The ids of a trace follow from the id of the recipient's result. So a dispatcher and a responder
// agree on who is traced and under which id, and no context travels with a result.
package tracing

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"log/slog"
	"math"
	"strconv"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/time/rate"

	"fanfare/internal/redact"
)

// defaultShare of the recipients is traced: at 10,000 pushes a second, ten traces a second.
const defaultShare = 0.001

// Tracer makes the traces of one process. A nil Tracer makes none.
type Tracer struct {
	base     context.Context //nolint:containedctx // spans are recorded after their step, which has a context of its own
	provider *sdk.TracerProvider
	tracer   trace.Tracer
	limit    uint64 // hashes below it are traced
}

// New returns nil unless an endpoint of OTLP is set: OTEL_EXPORTER_OTLP_ENDPOINT or
// OTEL_EXPORTER_OTLP_TRACES_ENDPOINT. OTEL_TRACES_SAMPLER_ARG is the share of the recipients to
// trace, 0 to 1.
//
// Source: https://opentelemetry.io/docs/specs/otel/protocol/exporter/
func New(ctx context.Context, service string, getenv func(string) string, log *slog.Logger) (*Tracer, error) {
	if getenv("OTEL_EXPORTER_OTLP_ENDPOINT") == "" && getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") == "" {
		return nil, nil
	}
	share := defaultShare
	if text := getenv("OTEL_TRACES_SAMPLER_ARG"); text != "" {
		var err error
		if share, err = strconv.ParseFloat(text, 64); err != nil || !(share >= 0 && share <= 1) {
			return nil, fmt.Errorf("OTEL_TRACES_SAMPLER_ARG is %q, want a share from 0 to 1", text)
		}
	}
	exporter, err := newExporter(getenv)
	if err != nil {
		return nil, err
	}
	seldom := &rate.Sometimes{First: 1, Interval: time.Minute}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		seldom.Do(func() { log.Warn("traces not sent; they are lost", "error", redact.Text(err.Error())) })
	}))
	return newTracer(ctx, service, share, sdk.WithBatcher(exporter)), nil
}

func newTracer(ctx context.Context, service string, share float64, processor sdk.TracerProviderOption) *Tracer {
	about := resource.NewSchemaless(attribute.String("service.name", "fanfare-"+service))
	provider := sdk.NewTracerProvider(processor, sdk.WithResource(about), sdk.WithSampler(sdk.AlwaysSample()), sdk.WithIDGenerator(derived{}))
	limit := uint64(math.MaxUint64)
	if share < 1 {
		limit = uint64(share * (1 << 63) * 2)
	}
	return &Tracer{context.WithoutCancel(ctx), provider, provider.Tracer("fanfare"), limit}
}

// Close sends what is left.
func (t *Tracer) Close(ctx context.Context) error {
	if t == nil {
		return nil
	}
	if err := t.provider.Shutdown(ctx); err != nil {
		return fmt.Errorf("send the last traces: %w", err)
	}
	return nil
}

// Trace is the trace of one recipient. A nil Trace records nothing.
type Trace struct {
	base   context.Context //nolint:containedctx // as in Tracer
	tracer trace.Tracer
	root   trace.SpanContext
}

// Find returns the trace of a result, by its id; nil if it is not traced.
func (t *Tracer) Find(resultID string) *Trace {
	if t == nil {
		return nil
	}
	sum := sha256.Sum256([]byte(resultID))
	if binary.BigEndian.Uint64(sum[24:]) > t.limit {
		return nil
	}
	return &Trace{t.base, t.tracer, trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID(sum[:16]), SpanID: trace.SpanID(sum[16:24]), TraceFlags: trace.FlagsSampled, Remote: true,
	})}
}

// Span records a step of the way. pairs are names and values.
func (r *Trace) Span(name string, from, to time.Time, pairs ...string) {
	if r == nil {
		return
	}
	record(trace.ContextWithRemoteSpanContext(r.base, r.root), r.tracer, name, from, to, pairs)
}

// Root records the whole way, above all steps.
func (r *Trace) Root(name string, from, to time.Time, pairs ...string) {
	if r == nil {
		return
	}
	record(context.WithValue(r.base, rootKey{}, r.root), r.tracer, name, from, to, pairs)
}

func record(ctx context.Context, tracer trace.Tracer, name string, from, to time.Time, pairs []string) {
	attributes := make([]attribute.KeyValue, 0, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		attributes = append(attributes, attribute.String(pairs[i], pairs[i+1]))
	}
	_, span := tracer.Start(ctx, name, trace.WithTimestamp(from), trace.WithAttributes(attributes...))
	span.End(trace.WithTimestamp(to))
}

// rootKey is the context key of the ids of a root span.
type rootKey struct{}

// derived gives a root span the ids that follow from its result, and other spans random ids.
type derived struct{}

// NewIDs implements sdk.IDGenerator.
func (d derived) NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID) {
	if root, ok := ctx.Value(rootKey{}).(trace.SpanContext); ok {
		return root.TraceID(), root.SpanID()
	}
	var id trace.TraceID
	_, _ = rand.Read(id[:]) // never fails
	return id, d.NewSpanID(ctx, id)
}

// NewSpanID implements sdk.IDGenerator.
func (derived) NewSpanID(context.Context, trace.TraceID) trace.SpanID {
	var id trace.SpanID
	_, _ = rand.Read(id[:]) // never fails
	return id
}
