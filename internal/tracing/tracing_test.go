package tracing

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

var quiet = slog.New(slog.DiscardHandler)

// A dispatcher and a responder that know nothing of each other write one trace.
func TestTwoProcessesWriteOneTrace(t *testing.T) {
	t.Parallel()
	spans := tracetest.NewInMemoryExporter()
	began := time.Now().Add(-time.Second)
	dispatcher, responder := newTracer(t.Context(), "dispatcher", 1, sdk.WithSyncer(spans)), newTracer(t.Context(), "responder", 1, sdk.WithSyncer(spans))
	of := dispatcher.Find("42-7")
	of.Span("send", began, began.Add(50*time.Millisecond), "class", "sent")
	of.Root("recipient", began, began.Add(time.Second), "status", "sent")
	responder.Find("42-7").Span("write", began.Add(time.Second), began.Add(2*time.Second))
	dispatcher.Find("42-8").Span("send", began, began)

	got := spans.GetSpans()
	if len(got) != 4 {
		t.Fatalf("%d spans, want 4", len(got))
	}
	root := got[1]
	for i, span := range got[:3] {
		if span.SpanContext.TraceID() != root.SpanContext.TraceID() {
			t.Errorf("%s is in a trace of its own", span.Name)
		}
		if i != 1 && span.Parent.SpanID() != root.SpanContext.SpanID() {
			t.Errorf("%s is not below the recipient", span.Name)
		}
	}
	if root.Parent.IsValid() || root.StartTime != began || root.EndTime != began.Add(time.Second) {
		t.Errorf("the root is %+v", root)
	}
	if got[3].SpanContext.TraceID() == root.SpanContext.TraceID() {
		t.Error("two recipients share a trace")
	}
	if text := fmt.Sprint(got[0].Attributes, got[2].Resource.Attributes()); !strings.Contains(text, "sent") || !strings.Contains(text, "fanfare-responder") {
		t.Errorf("attributes %s", text)
	}
}

// The share of the recipients that is traced is the one that was asked for, and the same in all
// processes.
func TestShare(t *testing.T) {
	t.Parallel()
	const n = 100_000
	for _, share := range []float64{0, 0.01, 0.5, 1} {
		tracer, found := newTracer(t.Context(), "dispatcher", share, sdk.WithSyncer(tracetest.NewInMemoryExporter())), 0
		for i := range n {
			if tracer.Find(fmt.Sprint(i)) != nil {
				found++
			}
		}
		if got := float64(found) / n; got < share*0.9 || got > share*1.1 {
			t.Errorf("%v of the recipients are traced, want %v", got, share)
		}
	}
}

func TestOffByDefault(t *testing.T) {
	t.Parallel()
	off, err := New(t.Context(), "dispatcher", func(string) string { return "" }, quiet)
	if off != nil || err != nil {
		t.Fatalf("%v, %v", off, err)
	}
	off.Find("42-7").Span("send", time.Now(), time.Now())
	off.Find("42-7").Root("recipient", time.Now(), time.Now())
	if err := off.Close(t.Context()); err != nil {
		t.Error(err)
	}
	for _, share := range []string{"2", "-1", "NaN", "many"} {
		env := map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_TRACES_SAMPLER_ARG": share}
		if _, err := New(t.Context(), "dispatcher", func(name string) string { return env[name] }, quiet); err == nil || !strings.Contains(err.Error(), "0 to 1") {
			t.Errorf("share %q: %v", share, err)
		}
	}
}

// Spans reach a collector as OTLP's JSON, with the headers that were set.
func TestExport(t *testing.T) {
	t.Parallel()
	got := make(chan string, 1)
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- r.Header.Get("X-Key") + " " + r.URL.Path + " " + string(body)
	}))
	defer collector.Close()
	env := map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": collector.URL, "OTEL_EXPORTER_OTLP_HEADERS": "x-key=a%20b,other=1", "OTEL_TRACES_SAMPLER_ARG": "1"}
	tracer, err := New(t.Context(), "dispatcher", func(name string) string { return env[name] }, quiet)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Unix(1, 5)
	tracer.Find("42-7").Root("recipient", at, at.Add(time.Second), "status", "sent")
	if err := tracer.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	text := <-got
	for _, part := range []string{
		"a b /v1/traces {", `"name":"recipient","kind":1,"startTimeUnixNano":"1000000005","endTimeUnixNano":"2000000005"`,
		`{"key":"status","value":{"stringValue":"sent"}}`, `{"key":"service.name","value":{"stringValue":"fanfare-dispatcher"}}`,
	} {
		if !strings.Contains(text, part) {
			t.Errorf("exported %s, want %s in it", text, part)
		}
	}
	if strings.Contains(text, "parentSpanId") {
		t.Errorf("the root has a parent: %s", text)
	}
}

func TestVariablesAreChecked(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]string{"ENDPOINT": "collector:4318", "PROTOCOL": "grpc", "TIMEOUT": "soon"} {
		env := map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318", "OTEL_EXPORTER_OTLP_" + name: value}
		if _, err := New(t.Context(), "dispatcher", func(name string) string { return env[name] }, quiet); err == nil {
			t.Errorf("%s %q is accepted", name, value)
		}
	}
}
