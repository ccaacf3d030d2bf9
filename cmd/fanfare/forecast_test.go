package main

import (
	"testing"
	"time"
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
