package notification

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const realToken = "cMr3eGJhR0-kT1:APA91bHun4MxP5egoKMwt2KZFBaFUH-1RYqx_kMjOEwKnPUq9vQb2Zf7d0N1sT"

func TestStoredTokensAreParsed(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"alone": realToken, "CRLF": realToken + "\r\n", "line feed": realToken + "\n", "spaces": "  " + realToken + "\t",
		"no-break space": "\u00a0" + realToken + "\u3000", "byte order mark": "\ufeff" + realToken, "zero width": "\u200b" + realToken + "\u2060",
		"NUL": realToken + "\x00", "delete": "\x7f" + realToken, "C1": realToken + "\u0085", "bidi": "\u202e" + realToken + "\u202c",
		"quotes": `"` + realToken + `"`, "single quotes": "'" + realToken + "'", "typographic": "“" + realToken + "”", "German": "„" + realToken + "“", "low": "‚" + realToken + "‘",
		"quotes in quotes": `"\"` + realToken + `\""`, "quotes and space": "' \"" + realToken + "\"\r\n'", "half a quote": `"` + realToken,
	} {
		got := ParseToken(text)
		if got.Kind != TargetToken || got.Value != realToken || !got.IsSendable() || got.IsTrimmed() != (text != realToken) || got.Text() != text {
			t.Errorf("%s: %q is read as kind %d, %q", name, text, got.Kind, got.Value)
		}
		if !got.IsSame(ParseToken(realToken)) {
			t.Errorf("%s: %q is not the same token", name, text)
		}
	}
}

func TestInvalidTokensSayWhy(t *testing.T) {
	t.Parallel()
	for text, problem := range map[string]string{
		"two words": "it holds white space", "line\nbreak": "it holds white space", "tab\tbed": "it holds white space",
		"nul\x00byte": "it holds a control character", "esc\x1b[31m": "it holds a control character", `a"b`: `it holds '"'`, "a,b": "it holds ','",
		`{"token":"a"}`: "it holds '{'", "[object Object]": "it holds '['", "töken": `it holds '\u00f6'`, "a\u200bb": `it holds '\u200b'`,
		"bad\xffbyte": "it is not valid UTF-8", strings.Repeat("x", MaxToken+1): "it is longer than 4096 bytes",
		"null": "it is a word for a missing value", "undefined": "it is a word for a missing value", " None ": "it is a word for a missing value",
	} {
		got := ParseToken(text)
		if got.Kind != TargetInvalid || got.IsSendable() || got.Value != "" || got.Text() != text {
			t.Errorf("%.40q is read as kind %d, %.40q", text, got.Kind, got.Value)
		}
		if got.Problem() != problem {
			t.Errorf("%.40q: %s, want %s", text, got.Problem(), problem)
		}
	}
	for _, text := range []string{"", " ", "\r\n", `""`, "' '", "\ufeff"} {
		if got := ParseToken(text); !got.IsZero() {
			t.Errorf("%q is read as kind %d, want none", text, got.Kind)
		}
	}
	for _, text := range []string{"t", "tok-1", "dead-1", "APA91b:x_y.z", strings.Repeat("x", MaxToken)} {
		if got := ParseToken(text); !got.IsSendable() || got.IsTrimmed() {
			t.Errorf("%.40q is read as kind %d", text, got.Kind)
		}
	}
}

func TestInstallationIDs(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Target{
		fid:              {Kind: TargetFID, Value: fid},
		` "` + fid + `"`: {Kind: TargetFID, Value: fid, original: ` "` + fid + `"`},
		"null":           {Kind: TargetInvalid, original: "null"},
		realToken:        {Kind: TargetInvalid, original: realToken},
		"\n":             {},
	} {
		if got := ParseFID(text); got != want {
			t.Errorf("%q is read as %#v", text, got)
		}
	}
	for _, text := range []string{realToken, ":APA91b"} {
		if got := ParseFID(text).Problem(); got != "it is a registration token where an installation ID is expected" {
			t.Errorf("%s as an installation ID: %s", text, got)
		}
	}
	if ParseToken(fid).IsSame(ParseFID(fid)) {
		t.Error("a token is the same as an installation ID")
	}
	for _, c := range []struct {
		of   Target
		want string
	}{{ParseFID(fid), fid}, {ParseToken(fid + ":APA91b"), fid}, {ParseToken("tok-1"), ""}, {Target{}, ""}} {
		if got := c.of.FID(); got != c.want {
			t.Errorf("%v belongs to %q, want %q", c.of, got, c.want)
		}
	}
}

func TestTokensAreCompared(t *testing.T) {
	t.Parallel()
	if ParseToken("two words").IsSame(ParseToken("other words")) || !ParseToken("two words").IsSame(ParseToken("two words")) {
		t.Error("two texts that can be no tokens are the same only where they are alike")
	}
	if ParseToken("tok-1").IsSame(ParseToken("tok-2")) || ParseToken("tok-1").IsSame(ParseFID("tok-1")) {
		t.Error("two different addresses are the same")
	}
	for text, want := range map[string]bool{realToken: false, "aZ09-_:.": false, "a%3Ab": true, "a/b": true, "a+b": true, "two words": false} {
		if got := ParseToken(text).IsUnusual(); got != want {
			t.Errorf("%q is unusual: %v", text, got)
		}
	}
}

