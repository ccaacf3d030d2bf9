package main

import (
	"strings"
	"testing"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/operator"
)

// A forecast is as exact as it is known.
func TestBandsAreRough(t *testing.T) {
	t.Parallel()
	for want, span := range map[string][2]time.Duration{
		"59s": {59 * time.Second, 59900 * time.Millisecond}, "3m": {162 * time.Second, 168 * time.Second}, "59s–1m": {59 * time.Second, 61 * time.Second},
		"10m–14m": {10 * time.Minute, 14 * time.Minute}, "1h00m–3h20m": {time.Hour - time.Second, 200 * time.Minute}, "12h–3d": {12 * time.Hour, 75 * time.Hour},
	} {
		if got := band(span[0], span[1]); got != want {
			t.Errorf("%v is %q, want %q", span, got, want)
		}
	}
}

// A campaign that moves has its rate and its time to go, with the sign of an estimate. One that is
// held has neither, since they would be of before.
func TestShowForecastsTheEnd(t *testing.T) {
	t.Parallel()
	moves := operator.View{
		Spec: campaign.Spec{ID: "42", State: campaign.Running}, Books: campaign.Books{Loaded: 10, Waiting: 10},
		Forecast: &operator.Forecast{Rate: 1234.5, Shortest: 10 * time.Minute, Longest: 14 * time.Minute},
	}
	unknown, held := moves, moves
	unknown.Forecast = &operator.Forecast{Rate: 2}
	held.Reasons = []operator.Reason{{Kind: operator.ReasonHalt, Headline: "The project is halted", Stops: true}}
	for name, c := range map[string]struct {
		view operator.View
		want string // the line; "" for none
	}{
		"moves":   {moves, "  forecast      ≈1,235/s, ≈10m–14m to go\n"},
		"no end":  {unknown, "  forecast      ≈2/s\n"},
		"held":    {held, ""},
		"unknown": {operator.View{Spec: moves.Spec, Books: moves.Books}, ""},
	} {
		var text strings.Builder
		printView(output{w: &text}, c.view)
		if c.want == "" && strings.Contains(text.String(), "forecast") || !strings.Contains(text.String(), c.want) {
			t.Errorf("%s: want %q in\n%s", name, c.want, text.String())
		}
	}
}
