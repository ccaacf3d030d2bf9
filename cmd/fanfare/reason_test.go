package main

import (
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

func TestReasonsThatCannotBeShown(t *testing.T) {
	for text, want := range map[string]string{
		"wrong link": "", "größer": "", "": "is empty", " ": "is empty",
		"two\nlines": "holds a control character", strings.Repeat("x", 501): "is longer than 500 bytes",
	} {
		reason := "by default"
		flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
		addReason(flags, &reason, "a `text`")
		err := flags.Set("reason", text)
		if (err == nil) != (want == "") || err != nil && !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%.20q: %v, want %q", text, err, want)
		}
		if err == nil && reason != text {
			t.Errorf("%.20q: became %q", text, reason)
		}
	}
}
