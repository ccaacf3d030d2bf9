package dispatcher

import (
	"testing"
	"time"

	"fanfare/internal/breaker"
	"fanfare/internal/fcm"
)

// A connection that breaks takes many pushes with it, and no more than a trial follows before the
// next answer.
func TestSilence(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	accept := fcm.Answer{Class: fcm.Sent, HTTPStatus: 200}
	const none, first, second = 0, 1, 2 // numbers of trials
	fail := func(s *outageDetector, n int, a fcm.Answer, trial int64) {
		for range n {
			s.observe(a, trial, 1, now)
		}
	}
	enter := func(s *outageDetector, n int) (trials int) {
		for range n {
			if trial, ok := s.startPush(); trial > 0 && ok {
				trials++
			}
		}
		return trials
	}
	t.Run("below doubt", func(t *testing.T) {
		var s outageDetector
		fail(&s, suspectScore-1, noAnswer, none)
		if s.isStopped() || enter(&s, 100) != 0 {
			t.Error("in doubt too soon")
		}
	})
	t.Run("a broken connection", func(t *testing.T) {
		var s outageDetector
		fail(&s, 100, noAnswer, none)
		if n := enter(&s, 100); n != trialPushes || !s.isStopped() || s.confirmed.Load() {
			t.Errorf("%d trials, stopped %t, silent %t", n, s.isStopped(), s.confirmed.Load())
		}
		for range trialPushes - trialFailures {
			s.observe(accept, first, 1, now)
		}
		if !s.suspected.Load() {
			t.Error("the doubt ends while the trial may still fail")
		}
		if !s.observe(accept, first, 1, now) || s.isStopped() || enter(&s, 5) != 0 {
			t.Error("a trial that succeeds does not end the doubt")
		}
	})
	t.Run("answers over other connections", func(t *testing.T) {
		var s outageDetector
		fail(&s, 30, noAnswer, none)
		for range 9 {
			s.observe(accept, none, 1, now)
		}
		if !s.suspected.Load() || !s.observe(accept, none, 1, now) || s.suspected.Load() {
			t.Error("ten answers do not make up for thirty pushes without one, or fewer do")
		}
	})
	t.Run("silent", func(t *testing.T) {
		var s outageDetector
		fail(&s, 50, noAnswer, none)
		enter(&s, trialPushes)
		fail(&s, trialFailures-1, noAnswer, first)
		if _, _, _, due := s.report(now); due {
			t.Error("silent before the trial failed")
		}
		fail(&s, 1, noAnswer, first)
		run, _, round, due := s.report(now)
		if !due || run != (breaker.Outage{Kind: breaker.Unanswered, Count: 56, Of: 56}) || round != 1 {
			t.Errorf("report %+v of round %d, due %t", run, round, due)
		}
		for after, want := range map[time.Duration]bool{outageReportInterval - 1: false, outageReportInterval: true} {
			if _, _, _, due := s.report(now.Add(after)); due != want {
				t.Errorf("told again after %s: %v", after, due)
			}
			s.reportedAt = now
		}
		s.reset()
		fail(&s, slowStreak-1, noAnswer, none)
		s.observe(noAnswer, none, 1, now.Add(slowTime))
		if run, _, _, _ := s.report(now.Add(slowTime)); run.Count != slowStreak || run.Of != slowStreak {
			t.Errorf("report %+v after a reset, want the pushes since then", run)
		}
	})
	t.Run("nine in ten", func(t *testing.T) {
		var s outageDetector
		pushes := 0
		for ; !s.confirmed.Load() && pushes < 1000; pushes++ {
			trial, ok := s.startPush()
			if !ok {
				t.Fatal("the trial is over, and decided nothing")
			}
			answer := noAnswer
			if pushes%10 == 0 {
				answer = accept
			}
			s.observe(answer, trial, 1, now)
		}
		if pushes > 60 {
			t.Errorf("silent after %d pushes, want after few", pushes)
		}
	})
	t.Run("three in ten", func(t *testing.T) {
		var s outageDetector
		for i := range 10_000 {
			answer := noAnswer
			if i%10 < 7 {
				answer = accept
			}
			if s.observe(answer, none, 1, now); s.suspected.Load() {
				t.Fatalf("in doubt after %d pushes", i)
			}
		}
	})
	t.Run("foreign answers alone, or among silence", func(t *testing.T) {
		foreign := fcm.Answer{Class: noAnswer.Class, Foreign: true}
		for silent, want := range map[int]bool{0: true, 1: false} {
			var s outageDetector
			fail(&s, silent, noAnswer, none)
			if fail(&s, suspectForeign, foreign, none); s.suspected.Load() != want {
				t.Errorf("after %d pushes without an answer: in doubt %t, want %t", silent, s.suspected.Load(), want)
			}
		}
	})
	t.Run("what was never sent is no trial", func(t *testing.T) {
		var s outageDetector
		fail(&s, suspectScore, noAnswer, none)
		enter(&s, trialPushes)
		notSent := fcm.Answer{Class: fcm.NotSent}
		if !s.observe(notSent, first, 1, now) || enter(&s, 5) != 1 {
			t.Error("no other push took its place")
		}
		if s.observe(notSent, none, 1, now) || enter(&s, 5) != 0 {
			t.Error("a push took the place of one that was no trial")
		}
	})
	t.Run("the trial of an earlier doubt", func(t *testing.T) {
		for name, late := range map[string]func(s *outageDetector){
			"fails":       func(s *outageDetector) { fail(s, trialFailures, noAnswer, first) },
			"is answered": func(s *outageDetector) { s.observe(accept, first, 1, now) },
			"is put off":  func(s *outageDetector) { s.observe(fcm.Answer{Class: fcm.NotSent}, first, 1, now) },
		} {
			var s outageDetector
			fail(&s, suspectScore, noAnswer, none)
			enter(&s, trialPushes)
			s.reset()
			fail(&s, 2*suspectScore, noAnswer, none)
			enter(&s, trialPushes)
			for range trialPushes - trialFailures {
				s.observe(accept, second, 1, now)
			}
			late(&s)
			if !s.suspected.Load() || s.confirmed.Load() || enter(&s, 1) != 0 {
				t.Errorf("%s: it counts in the next trial", name)
			}
		}
	})
	t.Run("wrong endpoint", func(t *testing.T) {
		var s outageDetector
		fail(&s, suspectForeign, loginPage, none)
		enter(&s, trialForeign)
		fail(&s, trialForeign, loginPage, first)
		if run, _, _, due := s.report(now); !due || run.Kind != breaker.WrongEndpoint {
			t.Errorf("report %+v, due %t", run, due)
		}
	})
	t.Run("few pushes", func(t *testing.T) {
		var s outageDetector
		fail(&s, slowStreak, noAnswer, none)
		if s.isStopped() {
			t.Error("silent at once")
		}
		s.observe(noAnswer, none, 1, now.Add(slowTime))
		if _, _, _, due := s.report(now); !due {
			t.Error("not silent after a long time")
		}
		for run, want := range map[int]bool{slowStreak - 1: false, slowStreak: true} {
			var s outageDetector
			fail(&s, run-1, noAnswer, none)
			s.observe(noAnswer, none, 1, now.Add(slowTime))
			if s.isStopped() != want {
				t.Errorf("stopped after %d: %v", run, !want)
			}
		}
	})
}
