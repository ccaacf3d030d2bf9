package fcmsim

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// builtinPrefixes is the table in the package's documentation.
var builtinPrefixes = map[string]Outcome{
	"dead-":            {Code: CodeUnregistered},
	"unregistered-":    {Code: CodeUnregistered},
	"invalid-":         {Code: CodeInvalidArgument},
	"payload-":         {Code: CodeInvalidPayload},
	"mismatch-":        {Code: CodeSenderIDMismatch},
	"quota-":           {Code: CodeQuotaExceeded},
	"device-quota-":    {Code: CodeDeviceQuotaExceeded},
	"topic-quota-":     {Code: CodeTopicQuotaExceeded},
	"rate-limit-":      {Code: CodeRateLimited},
	"overload-":        {Code: CodeOverloaded},
	"unavailable-":     {Code: CodeUnavailable},
	"ghost-":           {Code: CodeUnavailable, Delivered: 1},
	"internal-":        {Code: CodeInternal},
	"gateway-":         {Code: CodeBadGateway},
	"apns-auth-":       {Code: CodeThirdPartyAuth},
	"unauthenticated-": {Code: CodeUnauthenticated},
	"denied-":          {Code: CodePermissionDenied},
	"missing-":         {Code: CodeNotFound},
	"garbled-":         {Code: CodeGarbled},
	"truncated-":       {Code: CodeTruncated},
	"trickle-":         {Code: CodeTrickle, Latency: Fixed(time.Minute)},
	"hang-":            {Code: CodeHang},
	"lost-":            {Code: CodeHang, Delivered: 1},
	"reset-":           {Code: CodeResetAfterRead, Delivered: 1},
	"close-":           {Code: CodeCloseAfterRead, Delivered: 1},
	"goaway-":          {Code: CodeGoAwayAfterRead},
}

// Prefixes returns the built-in prefixes, sorted, each with its hyphen.
func Prefixes() []string { return slices.Sorted(maps.Keys(builtinPrefixes)) }

// ruleset is Rules prepared for lookups by each request.
type ruleset struct {
	rules      Rules
	beforeRead []outcomeRange // happen before the request is read
	afterRead  []outcomeRange // happen after, as shares of what beforeRead leaves
	prefixes   []prefix
	firstBytes [256]bool // of all prefixes; most tokens start with none of them
	since      time.Time // when these rules came into force
	until      time.Time // when the timeline has others; zero for never
	playback   *playback
}

// outcomeRange applies to draws below its limit that no earlier range covers.
type outcomeRange struct {
	limit   float64
	outcome Outcome
}

type prefix struct {
	stem    string // without its last hyphen
	outcome Outcome
}

func newRuleset(r Rules, now time.Time) *ruleset {
	p := &ruleset{rules: r.clone(), since: now}
	var unread float64
	for _, o := range r.Outcomes {
		if o.Code.isBeforeRead() {
			unread += o.Share
			p.beforeRead = append(p.beforeRead, outcomeRange{unread, o})
		}
	}
	var read float64
	for _, o := range r.Outcomes {
		if !o.Code.isBeforeRead() && unread < 1 {
			read += o.Share / (1 - unread)
			p.afterRead = append(p.afterRead, outcomeRange{read, o})
		}
	}
	for text, o := range builtinPrefixes {
		if _, redefined := r.Prefixes[text]; !redefined {
			p.addPrefix(text, o)
		}
	}
	for text, o := range r.Prefixes {
		p.addPrefix(text, o)
	}
	slices.SortFunc(p.prefixes, func(a, b prefix) int { return cmp.Compare(len(b.stem), len(a.stem)) })
	return p
}

func (p *ruleset) addPrefix(text string, o Outcome) {
	p.prefixes = append(p.prefixes, prefix{strings.TrimSuffix(text, "-"), o})
	p.firstBytes[text[0]] = true
}

// drawBeforeRead draws from the outcomes that happen before the request is read.
func (p *ruleset) drawBeforeRead(d *rng) (Outcome, bool) {
	if len(p.beforeRead) == 0 {
		return Outcome{}, false
	}
	return drawOutcome(p.beforeRead, d.float())
}

// chooseOutcome returns the outcome of an attempt at a message, the first being 1. The token is
// empty for topics and conditions.
func (p *ruleset) chooseOutcome(token string, attempt uint32, d *rng) Outcome {
	draw := d.float()
	if o, ok := p.findPrefix(token); ok {
		return o.forAttempt(attempt)
	}
	if o, ok := drawOutcome(p.afterRead, draw); ok {
		return o.forAttempt(attempt)
	}
	return Outcome{Code: CodeOK}
}

func drawOutcome(table []outcomeRange, draw float64) (Outcome, bool) {
	for _, o := range table {
		if draw < o.limit {
			return o.outcome, true
		}
	}
	return Outcome{}, false
}

// forAttempt returns the outcome of the n-th attempt.
func (o Outcome) forAttempt(attempt uint32) Outcome {
	if o.Times > 0 && attempt > uint32(o.Times) {
		return Outcome{Code: CodeOK}
	}
	return o
}

func (p *ruleset) findPrefix(token string) (Outcome, bool) {
	if token == "" || !p.firstBytes[token[0]] {
		return Outcome{}, false
	}
	for _, candidate := range p.prefixes {
		rest, ok := strings.CutPrefix(token, candidate.stem)
		if !ok {
			continue
		}
		count, _, ok := strings.Cut(rest, "-")
		if !ok {
			continue
		}
		if count == "" {
			return candidate.outcome, true
		}
		if times, err := strconv.ParseUint(count, 10, 16); err == nil && times > 0 {
			o := candidate.outcome
			o.Times = int(times)
			return o, true
		}
	}
	return Outcome{}, false
}

// drawLatency draws from the outcome's own distribution, or else from that of the rules.
func (p *ruleset) drawLatency(o Outcome, d *rng) time.Duration {
	if o.Latency.IsZero() {
		return p.rules.Latency.draw(d)
	}
	return o.Latency.draw(d)
}

// rng is a SplitMix64 sequence. Each request has its own, seeded by its content and not by its
// arrival. The same seed and audience get the same outcomes, however many senders race.
type rng uint64

func (d *rng) next() uint64 {
	*d += 0x9e3779b97f4a7c15
	z := uint64(*d)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// float returns a number in [0, 1).
func (d *rng) float() float64 { return float64(d.next()>>11) / (1 << 53) }
