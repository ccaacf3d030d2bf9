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

// Rules say how the simulator answers. The zero value accepts everything at once, but for the tokens whose prefix says
// otherwise.
type Rules struct {
	// Latency of every answer that has none of its own.
	Latency Latency `json:"latency,omitzero"`
	// Outcomes strike by share; what they leave over is accepted.
	Outcomes []Outcome `json:"outcomes,omitempty"`
	// Prefixes add to the built-in ones, or redefine them. A key ends in a hyphen; the outcome's Share is not used.
	Prefixes map[string]Outcome `json:"prefixes,omitempty"`
	// Quota of each project, Device of each token or installation. The zero values set no limits.
	Quota  Quota        `json:"quota,omitzero"`
	Device DeviceLimits `json:"device,omitzero"`
	// Token is how the OAuth endpoint behaves.
	Token TokenRules `json:"token,omitzero"`
	// Handshake is how new TLS connections fail.
	Handshake HandshakeFault `json:"handshake,omitempty"`
}

// Outcome is one way to answer.
type Outcome struct {
	Code Code `json:"code"`
	// Share of all requests, from 0 to 1.
	Share float64 `json:"share,omitempty"`
	// Times limits the outcome to the first so many attempts at a message; 0 is no limit.
	Times int `json:"times,omitempty"`
	// Delivered is the share, from 0 to 1, of these requests that is accepted although the answer does not say so.
	// Codes with HTTP status 200 are always accepted, those that are not read never.
	Delivered float64 `json:"delivered,omitempty"`
	// RetryAfter is the header as it is to be sent ("30"), or "date+30s" for the HTTP date so far from now.
	RetryAfter string `json:"retryAfter,omitempty"`
	// Latency replaces that of the rules.
	Latency Latency `json:"latency,omitzero"`
}

// ParseRules reads rules from JSON; an unknown field is an error.
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

// retryAfter gives the header's value, "" for none.
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

// Duration is a duration whose text form is Go's: "17s", "1h30m".
type Duration time.Duration

func (d Duration) String() string { return time.Duration(d).String() }

// MarshalText writes the text form.
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

// decodeStrictly reads one JSON value that has no field but those of into.
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
