package fcmsim

import (
	"encoding/binary"
	"encoding/hex"
	"net/http"
	"strconv"
	"time"
)

// maxBody is far above the size of a valid message, so that a large one is read and gets FCM's
// error.
const maxBody = 1 << 20

// decision is the outcome of a request. It already settles whether FCM has the message; a response
// that comes late or never does not change that.
type decision struct {
	outcome  Outcome
	refusal  *response // the response to a fault of the request itself, without latency
	project  string
	to       target
	quota    int    // messages per minute of the project
	accepted bool   // FCM has the message
	name     string // of the message, if the response shows it
	delay    time.Duration
}

func refuseWith(code Code, a response) decision {
	return decision{outcome: Outcome{Code: code}, refusal: &a}
}

// decideOnContent checks access, the body and the project, then decides on the target.
func (s *Simulator) decideOnContent(r request, current *ruleset, now time.Time) decision {
	if s.options.RequireAuth {
		if refused := s.issuer.authorize(r.authorization, current, now); refused != nil {
			return refuseWith(CodeUnauthenticated, *refused)
		}
	}
	if r.tooLarge {
		return refuseWith(CodeInvalidArgument,
			htmlResponse(http.StatusRequestEntityTooLarge, "Your client issued a request that was too large."))
	}
	p := parsers.Get().(*parser)
	defer parsers.Put(p)
	if wrong := p.parse(r.body); wrong != nil {
		return refuseWith(CodeInvalidArgument, jsonResponse(*wrong))
	}
	if s.options.Project != "" && r.project != s.options.Project {
		return refuseWith(CodePermissionDenied, jsonResponse(permissionDenied(r.project)))
	}
	return s.decideOnTarget(p, r.project, current, now)
}

func (s *Simulator) decideOnTarget(p *parser, project string, current *ruleset, now time.Time) decision {
	key := ledgerKey{target: fingerprint(0, p.to.value), message: p.contentHash()}
	device := fingerprint(0, p.to.installation())
	attempt := uint32(1)
	if !p.validateOnly {
		attempt = s.ledger.addAttempt(key, device)
	}
	random := rng(s.options.Seed ^ key.target ^ key.message ^ uint64(attempt))
	v := decision{outcome: current.chooseOutcome(p.to.deviceAddress(), attempt, &random), project: project, to: p.to}
	if current.rules.FIDReplacesToken && s.isReplaced(key, device) {
		v.outcome = Outcome{Code: CodeUnregistered}
	}
	v.quota = current.rules.Quota.PerMinute
	if p.validateOnly {
		v.name = "projects/" + project + "/messages/fake_message_id"
		v.delay = current.drawLatency(v.outcome, &random)
		if v.outcome.Code.isAccepted() {
			s.counters.validated.Add(1)
		}
		return v
	}
	if limits := current.rules.Device; limits.isSet() && v.outcome.Code.isAccepted() && p.to.deviceAddress() != "" {
		if left := s.devices.take(key.target, now, limits); left > 0 {
			v.outcome = Outcome{Code: CodeDeviceQuotaExceeded, RetryAfter: retryAfterHeader(limits.RetryAfter, now, left)}
		}
	}
	v.delay = current.drawLatency(v.outcome, &random)
	if v.outcome.Code.isAccepted() || random.float() < v.outcome.Delivered {
		v.accepted, v.name = true, messageName(project, now, random.next())
		s.accept(p, key, device, v.name, current)
	}
	return v
}

// isReplaced reports whether the target is a token whose installation ID is in use.
func (s *Simulator) isReplaced(key ledgerKey, device uint64) bool {
	return key.target != device && s.replaced.has(device)
}

// accept records a message that FCM has.
func (s *Simulator) accept(p *parser, key ledgerKey, device uint64, name string, current *ruleset) {
	isDevice := p.to.deviceAddress() != ""
	s.counters.addAccepted(s.ledger.addAccepted(key, device, p.to.value, p.message, name), isDevice)
	if current.rules.FIDReplacesToken && isDevice && key.target == device {
		s.replaced.add(device)
	}
}

// messageName has the form of FCM's names: microseconds since 1970, then 16 hex digits.
func messageName(project string, now time.Time, unique uint64) string {
	digits := hex.EncodeToString(binary.BigEndian.AppendUint64(nil, unique))
	return "projects/" + project + "/messages/0:" + strconv.FormatInt(now.UnixMicro(), 10) + "%" + digits
}

// request is a complete request to messages:send.
type request struct {
	project       string
	authorization string
	body          []byte
	tooLarge      bool // the body is too large and left out
}

// decideEarly decides on outcomes that happen before the body is read. It returns false if none
// does.
func (s *Simulator) decideEarly(project string) (decision, bool) {
	arrival := s.counters.requests.Add(1)
	now := time.Now()
	current := s.rulesetAt(now)
	random := rng(s.options.Seed ^ uint64(arrival))
	outcome, decided := current.drawBeforeRead(&random)
	if !decided {
		return decision{}, false
	}
	return s.record(decision{outcome: outcome, delay: current.drawLatency(outcome, &random)}, s.projects.get(project), now), true
}

// decideFull decides on a complete request.
func (s *Simulator) decideFull(r request) decision {
	now := time.Now()
	current, sender := s.rulesetAt(now), s.projects.get(r.project)
	if current.rules.Quota.PerMinute > 0 {
		return s.record(s.decideWithinQuota(r, sender, current, now), sender, now)
	}
	return s.record(s.decideOnContent(r, current, now), sender, now)
}

// decideWithinQuota takes a token of the project's quota before it decides.
func (s *Simulator) decideWithinQuota(r request, sender *projectState, current *ruleset, now time.Time) decision {
	quota := current.rules.Quota
	minute, left := quota.minuteAt(now, s.minute)
	if !sender.bucket.take(minute, quota.PerMinute) {
		random := rng(s.options.Seed ^ uint64(now.UnixNano()))
		over := Outcome{Code: quota.refusalCode(), RetryAfter: retryAfterHeader(quota.RetryAfter, now, left)}
		return decision{outcome: over, project: r.project, quota: quota.PerMinute, delay: current.drawLatency(over, &random)}
	}
	v := s.decideOnContent(r, current, now)
	if v.outcome.Code.isRateLimit() {
		sender.bucket.giveBack(minute)
	}
	return v
}

// record counts a decision.
func (s *Simulator) record(v decision, sender *projectState, now time.Time) decision {
	s.counters.codes[v.outcome.Code].Add(1)
	sender.arrivals.add(now, &v)
	return v
}
