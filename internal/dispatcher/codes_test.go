package dispatcher

import (
	"context"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"fanfare/internal/campaign"
	"fanfare/internal/fcm"
	"fanfare/internal/notification"
)

// An endpoint that makes up codes fills neither the books nor the metrics, whichever process
// counts. Each result keeps its own code, and those that FCM documents are always counted by name.
func TestCodesAreCountedWithinBounds(t *testing.T) {
	const n, matched = 600, 6
	w := newWorld(t)
	w.options.AckBatch = 7
	w.campaign(campaign.Spec{ID: "42"}, audience(n)...)
	w.sender.answer = func(_ context.Context, token string) fcm.Answer {
		if strings.HasSuffix(token, "99") {
			return fcm.Answer{Class: fcm.SenderMismatch, Code: "SENDER_ID_MISMATCH", HTTPStatus: 403}
		}
		return fcm.Answer{Class: fcm.Other, Code: "MADE_UP_" + token[len(token)-3:], HTTPStatus: 400}
	}
	registries := []*prometheus.Registry{prometheus.NewRegistry(), prometheus.NewRegistry()}
	var stops []func()
	for _, registry := range registries {
		w.deps.Registerer = registry
		stops = append(stops, w.serve(w.dispatcher()))
	}
	w.eventually(func() bool { return w.books("42").Failed == n })
	for _, stop := range stops {
		stop()
	}
	codes := w.books("42").Codes
	var sum int64
	for _, count := range codes {
		sum += count
	}
	if len(codes) != notification.MaxRareCodes+2 || sum != n || codes["failed:SENDER_ID_MISMATCH"] != matched || codes["failed:OTHER"] == 0 {
		t.Errorf("%d codes of %d recipients are counted: %v", len(codes), sum, codes)
	}
	for _, registry := range registries {
		if series := seriesOf(t, registry, "fanfare_dispatcher_outcomes_total"); series > notification.MaxCodes {
			t.Errorf("%d series of outcomes", series)
		}
	}
	kept := make(map[string]bool)
	for _, r := range w.results() {
		kept[r.ErrorCode] = true
	}
	if len(kept) != n-matched+1 {
		t.Errorf("the results have %d codes, want each its own", len(kept))
	}
}

// seriesOf counts the series of a metric.
func seriesOf(t *testing.T, registry *prometheus.Registry, name string) int {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return len(f.GetMetric())
		}
	}
	return 0 // the process had nothing to count
}
