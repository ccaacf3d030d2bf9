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
	suspectScore, answerWorth = 20, 3
	// foreignAfter is enough where every one of the pushes got a success that is not FCM's.
	suspectForeign = 3
	// trialPushes may go while a campaign is in doubt. When trialFails of them get no answer, nothing goes; when as many as
	// make that impossible are answered, the doubt ends. foreignFails is for successes that are not FCM's.
	trialPushes, trialFailures, trialForeign = 10, 6, 2
	// slowRun and slowTime are for a campaign with few pushes: a run so long that lasts so long needs no trial.
	slowStreak, slowTime = 3, 30 * time.Second
)

// silence follows how a campaign's pushes from this process go unanswered. First it doubts: only a few more pushes go, as a
// trial. If these get no answers either it is silent, and nothing goes until FCM is heard again. So at most what is on the
// wire, and the trial, can end without a known outcome.
type outageDetector struct {
	hasUnanswered atomic.Bool // some push got no answer since the score was last 0
	suspected   atomic.Bool // read by each push before it goes
	confirmed  atomic.Bool // nothing goes until FCM is heard again

	mu       sync.Mutex
	score    int
	pushes   int64     // since the score was last 0
	unanswered     int64     // of these, without an answer
	foreign  int64     // of these, successes that are not FCM's
	streak      int       // pushes without an answer since the last answer
	streakStart    time.Time // when the first of the run ended
	suspicions    int64     // doubts that have ended
	trials   int       // pushes that went since the doubt began, those put off left out
	failed   int       // of these, without an answer
	answered int       // of these, with one
	round    int64     // of the campaign's breaker, for the tally
	lastDetail     string    // what stood in place of the last answer
	reportedAt     time.Time // when the breaker was told last
}

// enter reports whether a push may go, and the number of the trial that it is part of; 0: of none.
func (s *outageDetector) startPush() (trial int64, ok bool) {
	if !s.suspected.Load() {
		return 0, true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.suspected.Load() {
		return 0, true
	}
	if s.confirmed.Load() || s.trials >= trialPushes {
		return 0, false
	}
	s.trials++
	return s.suspicions + 1, true
}

// stopped reports whether nothing more may go at the moment.
func (s *outageDetector) isStopped() bool {
	if !s.suspected.Load() {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.suspected.Load() && (s.confirmed.Load() || s.trials >= trialPushes)
}

// hear takes an answer, or what came instead. It reports whether more may go than before. A push of the trial of an
// earlier doubt says as much as any other, and counts in no later trial.
func (s *outageDetector) observe(a fcm.Answer, of int64, round int64, now time.Time) (more bool) {
	heard := a.IsDecisive()
	if heard && !s.hasUnanswered.Load() {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	trial := of == s.suspicions+1
	switch {
	case heard:
		return s.observeAnswer(trial)
	case kindOf(a) == breaker.Neutral:
		if trial {
			s.trials-- // another push may take its place
		}
		return trial
	}
	s.observeNoAnswer(a, trial, now)
	s.round, s.lastDetail = round, a.Detail
	return false
}

func (s *outageDetector) observeAnswer(trial bool) (more bool) {
	s.streak = 0
	s.pushes++
	s.score = max(0, s.score-answerWorth)
	if trial {
		s.answered++
	}
	if s.score > 0 && s.answered <= trialPushes-trialFailures {
		return false
	}
	more = s.suspected.Load()
	s.clear()
	return more
}

func (s *outageDetector) observeNoAnswer(a fcm.Answer, trial bool, now time.Time) {
	s.hasUnanswered.Store(true)
	s.score++
	s.pushes++
	s.unanswered++
	if a.Foreign {
		s.foreign++
	}
	if s.streak++; s.streak == 1 {
		s.streakStart = now
	}
	if trial {
		s.failed++
	}
	wrongEndpoint := s.foreign == s.pushes
	if s.score >= suspectScore || wrongEndpoint && s.foreign >= suspectForeign {
		s.suspected.Store(true)
	}
	failed := s.failed >= trialFailures || wrongEndpoint && s.failed >= trialForeign
	if s.suspected.Load() && failed || s.streak >= slowStreak && now.Sub(s.streakStart) >= slowTime {
		s.suspected.Store(true)
		s.confirmed.Store(true)
	}
}

// reset forgets all: a probe was answered.
func (s *outageDetector) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clear()
}

// clear forgets all: FCM was heard. The caller holds the lock.
func (s *outageDetector) clear() {
	s.score, s.pushes, s.unanswered, s.foreign, s.streak = 0, 0, 0, 0, 0
	s.trials, s.failed, s.answered = 0, 0, 0
	s.suspicions++
	s.hasUnanswered.Store(false)
	s.suspected.Store(false)
	s.confirmed.Store(false)
}

// tellEvery is how often a breaker that does not agree is told again of a silence: other processes get answers.
const outageReportInterval = 500 * time.Millisecond

// report is what the breaker is told of a silence, if it is due.
func (s *outageDetector) report(now time.Time) (run breaker.Outage, said string, round int64, due bool) {
	if !s.confirmed.Load() {
		return breaker.Outage{}, "", 0, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.confirmed.Load() || now.Sub(s.reportedAt) < outageReportInterval {
		return breaker.Outage{}, "", 0, false
	}
	s.reportedAt = now
	run = breaker.Outage{Kind: breaker.Unanswered, Count: s.unanswered, Of: s.pushes}
	if s.foreign == s.pushes {
		run.Kind = breaker.WrongEndpoint
	}
	return run, s.lastDetail, s.round, true
}
