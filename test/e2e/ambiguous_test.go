package e2e

import (
	"testing"

	"fanfare/test/servers"
)

// TestAmbiguousAnswers sends to tokens whose push is accepted although no readable answer says so.
// What becomes of them is the campaign's choice. A 200 that cannot be read is no exception: a proxy
// says 200 without delivering anything.
func TestAmbiguousAnswers(t *testing.T) {
	for name, test := range map[string]struct {
		token, onAmbiguous string
		status, code       string
		accepted           int
	}{
		"no answer, resend":   {"lost1-", "resend", "sent", "", 2},
		"no answer, report":   {"lost1-", "report", "unknown", "OUTCOME_UNKNOWN", 1},
		"reset, resend":       {"reset1-", "resend", "sent", "", 2},
		"reset, report":       {"reset1-", "report", "unknown", "OUTCOME_UNKNOWN", 1},
		"503, report":         {"ghost1-", "report", "unknown", "UNAVAILABLE", 1},
		"garbled 200, resend": {"garbled1-", "resend", "sent", "", 2},
		"garbled 200, report": {"garbled1-", "report", "unknown", "OUTCOME_UNKNOWN", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := servers.NewSystem(t, programs, servers.SystemOptions{Env: []string{"FANFARE_FCM_TIMEOUT=3s"}})
			s.Fanfare("campaign", "create", "42", "--message", s.File("message.json", servers.PlainMessage), "--on-ambiguous", test.onAmbiguous)
			s.Fanfare("load", "42", s.File("audience.csv", "userId,fcmToken\nu,"+test.token+"u\n"))
			s.Fanfare("campaign", "start", "42")
			s.Job("42").ExpectExit(0)
			if accepted := servers.CountAccepted(s.Sim.Ledger()[test.token+"u"]); accepted != test.accepted {
				t.Errorf("FCM accepted the message %d times, want %d", accepted, test.accepted)
			}
			books := s.Show("42").Books
			code := test.status + ":" + test.code
			if test.status == "sent" && books.Sent != 1 || test.status == "unknown" && (books.Unknown != 1 || books.Codes[code] != 1) {
				t.Errorf("books %+v, want one %s %s", books, test.status, test.code)
			}
		})
	}
}
