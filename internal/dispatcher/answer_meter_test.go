package dispatcher

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fanfare/internal/fcm"
)

// A storm of one answer is one line, and one at its end with its duration.
func TestStormOfAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		m := newAnswerMeter(daemonLog(&log))
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		go m.run(ctx)
		answer := func(n int, a fcm.Answer) {
			for range n {
				m.count("42", a)
			}
		}
		<-time.After(500 * time.Millisecond) // not at the moment of a tick
		for second := range 60 {
			if second >= 10 && second < 50 {
				answer(90, fcm.Answer{Class: fcm.Unavailable, Code: "UNAVAILABLE"})
			}
			answer(10, fcm.Answer{Class: fcm.Sent})
			<-time.After(time.Second)
		}
		<-time.After(2 * time.Minute)
		synctest.Wait()
		lines := strings.Split(strings.TrimSpace(log.String()), "\n")
		if len(lines) != 2 || !strings.Contains(lines[0], `msg="FCM answers most pushes with an error" campaign=42 answer="UNAVAILABLE to 90%"`) || !strings.Contains(lines[1], "times=8 lasted=35s") {
			t.Errorf("the log says\n%s", log.String())
		}
	})
}

// Few answers, or mixed ones, are no storm.
func TestNoStorm(t *testing.T) {
	for name, answers := range map[string]map[string]int{
		"few": {"UNAVAILABLE": stormLeast - 1}, "mixed": {"UNAVAILABLE": 40, "INTERNAL": 40, "": 10}, "good": {"": 100},
	} {
		var log bytes.Buffer
		m := newAnswerMeter(daemonLog(&log))
		for code, n := range answers {
			class := fcm.Unavailable
			if code == "" {
				class = fcm.Sent
			}
			for range n {
				m.count("42", fcm.Answer{Class: class, Code: code})
			}
		}
		m.look(t.Context())
		if log.Len() > 0 {
			t.Errorf("%s: %s", name, log.String())
		}
	}
}

// A storm begins with the number of answers and the share that name it.
func TestLeastStorm(t *testing.T) {
	for good, want := range map[int]int{stormLeast: 1, stormLeast + 1: 0} {
		var log bytes.Buffer
		m := newAnswerMeter(daemonLog(&log))
		for range stormLeast {
			m.count("42", fcm.Answer{Class: fcm.Unavailable, Code: "UNAVAILABLE"})
		}
		for range good {
			m.count("42", fcm.Answer{Class: fcm.Sent})
		}
		m.look(t.Context())
		if lines := strings.Count(log.String(), "\n"); lines != want {
			t.Errorf("%d bad answers beside %d good ones: %q", stormLeast, good, log.String())
		}
	}
}

// An endpoint that makes up codes does not hide a storm that has begun.
func TestStormAmongMadeUpCodes(t *testing.T) {
	var log bytes.Buffer
	m := newAnswerMeter(daemonLog(&log))
	m.count("42", fcm.Answer{Class: fcm.Unavailable, Code: "UNAVAILABLE"})
	for i := range maxAnswers {
		m.count("42", fcm.Answer{Class: fcm.Other, Code: fmt.Sprint("CODE_", i)})
	}
	for range 3 * maxAnswers {
		m.count("42", fcm.Answer{Class: fcm.Unavailable, Code: "UNAVAILABLE"})
	}
	m.look(t.Context())
	if !strings.Contains(log.String(), `answer="UNAVAILABLE to 75%"`) {
		t.Errorf("the log says %q", log.String())
	}
}

// A storm in one campaign is said of it alone, says whether the pushes are repeated, and is seen at
// a low rate too.
func TestStormOfOneCampaign(t *testing.T) {
	var log bytes.Buffer
	m := newAnswerMeter(daemonLog(&log))
	for range stormWindow / meterInterval {
		for range 3 {
			m.count("dead", fcm.Answer{Class: fcm.Unregistered, Code: "UNREGISTERED"})
			m.count("good", fcm.Answer{Class: fcm.Sent})
			m.count("good", fcm.Answer{Class: fcm.Sent})
		}
		m.look(t.Context())
	}
	if got := log.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, `msg="FCM refuses most pushes for good" campaign=dead answer="UNREGISTERED to 100%" answers=21`) {
		t.Errorf("the log says %q", got)
	}
}
