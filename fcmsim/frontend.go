package fcmsim

import (
	"context"
	"io"
	"net/http"
	"strconv"
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

// fates tells the transport how each code ends; those that are answered in full have none.
var fates = [numCodes]h2.Fate{
	CodeTruncated:        h2.Truncate,
	CodeTrickle:          h2.Trickle,
	CodeHang:             h2.Hang,
	CodeRefusedStream:    h2.Refuse,
	CodeResetBeforeRead:  h2.Reset,
	CodeResetAfterRead:   h2.Reset,
	CodeCloseBeforeRead:  h2.Cut,
	CodeCloseAfterRead:   h2.Cut,
	CodeGoAwayBeforeRead: h2.TurnAway,
	CodeGoAwayAfterRead:  h2.Retire,
}

// ServeHTTP answers over net/http, which serves HTTP/1.1 here, and anything where others use the Handler.
func (f front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	request := h2.Request{Method: r.Method, Path: r.URL.Path, Authorization: r.Header.Get("Authorization")}
	left := false
	reply, struck := f.Head(&request)
	defer func() { f.Done(&request, left) }()
	if !struck {
		control := http.NewResponseController(w)
		_ = control.SetReadDeadline(time.Now().Add(bodyTimeout)) // it fails on writers of tests only
		body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
		_ = control.SetReadDeadline(time.Time{})
		// A sender that left in the midst of its body does not see this either.
		if request.TooLarge = err != nil || len(body) > maxBody; !request.TooLarge {
			request.Body = body
		}
		reply = f.Answer(&request)
	}
	left = !play(w, r, reply)
}

// play does what a reply says as far as net/http can, and reports whether the sender was still there.
func play(w http.ResponseWriter, r *http.Request, reply h2.Reply) bool {
	if reply.Fate == h2.Trickle {
		return trickle(w, r, reply)
	}
	if !wait(r.Context(), reply.Delay) {
		return false
	}
	switch reply.Fate {
	case h2.Hang:
		<-r.Context().Done()
		return false
	case h2.Reset, h2.Refuse, h2.TurnAway:
		panic(http.ErrAbortHandler)
	case h2.Cut:
		cut(r.Context())
		panic(http.ErrAbortHandler)
	case h2.Truncate:
		writeHead(w, reply)
		_, _ = w.Write(reply.Body[:len(reply.Body)/2])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	case h2.Retire:
		w.Header().Set("Connection", "close") // GOAWAY, over HTTP/2
	}
	writeHead(w, reply)
	_, _ = w.Write(reply.Body)
	return true
}

func writeHead(w http.ResponseWriter, reply h2.Reply) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(reply.Delay + writeTimeout))
	for _, f := range reply.Header {
		w.Header().Set(f.Name, f.Value)
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(reply.Body)))
	w.WriteHeader(reply.Status)
}

// trickle sends the headers at once and the body in pieces.
func trickle(w http.ResponseWriter, r *http.Request, reply h2.Reply) bool {
	const pieces = 16
	writeHead(w, reply)
	for i := range pieces {
		_ = http.NewResponseController(w).Flush()
		if !wait(r.Context(), reply.Delay/pieces) {
			return false
		}
		_, _ = w.Write(reply.Body[len(reply.Body)*i/pieces : len(reply.Body)*(i+1)/pieces])
	}
	return true
}

// wait reports whether the sender is still there after d.
func wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
