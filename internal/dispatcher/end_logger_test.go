package dispatcher

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/fcm"
)

// syncLog is a log that several dispatchers write and a test reads.
type syncLog struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *syncLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *syncLog) count(line string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(regexp.MustCompile(line).FindAllString(l.text.String(), -1))
}

func (l *syncLog) wantOnce(t *testing.T, line string) {
	t.Helper()
	if n := l.count(line); n != 1 {
		t.Errorf("%d lines like %s in\n%s", n, line, l.text.String())
	}
}

// A campaign that its deadline ends has one line, with those who were not sent to.
func TestEndOfAnExpiredCampaign(t *testing.T) {
	w := newWorld(t)
	log := new(syncLog)
	w.deps.Logger = daemonLog(log)
	w.campaign(campaign.Spec{ID: "42", Deadline: time.Now().Add(-time.Minute)}, audience(5)...)
	if _, ended := errors.AsType[*EndedError](w.job("42")); !ended {
		t.Fatal("the campaign has not expired")
	}
	log.wantOnce(t, `level=WARN msg="campaign expired before everyone was sent to" campaign=42 state=expired loaded=5 ended=5 sent=0 expired=5 codes=.* took=.* rate=\d+ reason="the deadline passed`)
	if n := log.count("campaign completed"); n > 0 {
		t.Errorf("%d lines say that it completed", n)
	}
}

// A cancelled campaign has one line of one of its dispatchers, once no one is in flight.
func TestEndOfACancelledCampaign(t *testing.T) {
	const line = `level=INFO msg="campaign cancelled" campaign=42 state=cancelled loaded=20 ended=3 sent=3 codes=.* took=.* rate=\d+ not_sent_to=17 reason="wrong link"\n`
	inBubble(t, func(t *testing.T, w *world) {
		log := new(syncLog)
		w.deps.Logger = daemonLog(log)
		w.options.Concurrency = 3
		release := make(chan struct{})
		w.sender.answer = func(ctx context.Context, token string) fcm.Answer {
			<-release
			return accepted(ctx, token)
		}
		w.campaign(campaign.Spec{ID: "42"}, audience(20)...)
		stop := w.serve(w.dispatcher())
		<-time.After(time.Second) // of the bubble: all places on the wire are taken
		if err := w.deps.Campaigns.Move(t.Context(), "42", campaign.Cancelled, "wrong link"); err != nil {
			t.Fatal(err)
		}
		stopOther := w.serve(w.dispatcher())
		<-time.After(time.Minute)
		if n := log.count("campaign cancelled"); n > 0 {
			t.Errorf("%d lines while some are in flight", n)
		}
		close(release)
		<-time.After(time.Minute)
		synctest.Wait()
		log.wantOnce(t, line)
		stop()
		stopOther()
		log.wantOnce(t, line)
	})
}

// The Job of a cancelled campaign logs the end, too, and no one logs it again. One that never
// started has none.
func TestEndOfACancelledJob(t *testing.T) {
	w := newWorld(t)
	log := new(syncLog)
	w.deps.Logger = daemonLog(log)
	w.campaign(campaign.Spec{ID: "42"}, audience(2)...)
	if err := w.deps.Campaigns.Create(t.Context(), campaign.Spec{ID: "43", Message: []byte(plainMessage)}); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"42", "43"} {
		if err := w.deps.Campaigns.Move(t.Context(), id, campaign.Cancelled, ""); err != nil {
			t.Fatal(err)
		}
		if _, ended := errors.AsType[*EndedError](w.job(id)); !ended {
			t.Fatalf("campaign %s has not ended", id)
		}
	}
	log.wantOnce(t, `msg="campaign cancelled" campaign=42 state=cancelled loaded=2 ended=0 sent=0`)
	w.dispatcher().ends.logCancelled(t.Context(), "42") // another process looked at the same time
	log.wantOnce(t, `msg="campaign cancelled"`)
}
