package fcmsim

import "time"

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
