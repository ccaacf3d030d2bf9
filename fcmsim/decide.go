package fcmsim

import (
	"encoding/binary"
	"encoding/hex"
	"net/http"
	"strconv"
	"time"
)

// maxBody is far above what FCM takes as a message, so that too large a message is read and told so.
const maxBody = 1 << 20

// verdict is what becomes of a request. Whether FCM has the message is settled by then: an answer that comes late, or
// never, changes nothing about it.
type verdict struct {
	outcome  Outcome
	refused  *answer // that the request earned by itself, told at once
	project  string
	to       target
	quota    int    // a minute, of the project
	accepted bool   // FCM has the message
	name     string // of the message, when the answer tells it
	delay    time.Duration
}

func refuse(code Code, a answer) verdict { return verdict{outcome: Outcome{Code: code}, refused: &a} }

// judge reads the request and decides on it.
func (s *Simulator) judge(r request, book *playbook, now time.Time) verdict {
	if s.options.RequireAuth {
		if refused := s.issuer.authorize(r.authorization, book, now); refused != nil {
			return refuse(CodeUnauthenticated, *refused)
		}
	}
	if r.tooLarge {
		return refuse(CodeInvalidArgument,
			html(http.StatusRequestEntityTooLarge, "Your client issued a request that was too large."))
	}
	p := parsers.Get().(*parser)
	defer parsers.Put(p)
	if wrong := p.parse(r.body); wrong != nil {
		return refuse(CodeInvalidArgument, plain(*wrong))
	}
	if s.options.Project != "" && r.project != s.options.Project {
		return refuse(CodePermissionDenied, plain(permissionDenied(r.project)))
	}
	return s.decide(p, r.project, book, now)
}

func (s *Simulator) decide(p *parser, project string, book *playbook, now time.Time) verdict {
	key := ledgerKey{target: fingerprint(0, p.to.value), message: p.contentHash()}
	attempt := uint32(1)
	if !p.validateOnly {
		attempt = s.ledger.attempt(key)
	}
	throws := dice(s.options.Seed ^ key.target ^ key.message ^ uint64(attempt))
	v := verdict{outcome: book.outcome(p.to.address(), attempt, &throws), project: project, to: p.to}
	v.quota = book.rules.Quota.PerMinute
	if p.validateOnly {
		v.name = "projects/" + project + "/messages/fake_message_id"
		v.delay = book.latency(v.outcome, &throws)
		if v.outcome.Code.accepts() {
			s.tally.validated.Add(1)
		}
		return v
	}
	if limits := book.rules.Device; limits.isSet() && v.outcome.Code.accepts() && p.to.address() != "" {
		if left := s.devices.take(key.target, now, limits); left > 0 {
			v.outcome = Outcome{Code: CodeDeviceQuotaExceeded, RetryAfter: refillHeader(limits.RetryAfter, now, left)}
		}
	}
	v.delay = book.latency(v.outcome, &throws)
	if v.outcome.Code.accepts() || throws.float() < v.outcome.Delivered {
		v.accepted, v.name = true, messageName(project, now, throws.next())
		s.tally.accepted.Add(1)
		if s.ledger.accept(key, p.to.value, p.message, v.name) {
			s.tally.distinct.Add(1)
		}
	}
	return v
}

// messageName is of FCM's form: microseconds since 1970, then 16 hex digits.
func messageName(project string, now time.Time, unique uint64) string {
	digits := hex.EncodeToString(binary.BigEndian.AppendUint64(nil, unique))
	return "projects/" + project + "/messages/0:" + strconv.FormatInt(now.UnixMicro(), 10) + "%" + digits
}

// request to messages:send, as it is decided on.
type request struct {
	project       string
	authorization string
	body          []byte
	tooLarge      bool // and left out
}

// glance decides on a request before its body is looked at; false leaves it to receive.
func (s *Simulator) glance(project string) (verdict, bool) {
	arrival := s.tally.requests.Add(1)
	now := time.Now()
	book := s.book(now)
	throws := dice(s.options.Seed ^ uint64(arrival))
	outcome, struck := book.unseen(&throws)
	if !struck {
		return verdict{}, false
	}
	return s.note(verdict{outcome: outcome, delay: book.latency(outcome, &throws)}, s.tenants.of(project), now), true
}

// receive decides on a request that is there whole.
func (s *Simulator) receive(r request) verdict {
	now := time.Now()
	book, sender := s.book(now), s.tenants.of(r.project)
	if book.rules.Quota.PerMinute > 0 {
		return s.note(s.charge(r, sender, book, now), sender, now)
	}
	return s.note(s.judge(r, book, now), sender, now)
}

// charge decides on a request that costs its project a token.
func (s *Simulator) charge(r request, sender *tenant, book *playbook, now time.Time) verdict {
	quota := book.rules.Quota
	minute, left := quota.minute(now, s.minute)
	if !sender.bucket.take(minute, quota.PerMinute) {
		throws := dice(s.options.Seed ^ uint64(now.UnixNano()))
		over := Outcome{Code: quota.refusal(), RetryAfter: refillHeader(quota.RetryAfter, now, left)}
		return verdict{outcome: over, project: r.project, quota: quota.PerMinute, delay: book.latency(over, &throws)}
	}
	v := s.judge(r, book, now)
	if v.outcome.Code.limits() {
		sender.bucket.giveBack(minute)
	}
	return v
}

// note counts what was decided.
func (s *Simulator) note(v verdict, sender *tenant, now time.Time) verdict {
	s.tally.codes[v.outcome.Code].Add(1)
	sender.record.add(now, &v)
	return v
}
