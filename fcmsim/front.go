package fcmsim

import (
	"net/http"
	"strings"
	"time"

	"fanfare/fcmsim/internal/h2"
)

// front is Google's front end: it knows the paths, and tells the transport what becomes of a request.
type front struct{ *Simulator }

var notFound = html(http.StatusNotFound, "The requested URL was not found on this server.")

// Head strikes before the body is read.
func (f front) Head(r *h2.Request) (h2.Reply, bool) {
	project, ok := sendsTo(r)
	if !ok {
		return h2.Reply{}, false
	}
	f.tally.inFlight.up()
	v, struck := f.glance(project)
	if !struck {
		return h2.Reply{}, false
	}
	return v.reply(), true
}

// Answer decides on a request that is there whole.
func (f front) Answer(r *h2.Request) h2.Reply {
	if project, ok := sendsTo(r); ok {
		return f.receive(request{project, r.Authorization, r.Body, r.TooLarge}).reply()
	}
	if r.Path == "/token" && r.Method == http.MethodPost {
		return f.token(r.Body)
	}
	return notFound.reply()
}

// Done keeps the books of what is in flight.
func (f front) Done(r *h2.Request, left bool) {
	if _, ok := sendsTo(r); !ok {
		return
	}
	f.tally.inFlight.down()
	if left {
		f.tally.abandoned.Add(1)
	}
}

// sendsTo gives the project of a request to messages:send.
func sendsTo(r *h2.Request) (project string, ok bool) {
	rest, ok := strings.CutPrefix(r.Path, "/v1/projects/")
	if !ok || r.Method != http.MethodPost {
		return "", false
	}
	project, ok = strings.CutSuffix(rest, "/messages:send")
	return project, ok && project != "" && !strings.Contains(project, "/")
}

// reply is the verdict at the wire.
func (v verdict) reply() h2.Reply {
	if v.refused != nil {
		return v.refused.reply()
	}
	reply := v.answer().reply()
	reply.Fate, reply.Delay = fates[v.outcome.Code], v.delay
	if v.outcome.RetryAfter != "" {
		after, _ := v.outcome.retryAfter(time.Now().Add(v.delay)) // it was checked with the rules
		reply.Header = append(reply.Header, h2.Field{Name: "retry-after", Value: after})
	}
	return reply
}

func (a answer) reply() h2.Reply {
	return h2.Reply{Status: a.status, Header: []h2.Field{{Name: "content-type", Value: a.content}}, Body: a.body}
}
