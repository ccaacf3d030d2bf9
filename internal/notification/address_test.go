package notification

import (
	"testing"
)

const fid = "cMr3eGJhR0-kT1aB9xYz_w"

// A stated kind decides about a text without a colon, and the form of the text otherwise.
func TestAddressesAreParsed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text, kind string
		want       TargetKind
	}{
		{fid, "", TargetFID},
		{fid, "fid", TargetFID},
		{fid, "token", TargetToken},
		{fid, "other", TargetFID},
		{` "` + fid + `"`, "", TargetFID},
		{"tok-1", "", TargetToken},
		{"tok-1", "fid", TargetFID},
		{fid + ":APA91b", "fid", TargetToken},
		{fid[1:], "", TargetToken},
		{fid + "x", "", TargetToken},
		{fid[1:] + "%", "", TargetToken},
		{"null", "fid", TargetInvalid},
		{"", "fid", TargetNone},
	} {
		if got := ParseAddress(c.text, c.kind); got.Kind != c.want {
			t.Errorf("%q of kind %q is read as kind %d, want %d", c.text, c.kind, got.Kind, c.want)
		}
	}
}

func TestInstallationIDForm(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"azAZ09-_azAZ09-_azAZ09": true, fid[1:]: false, fid + "x": false, fid[1:] + ".": false, fid[1:] + "`": false, fid[1:] + "{": false,
		fid[1:] + "@": false, fid[1:] + "[": false, fid[1:] + "/": false, fid[1:] + ":": false,
	} {
		if got := IsInstallationID(text); got != want {
			t.Errorf("%q has the form of an installation ID: %v", text, got)
		}
	}
}
