package fcmsim

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"time"

	"fanfare/fcmsim/internal/h2"
)

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
