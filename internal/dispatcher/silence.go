package dispatcher

import (
	"sync"
	"sync/atomic"
	"time"

	"fanfare/internal/breaker"
	"fanfare/internal/fcm"
)

const (
	// doubtAfter is how many pushes in a row get no answer before a campaign is in doubt. A connection that breaks takes a
	// hundred with it, which is why doubt alone stops nothing for good.
	doubtAfter = 20
	// foreignAfter is the same for successes that are not FCM's.
	foreignAfter = 3
	// trialPushes may go while a campaign is in doubt; when none of them is answered, nothing goes.
	trialPushes, foreignTrials = 10, 2
	// slowRun and slowTime are for a campaign with few pushes: a run so long that lasts so long needs no trial.
	slowRun, slowTime = 3, 30 * time.Second
)

// silence follows how a campaign's pushes from this process go unanswered. First it doubts: only a few more pushes go, as a
// trial. If these get no answer either it is silent, and nothing goes until FCM is heard again. So at most what is on the
// wire, and the trial, can end without a known outcome.
type silence struct {
	unheard atomic.Bool // the last push got no answer
	doubt   atomic.Bool // read by each push before it goes
	silent  atomic.Bool // nothing goes until FCM is heard again

	mu      sync.Mutex
	run     int64     // pushes without an answer since the last answer
	foreign int64     // of these, successes that are not FCM's
	first   time.Time // when the first of the run ended
	trials  int       // pushes that went since the doubt began, those put off by a quota left out
	failed  int       // of these, those without an answer
	round   int64     // of the campaign's breaker, for the tally
	said    string    // what stood in place of the last answer
	told    time.Time // when the breaker was told last
}

// enter reports whether a push may go, and whether it is one of the trial.
func (s *silence) enter() (trial, ok bool) {
	if !s.doubt.Load() {
		return false, true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.doubt.Load() {
		return false, true
	}
	if s.silent.Load() || s.trials >= trialPushes {
		return false, false
	}
	s.trials++
	return true, true
}

// stopped reports whether nothing more may go at the moment.
func (s *silence) stopped() bool {
	if !s.doubt.Load() {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.doubt.Load() && (s.silent.Load() || s.trials >= trialPushes)
}

// hear takes an answer, or what came instead. It reports whether more may go than before.
func (s *silence) hear(a fcm.Answer, trial bool, round int64, now time.Time) (more bool) {
	heard := a.Answered()
	if heard && !s.unheard.Load() {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case heard:
		more = s.doubt.Load()
		s.clear()
		return more
	case kindOf(a) == breaker.Neutral:
		if trial && s.trials > 0 {
			s.trials-- // another push may take its place
		}
		return trial
	}
	s.unheard.Store(true)
	if s.run++; s.run == 1 {
		s.first = now
	}
	if a.Foreign {
		s.foreign++
	}
	s.round, s.said = round, a.Detail
	if trial {
		s.failed++
	}
	wrongEndpoint := s.foreign == s.run
	if s.run >= doubtAfter || wrongEndpoint && s.foreign >= foreignAfter {
		s.doubt.Store(true)
	}
	tried := s.failed >= trialPushes || wrongEndpoint && s.failed >= foreignTrials
	if s.doubt.Load() && tried || s.run >= slowRun && now.Sub(s.first) >= slowTime {
		s.doubt.Store(true)
		s.silent.Store(true)
	}
	return false
}

// reset forgets all: a probe was answered.
func (s *silence) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clear()
}

// clear forgets all: FCM was heard. The caller holds the lock.
func (s *silence) clear() {
	s.run, s.foreign, s.trials, s.failed = 0, 0, 0, 0
	s.unheard.Store(false)
	s.doubt.Store(false)
	s.silent.Store(false)
}

// tellEvery is how often a breaker that does not agree is told again of a silence: other processes get answers.
const tellEvery = 500 * time.Millisecond

// report is what the breaker is told of a silence, if it is due.
func (s *silence) report(now time.Time) (run breaker.Silence, said string, round int64, due bool) {
	if !s.silent.Load() {
		return breaker.Silence{}, "", 0, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.silent.Load() || now.Sub(s.told) < tellEvery {
		return breaker.Silence{}, "", 0, false
	}
	s.told = now
	run = breaker.Silence{Kind: breaker.Unanswered, Run: s.run}
	if 2*s.foreign > s.run {
		run.Kind = breaker.WrongEndpoint
	}
	return run, s.said, s.round, true
}
