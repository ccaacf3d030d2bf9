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

// frontend is Google's front end: it routes paths and translates decisions for the transport.
type frontend struct{ *Simulator }

var notFound = htmlResponse(http.StatusNotFound, "The requested URL was not found on this server.")

// HandleHeaders decides on outcomes that happen before the body is read.
func (f frontend) HandleHeaders(r *h2.Request) (h2.Reply, bool) {
	project, ok := parseSendPath(r)
	if !ok {
		return h2.Reply{}, false
	}
	f.counters.inFlight.increase()
	v, decided := f.decideEarly(project)
	if !decided {
		return h2.Reply{}, false
	}
	return v.reply(), true
}

// HandleRequest decides on a complete request.
func (f frontend) HandleRequest(r *h2.Request) h2.Reply {
	if project, ok := parseSendPath(r); ok {
		return f.decideFull(request{project, r.Authorization, r.Body, r.TooLarge}).reply()
	}
	if r.Path == "/token" && r.Method == http.MethodPost {
		return f.answerTokenRequest(r.Body)
	}
	return notFound.reply()
}

// Finish counts requests in flight and those whose sender left.
func (f frontend) Finish(r *h2.Request, left bool) {
	if _, ok := parseSendPath(r); !ok {
		return
	}
	f.counters.inFlight.decrease()
	if left {
		f.counters.abandoned.Add(1)
	}
}

// parseSendPath returns the project of a request to messages:send.
func parseSendPath(r *h2.Request) (project string, ok bool) {
	rest, ok := strings.CutPrefix(r.Path, "/v1/projects/")
	if !ok || r.Method != http.MethodPost {
		return "", false
	}
	project, ok = strings.CutSuffix(rest, "/messages:send")
	return project, ok && project != "" && !strings.Contains(project, "/")
}

// reply translates a decision for the transport.
func (v decision) reply() h2.Reply {
	if v.refusal != nil {
		return v.refusal.reply()
	}
	reply := v.response().reply()
	reply.Fault, reply.Delay = codeFaults[v.outcome.Code], v.delay
	if v.outcome.RetryAfter != "" {
		after, _ := v.outcome.retryAfterValue(time.Now().Add(v.delay)) // checked with the rules
		reply.Header = append(reply.Header, h2.Field{Name: "retry-after", Value: after})
	}
	return reply
}

func (a response) reply() h2.Reply {
	return h2.Reply{Status: a.status, Header: []h2.Field{{Name: "content-type", Value: a.contentType}}, Body: a.body}
}

// codeFaults has the fault of the transport for each code. Codes with a complete response have
// none.
var codeFaults = [numCodes]h2.Fault{
	CodeTruncated:        h2.FaultTruncate,
	CodeTrickle:          h2.FaultTrickle,
	CodeHang:             h2.FaultHang,
	CodeRefusedStream:    h2.FaultRefuse,
	CodeResetBeforeRead:  h2.FaultReset,
	CodeResetAfterRead:   h2.FaultReset,
	CodeCloseBeforeRead:  h2.FaultAbort,
	CodeCloseAfterRead:   h2.FaultAbort,
	CodeGoAwayBeforeRead: h2.FaultGoAwayBefore,
	CodeGoAwayAfterRead:  h2.FaultGoAwayAfter,
}

// ServeHTTP answers requests over net/http. It serves HTTP/1.1 here, and any protocol when a
// program mounts Simulator.Handler itself.
func (f frontend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	request := h2.Request{Method: r.Method, Path: r.URL.Path, Authorization: r.Header.Get("Authorization")}
	left := false
	reply, decided := f.HandleHeaders(&request)
	defer func() { f.Finish(&request, left) }()
	if !decided {
		control := http.NewResponseController(w)
		_ = control.SetReadDeadline(time.Now().Add(bodyTimeout)) // only test writers fail here
		body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
		_ = control.SetReadDeadline(time.Time{})
		// If the sender left during its body, it does not see this response either.
		if request.TooLarge = err != nil || len(body) > maxBody; !request.TooLarge {
			request.Body = body
		}
		reply = f.HandleRequest(&request)
	}
	left = !writeReply(w, r, reply)
}

// writeReply performs a reply as far as net/http can. It reports whether the sender was still
// connected.
func writeReply(w http.ResponseWriter, r *http.Request, reply h2.Reply) bool {
	if reply.Fault == h2.FaultTrickle {
		return writeTrickle(w, r, reply)
	}
	if !wait(r.Context(), reply.Delay) {
		return false
	}
	switch reply.Fault {
	case h2.FaultHang:
		<-r.Context().Done()
		return false
	case h2.FaultReset, h2.FaultRefuse, h2.FaultGoAwayBefore:
		panic(http.ErrAbortHandler)
	case h2.FaultAbort:
		abortConnection(r.Context())
		panic(http.ErrAbortHandler)
	case h2.FaultTruncate:
		writeHead(w, reply)
		_, _ = w.Write(reply.Body[:len(reply.Body)/2])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	case h2.FaultGoAwayAfter:
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

// writeTrickle sends the headers at once and the body in pieces.
func writeTrickle(w http.ResponseWriter, r *http.Request, reply h2.Reply) bool {
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

// wait waits for d and reports whether the sender is still connected.
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
