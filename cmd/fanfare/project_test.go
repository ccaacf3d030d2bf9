package main

import (
	"strings"
	"testing"
)

func TestReasonsThatCannotBeShown(t *testing.T) {
	for reason, want := range map[string]string{
		"wrong link": "", "größer": "", "": "is empty", " ": "is empty",
		"two\nlines": "holds a control character", strings.Repeat("x", 501): "is longer than 500 bytes",
	} {
		if got := unfit(reason); got != want {
			t.Errorf("%.20q: %q, want %q", reason, got, want)
		}
	}
}
