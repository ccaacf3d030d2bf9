package fcmsim

import (
	"encoding/binary"
	"encoding/hex"
	"net/http"
	"strconv"
	"time"
)

// maxBody is far above what FCM takes as a message, so that too large a message is read and told so.
const maxBody = 1 << 20

// refusal is an answer that the request earned by itself.
type refusal struct {
	code   Code
	answer answer
}

// verdict is what becomes of a good request. Whether FCM has the message is settled by then: an answer that comes late,
// or never, changes nothing about it.
type verdict struct {
	outcome Outcome
	project string
	to      target
	name    string // of the message, when the answer tells it
	delay   time.Duration
}

// judge reads the request and decides on it.
func (s *Simulator) judge(r *http.Request, project string, book *playbook) (verdict, *refusal) {
	if s.options.RequireAuth {
		if refused := s.issuer.authorize(r.Header.Get("Authorization"), time.Now()); refused != nil {
			return verdict{}, refused
		}
	}
	p := parsers.Get().(*parser)
	defer parsers.Put(p)
	if err := p.read(r.Body); err != nil {
		// A sender that left in the midst of its body does not see this either.
		page := html(http.StatusRequestEntityTooLarge, "Your client issued a request that was too large.")
		return verdict{}, &refusal{CodeInvalidArgument, page}
	}
	if wrong := p.parse(); wrong != nil {
		return verdict{}, &refusal{CodeInvalidArgument, plain(*wrong)}
	}
	if s.options.Project != "" && project != s.options.Project {
		return verdict{}, &refusal{CodePermissionDenied, plain(permissionDenied(project))}
	}
	return s.decide(p, project, book), nil
}

func (s *Simulator) decide(p *parser, project string, book *playbook) verdict {
	key := ledgerKey{target: fingerprint(0, p.to.value), message: p.contentHash()}
	attempt := uint32(1)
	if !p.validateOnly {
		attempt = s.ledger.attempt(key)
	}
	throws := dice(s.options.Seed ^ key.target ^ key.message ^ uint64(attempt))
	v := verdict{outcome: book.outcome(p.to.address(), attempt, &throws), project: project, to: p.to}
	v.delay = book.latency(v.outcome, &throws)
	if p.validateOnly {
		v.name = "projects/" + project + "/messages/fake_message_id"
		if v.outcome.Code.accepts() {
			s.tally.validated.Add(1)
		}
		return v
	}
	if v.outcome.Code.accepts() || throws.float() < v.outcome.Delivered {
		v.name = messageName(project, throws.next())
		s.tally.accepted.Add(1)
		if s.ledger.accept(key, p.to.value, p.message, v.name) {
			s.tally.distinct.Add(1)
		}
	}
	return v
}

// messageName is of FCM's form: microseconds since 1970, then 16 hex digits.
func messageName(project string, unique uint64) string {
	digits := hex.EncodeToString(binary.BigEndian.AppendUint64(nil, unique))
	return "projects/" + project + "/messages/0:" + strconv.FormatInt(time.Now().UnixMicro(), 10) + "%" + digits
}
