package fcmsim

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"time"
)

func (s *Simulator) serveSend(w http.ResponseWriter, r *http.Request, project string) {
	s.tally.inFlight.up()
	defer s.tally.inFlight.down()
	v, struck := s.glance(project)
	if !struck {
		v = s.receive(request{project, r.Header.Get("Authorization"), r.Body})
	}
	s.finish(w, r, v)
}

// finish answers, or fails to.
func (s *Simulator) finish(w http.ResponseWriter, r *http.Request, v verdict) {
	if v.refused != nil {
		v.refused.write(w)
		return
	}
	if !wait(r.Context(), v.delay) {
		s.tally.abandoned.Add(1)
		return
	}
	switch v.outcome.Code {
	case CodeOK, CodeTrickle, CodeGoAwayAfterRead:
		if v.outcome.Code == CodeGoAwayAfterRead {
			w.Header().Set("Connection", "close") // GOAWAY, over HTTP/2
		}
		w.Header()["Content-Type"] = []string{jsonContent}
		_, _ = io.WriteString(w, "{\n  \"name\": \""+v.name+"\"\n}\n")
	case CodeHang:
		<-r.Context().Done()
		s.tally.abandoned.Add(1)
	case CodeResetBeforeRead, CodeResetAfterRead, CodeRefusedStream, CodeGoAwayBeforeRead:
		panic(http.ErrAbortHandler)
	case CodeCloseBeforeRead, CodeCloseAfterRead:
		closeConnection(r.Context())
		panic(http.ErrAbortHandler)
	case CodeTruncated:
		truncate(w, v.name)
	default:
		if after, _ := v.outcome.retryAfter(time.Now()); after != "" {
			w.Header().Set("Retry-After", after)
		}
		v.answer().write(w)
	}
}

// truncate promises the whole body, sends half of it and resets.
func truncate(w http.ResponseWriter, name string) {
	body := "{\n  \"name\": \"" + name + "\"\n}\n"
	w.Header().Set("Content-Type", jsonContent)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = io.WriteString(w, body[:len(body)/2])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
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
