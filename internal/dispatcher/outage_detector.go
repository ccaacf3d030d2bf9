package dispatcher

import (
	"sync"
	"sync/atomic"
	"time"

	"fanfare/internal/breaker"
	"fanfare/internal/fcm"
)

const (
	// suspectScore is the score at which an outage is suspected. Each push without an answer adds
	// 1, each answer subtracts answerWorth: a cumulative sum (Page's test). It grows if more than
	// three quarters of the pushes get no answer. A broken connection loses a hundred answers at
	// one time, so suspicion alone stops nothing for good.
	suspectScore, answerWorth = 20, 3
	// suspectForeign is enough if every push got a success that is not from FCM.
	suspectForeign = 3
	// trialPushes may go during a suspicion. After trialFailures of them without an answer, nothing
	// goes. The suspicion ends when so many are answered that this is impossible. trialForeign is
	// for successes that are not from FCM.
	trialPushes, trialFailures, trialForeign = 10, 6, 2
	// slowStreak and slowTime are for a campaign with few pushes. A streak this long that lasts
	// this long needs no trial.
	slowStreak, slowTime = 3, 30 * time.Second
)

// outageDetector detects that a campaign's pushes from this process get no answers. It first
// suspects an outage: then only a few trial pushes go. If these get no answers either, the outage
// is confirmed, and nothing goes until FCM answers again. So at most the pushes on the wire and the
// trial can end without a known outcome.
type outageDetector struct {
	hasUnanswered atomic.Bool // a push got no answer since the score was last 0
	suspected     atomic.Bool // read before each push
	confirmed     atomic.Bool // nothing goes until FCM answers again

	mu          sync.Mutex
	score       int
	pushes      int64     // pushes since the score was last 0
	unanswered  int64     // of these, without an answer
	foreign     int64     // of these, successes that are not from FCM
	streak      int       // pushes without an answer in a row
	streakStart time.Time // end of the first push of the streak
	suspicions  int64     // suspicions that have ended
	trials      int       // trial pushes of this suspicion
	failed      int       // of these, without an answer
	answered    int       // of these, with an answer
	round       int64     // of the campaign's breaker, for the report
	lastDetail  string    // what came in place of the last answer
	reportedAt  time.Time // when the outage was last reported
}

// startPush reports whether a push may go, and the number of its trial; 0: it belongs to none.
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

// isStopped reports whether no push may go now.
func (s *outageDetector) isStopped() bool {
	if !s.suspected.Load() {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.suspected.Load() && (s.confirmed.Load() || s.trials >= trialPushes)
}

// observe takes the answer to a push, or what came in its place. It reports whether more pushes may
// go than before. A trial push of an earlier suspicion counts as any other push, and in no later
// trial.
func (s *outageDetector) observe(a fcm.Answer, of int64, round int64, now time.Time) (more bool) {
	answered := a.IsDecisive()
	if answered && !s.hasUnanswered.Load() {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	trial := of == s.suspicions+1
	switch {
	case answered:
		return s.observeAnswer(trial)
	case kindOf(a) == breaker.Neutral:
		if trial {
			s.trials-- // another push takes its place
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

// reset forgets everything, after a probe was answered.
func (s *outageDetector) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clear()
}

// clear forgets everything, after an answer. The caller holds the lock.
func (s *outageDetector) clear() {
	s.score, s.pushes, s.unanswered, s.foreign, s.streak = 0, 0, 0, 0, 0
	s.trials, s.failed, s.answered = 0, 0, 0
	s.suspicions++
	s.hasUnanswered.Store(false)
	s.suspected.Store(false)
	s.confirmed.Store(false)
}

// outageReportInterval is how often an outage is reported again while the breaker does not act:
// other processes may get answers.
const outageReportInterval = 500 * time.Millisecond

// report returns the outage to report to the breaker, if it is due.
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