// Tokens of one installation begin with its ID. Other texts before a colon say nothing.
func TestAddressesOfOneDeviceAreKnown(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b Target
		want bool
	}{
		{ParseToken("tok-1"), ParseToken("tok-1"), true},
		{ParseToken("tok-1"), ParseToken("tok-2"), false},
		{ParseToken(fid + ":APA91a"), ParseToken(fid + ":APA91b"), true},
		{ParseToken("short:APA91a"), ParseToken("short:APA91b"), false},
		{ParseToken("short:APA91a"), ParseFID("short"), true},
		{ParseFID("short"), ParseToken("short:APA91a"), true},
		{ParseFID(fid), ParseToken(fid[1:] + "x:APA91a"), false},
		{ParseFID(fid), ParseFID("other"), false},
		{ParseFID(fid), ParseToken("tok-1"), false},
		{ParseToken("two words"), ParseToken("other words"), false},
	} {
		if got := c.a.IsSameDevice(c.b); got != c.want {
			t.Errorf("%v and %v are of one device: %v", c.a, c.b, got)
		}
	}
}

func TestTokensAreAbbreviated(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"": "…", "abc": "abc…", "abcdefgh": "abcdef…", "abcdefghijklmnopqrst": "abcdef…", "abcdefghijklmnopqrstu": "abcdef…rstu",
	} {
		if got := Abbreviate(text); got != want {
			t.Errorf("%q is shown as %s, want %s", text, got, want)
		}
	}
}

func TestFaultsShownAreBounded(t *testing.T) {
	t.Parallel()
	var all Faults
	for n := 1; n <= faultsShown+2; n++ {
		all = append(all, &Fault{Field: "f", Problem: "p"})
		want := strings.Repeat("; f: p", min(n, faultsShown))[2:]
		if more := n - faultsShown; more > 0 {
			want += fmt.Sprintf("; and %d more", more)
		}
		if got := all.Error(); got != want {
			t.Errorf("%d faults: %s, want %s", n, got, want)
		}
	}
}

// An error gives its faults, however it is wrapped, and finds none in other errors.
func TestFaultsOfErrors(t *testing.T) {
	t.Parallel()
	one, two := &Fault{Field: "f", Problem: "p"}, &Fault{Field: "g", Problem: "q"}
	for name, c := range map[string]struct {
		err  error
		want Faults
	}{
		"nothing":       {nil, nil},
		"another error": {io.EOF, nil},
		"one":           {fmt.Errorf("check: %w", one), Faults{one}},
		"all":           {fmt.Errorf("check: %w", Faults{two, one}.Err()), Faults{two, one}},
		"none":          {Faults{}.Err(), nil},
	} {
		if got := FaultsOf(c.err); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	if first, ok := errors.AsType[*Fault](error(Faults{two, one})); !ok || first != two {
		t.Errorf("the first fault is %v", first)
	}
}

// Whatever is stored, the address sent is clean, is part of it, and parses to itself.
func TestOnlyCleanTokensAreSent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringOf(rapid.RuneFrom([]rune("aB1:-_ \"'\\\r\n\x00\u200b"))),
			rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) })).Draw(t, "text")
		target := ParseToken(text)
		if !target.IsSendable() {
			if target.Value != "" || (target.Kind == TargetInvalid) != (target.Problem() != "") {
				t.Fatalf("%q: value %q, problem %q", text, target.Value, target.Problem())
			}
			return
		}
		if again := ParseToken(target.Value); again.Value != target.Value || again.IsTrimmed() || !strings.Contains(text, target.Value) {
			t.Fatalf("%q is read as %q, and that as %q", text, target.Value, again.Value)
		}
		if literal, err := json.Marshal(target.Value); err != nil || strings.ContainsAny(target.Value, " \t\r\n\"'") || len(literal) > 6*MaxToken {
			t.Fatalf("%q would be sent as %s", text, literal)
		}
	})
}

func TestParsingACleanTokenDoesNotAllocate(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() { ParseToken(realToken) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestNoLogShowsATokenInFull(t *testing.T) {
	const token = "fhMpVD00JNQo850aZoqq2L:APA91b-zKafEZMKYgkngUPCidceHBmjRq5Tj"
	var out bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewJSONHandler(&out, nil), slog.NewTextHandler(&out, nil)} {
		slog.New(handler).Info("sent", "token", ParseToken(token))
	}
	fmt.Fprintf(&out, "%v %s", ParseToken(token), ParseToken(token))
	if strings.Contains(out.String(), token) || strings.Count(out.String(), "fhMpVD…q5Tj") != 4 {
		t.Errorf("shown as %s", out.String())
	}
}

// An element that was unreadable is shown without its addresses, wherever it was cut off.
func TestAddressesInTextsAreShortened(t *testing.T) {
	t.Parallel()
	token := fid + ":APA91b" + strings.Repeat("x", 134)
	for text, want := range map[string]string{
		`{"userId":"u1","fcmToken":"` + token + `"}`:            `{"userId":"u1","fcmToken":"cMr3eG…xxxx"}`,
		`{"fcmToken" : "` + token[:40]:                          `{"fcmToken" : "cMr3eG…xxxx`,
		`{"FCMTOKEN":"` + fid + `\u003aAPA91b\"xx","a":1}`:      `{"FCMTOKEN":"cMr3eG…\"xx","a":1}`,
		`{"devices":[{"fid":"` + fid + `"},{"token":"short"}]}`: `{"devices":[{"fid":"cMr3eG…Yz_w"},{"token":"short…"}]}`,
		"u1," + token + ",ios":                                  "u1,cMr3eG…xxxx,ios",
		`{"fcmToken":"","userId":"u:1"}`:                        `{"fcmToken":"","userId":"u:1"}`,
		"malformed at 12:34:56":                                 "malformed at 12:34:56",
	} {
		if got := AbbreviateIn(text); got != want {
			t.Errorf("%s\nis shown as %s,\nwant        %s", text, got, want)
		}
	}
}
