package tracing

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdk "go.opentelemetry.io/otel/sdk/trace"
)

// exporter sends spans by OTLP over HTTP, as JSON. OpenTelemetry's own exporter links gRPC into
// every program, which is more code than the rest of the responder.
//
// Source: https://opentelemetry.io/docs/specs/otlp/#otlphttp
type exporter struct {
	url     string
	headers http.Header
	client  *http.Client
}

// defaultTimeout is OTLP's for one export.
const defaultTimeout = 10 * time.Second

// newExporter reads the variables of OTLP.
func newExporter(getenv func(string) string) (*exporter, error) {
	either := func(name string) string {
		if own := getenv("OTEL_EXPORTER_OTLP_TRACES_" + name); own != "" {
			return own
		}
		return getenv("OTEL_EXPORTER_OTLP_" + name)
	}
	e := &exporter{url: getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"), headers: make(http.Header), client: &http.Client{Timeout: defaultTimeout}}
	if e.url == "" {
		e.url = strings.TrimSuffix(getenv("OTEL_EXPORTER_OTLP_ENDPOINT"), "/") + "/v1/traces"
	}
	if u, err := url.Parse(e.url); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("the endpoint of OTLP is no address; want one such as http://collector:4318")
	}
	if protocol := either("PROTOCOL"); protocol != "" && protocol != "http/json" && protocol != "http/protobuf" {
		return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_PROTOCOL is %q: only http is supported, at port 4318 of a collector", protocol)
	}
	for pair := range strings.SplitSeq(either("HEADERS"), ",") {
		name, value, found := strings.Cut(pair, "=")
		if value, err := url.QueryUnescape(strings.TrimSpace(value)); found && err == nil {
			e.headers.Set(strings.TrimSpace(name), value)
		}
	}
	if text := either("TIMEOUT"); text != "" {
		ms, err := strconv.Atoi(text)
		if err != nil || ms <= 0 {
			return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_TIMEOUT is %q, want milliseconds", text)
		}
		e.client.Timeout = time.Duration(ms) * time.Millisecond
	}
	return e, nil
}

// The parts of OTLP's JSON that we use.
type (
	otlpValue struct {
		Text string `json:"stringValue"`
	}
	otlpAttribute struct {
		Key   string    `json:"key"`
		Value otlpValue `json:"value"`
	}
	otlpSpan struct {
		TraceID    string          `json:"traceId"`
		SpanID     string          `json:"spanId"`
		ParentID   string          `json:"parentSpanId,omitempty"`
		Name       string          `json:"name"`
		Kind       int             `json:"kind"`
		Start      string          `json:"startTimeUnixNano"`
		End        string          `json:"endTimeUnixNano"`
		Attributes []otlpAttribute `json:"attributes,omitempty"`
	}
	otlpScope struct {
		Spans []otlpSpan `json:"spans"`
	}
	otlpResource struct {
		Resource struct {
			Attributes []otlpAttribute `json:"attributes"`
		} `json:"resource"`
		Scopes []otlpScope `json:"scopeSpans"`
	}
	otlpRequest struct {
		Resources []otlpResource `json:"resourceSpans"`
	}
)

// kindInternal is SPAN_KIND_INTERNAL.
const kindInternal = 1

// ExportSpans implements sdk.SpanExporter. All spans are of one process.
func (e *exporter) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	if len(spans) == 0 {
		return nil
	}
	body, err := json.Marshal(otlpRequest{[]otlpResource{encode(spans)}})
	if err != nil {
		return fmt.Errorf("encode traces: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("send traces: %w", err)
	}
	r.Header = e.headers.Clone()
	r.Header.Set("Content-Type", "application/json")
	reply, err := e.client.Do(r)
	if err != nil {
		return fmt.Errorf("send traces: %w", err)
	}
	defer func() { _ = reply.Body.Close() }()
	_, _ = io.CopyN(io.Discard, reply.Body, 1<<16) // so that the connection can be used again
	if reply.StatusCode/100 != 2 {
		return fmt.Errorf("send traces: the collector answered %s", reply.Status)
	}
	return nil
}

// Shutdown implements sdk.SpanExporter.
func (e *exporter) Shutdown(context.Context) error {
	e.client.CloseIdleConnections()
	return nil
}

func encode(spans []sdk.ReadOnlySpan) otlpResource {
	var out otlpResource
	out.Resource.Attributes = encodeAttributes(spans[0].Resource().Attributes())
	scope := otlpScope{Spans: make([]otlpSpan, 0, len(spans))}
	for _, span := range spans {
		each := otlpSpan{
			TraceID: span.SpanContext().TraceID().String(), SpanID: span.SpanContext().SpanID().String(), Name: span.Name(), Kind: kindInternal,
			Start: strconv.FormatInt(span.StartTime().UnixNano(), 10), End: strconv.FormatInt(span.EndTime().UnixNano(), 10),
			Attributes: encodeAttributes(span.Attributes()),
		}
		if span.Parent().HasSpanID() {
			each.ParentID = span.Parent().SpanID().String()
		}
		scope.Spans = append(scope.Spans, each)
	}
	out.Scopes = []otlpScope{scope}
	return out
}

func encodeAttributes(all []attribute.KeyValue) []otlpAttribute {
	out := make([]otlpAttribute, 0, len(all))
	for _, each := range all {
		out = append(out, otlpAttribute{string(each.Key), otlpValue{each.Value.String()}})
	}
	return out
}
