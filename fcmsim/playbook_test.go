package fcmsim

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestSharesAreOfAllRequests although some outcomes strike before the others.
func TestSharesAreOfAllRequests(t *testing.T) {
	p := newPlaybook(Rules{Outcomes: []Outcome{
		{Code: CodeRefusedStream, Share: 0.25}, {Code: CodeInternal, Share: 0.25}, {Code: CodeCloseBeforeRead, Share: 0.25},
	}}, time.Now())
	if len(p.unread) != 2 || p.unread[0].limit != 0.25 || p.unread[1].limit != 0.5 {
		t.Errorf("before the request is read: %+v", p.unread)
	}
	if len(p.read) != 1 || p.read[0].limit != 0.5 { // half of the half that is read
		t.Errorf("after it is read: %+v", p.read)
	}
	d, failed := dice(1), 0
	for range 1000 {
		if _, struck := (TokenRules{Fault: TokenInternal, Share: 0.9}).fail(&d); struck {
			failed++
		}
	}
	if failed < 850 || failed > 950 {
		t.Errorf("%d of 1000 exchanges fail, want nine of ten", failed)
	}
}

func TestABearerEndsWithItsLifetime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer, book := newIssuer(), newPlaybook(Rules{}, time.Now())
		header := "Bearer " + issuer.issue(time.Now(), time.Minute)
		for _, c := range []struct {
			wait time.Duration
			good bool
		}{{0, true}, {time.Minute, true}, {1, false}} {
			pass(c.wait)
			if refused := issuer.authorize(header, book, time.Now()); (refused == nil) != c.good {
				t.Errorf("%s later: refused %t", c.wait, refused != nil)
			}
		}
	})
}

func TestClearedCountsBeginWithWhatIsUnderWay(t *testing.T) {
	s := newSimulator(t, Options{})
	for _, g := range []*gauge{&s.tally.inFlight, &s.tally.open} {
		g.up()
		g.up()
		g.down()
	}
	s.ClearLedger()
	if c := s.Counts(); c.InFlight != 1 || c.MaxInFlight != 1 || c.Connections.Open != 1 || c.Connections.MaxOpen != 1 {
		t.Errorf("got %+v", c)
	}
}
