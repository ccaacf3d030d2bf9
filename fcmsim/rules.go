package fcmsim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Rules are how the simulator behaves, in Go or as JSON. The zero value accepts everything at once,
// except for tokens with a built-in prefix.
type Rules struct {
	// Latency delays every response whose outcome has none of its own.
	Latency Latency `json:"latency,omitzero"`
	// Outcomes happen by share. Their shares add up to at most 1; all other messages are accepted.
	Outcomes []Outcome `json:"outcomes,omitempty"`
	// Prefixes adds to the built-in prefixes or redefines them. A key ends in a hyphen, and the
	// outcome's Share is ignored.
	Prefixes map[string]Outcome `json:"prefixes,omitempty"`
	// Quota limits each project, Device each token or installation. The zero values set no limits.
	Quota  Quota        `json:"quota,omitzero"`
	Device DeviceLimits `json:"device,omitzero"`
	// FIDReplacesToken makes a registration token <FID>:… UNREGISTERED once a message to that FID
	// was accepted under this rule. The simulator never forgets such a FID.
	FIDReplacesToken bool `json:"fidReplacesToken,omitempty"`
	// Token is how the OAuth endpoint behaves.
	Token TokenRules `json:"token,omitzero"`
	// Handshake is how new TLS connections fail.
	Handshake HandshakeFault `json:"handshake,omitempty"`
}

// Outcome is one way to answer a request.
type Outcome struct {
	Code Code `json:"code"`
	// Share of all requests, from 0 to 1.
	Share float64 `json:"share,omitempty"`
	// Times limits the outcome to the first attempts at a message; 0 is no limit.
	Times int `json:"times,omitempty"`
	// Delivered is the share of these requests, from 0 to 1, that FCM accepts although the response
	// does not show it. Codes with HTTP status 200 always accept; BEFORE_READ codes never do.
	Delivered float64 `json:"delivered,omitempty"`
	// RetryAfter is the header's value: "30", or "date+30s" for the HTTP date 30 seconds after the
	// response. Any other text is sent as it is. Empty sends no header.
	RetryAfter string `json:"retryAfter,omitempty"`
	// Latency replaces that of the rules.
	Latency Latency `json:"latency,omitzero"`
}

// ParseRules reads Rules from JSON. An unknown field or a value out of range is an error.
func ParseRules(data []byte) (Rules, error) {
	var r Rules
	if err := decodeStrictly(data, &r); err != nil {
		return Rules{}, fmt.Errorf("read rules: %w", err)
	}
	return r, r.check()
}

func (r Rules) check() error {
	var sum float64
	for i, o := range r.Outcomes {
		if err := o.check(); err != nil {
			return fmt.Errorf("outcome %d: %w", i+1, err)
		}
		sum += o.Share
	}
	if sum > 1+1e-9 {
		return fmt.Errorf("outcomes: shares add up to %g, which is more than 1", sum)
	}
	for prefix, o := range r.Prefixes {
		if len(prefix) < 2 || !strings.HasSuffix(prefix, "-") {
			return fmt.Errorf("prefix %q: it must end in a hyphen", prefix)
		}
		if err := o.check(); err != nil {
			return fmt.Errorf("prefix %q: %w", prefix, err)
		}
		if o.Code.isBeforeRead() {
			return fmt.Errorf("prefix %q: %s happens before the token is read", prefix, o.Code)
		}
	}
	for part, err := range map[string]error{
		"quota": r.Quota.check(), "device": r.Device.check(), "token": r.Token.check(), "handshake": r.Handshake.check(),
	} {
		if err != nil {
			return fmt.Errorf("%s: %w", part, err)
		}
	}
	return r.Latency.check()
}

func (o Outcome) check() error {
	if o.Code >= numCodes {
		return fmt.Errorf("no such code: %d", o.Code)
	}
	if !(o.Share >= 0 && o.Share <= 1) {
		return fmt.Errorf("share %g is not between 0 and 1", o.Share)
	}
	if !(o.Delivered >= 0 && o.Delivered <= 1) {
		return fmt.Errorf("delivered %g is not between 0 and 1", o.Delivered)
	}
	if o.Times < 0 || o.Times > maxCount {
		return fmt.Errorf("times %d is not between 0 and %d", o.Times, maxCount)
	}
	if o.Times > 0 && o.Code.isBeforeRead() {
		return fmt.Errorf("times: %s happens before the message is read", o.Code)
	}
	if _, err := o.retryAfterValue(time.Time{}); err != nil {
		return err
	}
	return o.Latency.check()
}

// retryAfterValue returns the header's value, "" for none.
func (o Outcome) retryAfterValue(now time.Time) (string, error) {
	text, dated := strings.CutPrefix(o.RetryAfter, "date+")
	if !dated {
		return o.RetryAfter, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return "", fmt.Errorf("retryAfter %q: %w", o.RetryAfter, err)
	}
	return httpDate(now.Add(d)), nil
}

func httpDate(t time.Time) string { return t.UTC().Format(http.TimeFormat) }

func (r Rules) clone() Rules {
	r.Outcomes = slices.Clone(r.Outcomes)
	prefixes := make(map[string]Outcome, len(r.Prefixes))
	for prefix, o := range r.Prefixes {
		prefixes[prefix] = o
	}
	r.Prefixes = prefixes
	return r
}

// Duration is a time.Duration whose text form is Go's: "17s", "1h30m".
type Duration time.Duration

func (d Duration) String() string { return time.Duration(d).String() }

// MarshalText returns the text form.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads the text form.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("duration %q: want 17s or 1h30m", text)
	}
	*d = Duration(parsed)
	return nil
}

// decodeStrictly reads one JSON value and refuses fields that are unknown.
func decodeStrictly(data []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one JSON value")
	}
	return nil
}
