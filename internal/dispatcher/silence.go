package dispatcher

import (
	"sync"
	"sync/atomic"
	"time"

	"fanfare/internal/breaker"
	"fanfare/internal/fcm"
)

const (
	// doubtAfter is the score from which on a campaign is in doubt. Each push without an answer adds one, each answer takes
	// answerWorth: a cumulative sum (Page's test) that rises where more than three quarters of the pushes get no answer. A
	// connection that breaks takes a hundred pushes with it, which is why doubt alone stops nothing for good.
	doubtAfter, answerWorth = 20, 3
	// foreignAfter is enough where every one of the pushes got a success that is not FCM's.
	foreignAfter = 3
	// trialPushes may go while a campaign is in doubt. When trialFails of them get no answer, nothing goes; when as many as
	// make that impossible are answered, the doubt ends. foreignFails is for successes that are not FCM's.
	trialPushes, trialFails, foreignFails = 10, 6, 2
	// slowRun and slowTime are for a campaign with few pushes: a run so long that lasts so long needs no trial.
	slowRun, slowTime = 3, 30 * time.Second
)

// silence follows how a campaign's pushes from this process go unanswered. First it doubts: only a few more pushes go, as a
// trial. If these get no answers either it is silent, and nothing goes until FCM is heard again. So at most what is on the
// wire, and the trial, can end without a known outcome.
type silence struct {
	unheard atomic.Bool // some push got no answer since the score was last 0
	doubt   atomic.Bool // read by each push before it goes
	silent  atomic.Bool // nothing goes until FCM is heard again

	mu       sync.Mutex
	score    int
	pushes   int64     // since the score was last 0
	lost     int64     // of these, without an answer
	foreign  int64     // of these, successes that are not FCM's
	run      int       // pushes without an answer since the last answer
	first    time.Time // when the first of the run ended
	ended    int64     // doubts that have ended
	trials   int       // pushes that went since the doubt began, those put off left out
	failed   int       // of these, without an answer
	answered int       // of these, with one
	round    int64     // of the campaign's breaker, for the tally
	said     string    // what stood in place of the last answer
	told     time.Time // when the breaker was told last
}

// enter reports whether a push may go, and the number of the trial that it is part of; 0: of none.
func (s *silence) enter() (trial int64, ok bool) {
	if !s.doubt.Load() {
		return 0, true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.doubt.Load() {
		return 0, true
	}
	if s.silent.Load() || s.trials >= trialPushes {
		return 0, false
	}
	s.trials++
	return s.ended + 1, true
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

// hear takes an answer, or what came instead. It reports whether more may go than before. A push of the trial of an
// earlier doubt says as much as any other, and counts in no later trial.
func (s *silence) hear(a fcm.Answer, of int64, round int64, now time.Time) (more bool) {
	heard := a.IsDecisive()
	if heard && !s.unheard.Load() {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	trial := of == s.ended+1
	switch {
	case heard:
		return s.hearAnswer(trial)
	case kindOf(a) == breaker.Neutral:
		if trial {
			s.trials-- // another push may take its place
		}
		return trial
	}
	s.hearNothing(a, trial, now)
	s.round, s.said = round, a.Detail
	return false
}

func (s *silence) hearAnswer(trial bool) (more bool) {
	s.run = 0
	s.pushes++
	s.score = max(0, s.score-answerWorth)
	if trial {
		s.answered++
	}
	if s.score > 0 && s.answered <= trialPushes-trialFails {
		return false
	}
	more = s.doubt.Load()
	s.clear()
	return more
}

func (s *silence) hearNothing(a fcm.Answer, trial bool, now time.Time) {
	s.unheard.Store(true)
	s.score++
	s.pushes++
	s.lost++
	if a.Foreign {
		s.foreign++
	}
	if s.run++; s.run == 1 {
		s.first = now
	}
	if trial {
		s.failed++
	}
	wrongEndpoint := s.foreign == s.pushes
	if s.score >= doubtAfter || wrongEndpoint && s.foreign >= foreignAfter {
		s.doubt.Store(true)
	}
	failed := s.failed >= trialFails || wrongEndpoint && s.failed >= foreignFails
	if s.doubt.Load() && failed || s.run >= slowRun && now.Sub(s.first) >= slowTime {
		s.doubt.Store(true)
		s.silent.Store(true)
	}
}

// reset forgets all: a probe was answered.
func (s *silence) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clear()
}

// clear forgets all: FCM was heard. The caller holds the lock.
func (s *silence) clear() {
	s.score, s.pushes, s.lost, s.foreign, s.run = 0, 0, 0, 0, 0
	s.trials, s.failed, s.answered = 0, 0, 0
	s.ended++
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
	run = breaker.Silence{Kind: breaker.Unanswered, Count: s.lost, Of: s.pushes}
	if s.foreign == s.pushes {
		run.Kind = breaker.WrongEndpoint
	}
	return run, s.said, s.round, true
}
