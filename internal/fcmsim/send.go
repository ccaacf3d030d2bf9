package fcmsim

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"time"
)

func (s *Simulator) serveSend(w http.ResponseWriter, r *http.Request, project string) {
	arrival := s.tally.requests.Add(1)
	s.tally.inFlight.up()
	defer s.tally.inFlight.down()

	book := s.playbook.Load()
	throws := dice(s.options.Seed ^ uint64(arrival))
	if outcome, struck := book.unseen(&throws); struck {
		s.tally.codes[outcome.Code].Add(1)
		s.finish(w, r, verdict{outcome: outcome, delay: book.latency(outcome, &throws)})
		return
	}
	v, refusal := s.judge(r, project, book)
	if refusal != nil {
		s.tally.codes[refusal.code].Add(1)
		refusal.answer.write(w)
		return
	}
	s.tally.codes[v.outcome.Code].Add(1)
	s.finish(w, r, v)
}

// finish answers, or fails to.
func (s *Simulator) finish(w http.ResponseWriter, r *http.Request, v verdict) {
	if !wait(r.Context(), v.delay) {
		s.tally.abandoned.Add(1)
		return
	}
	switch v.outcome.Code {
	case CodeOK:
		w.Header()["Content-Type"] = []string{jsonContent}
		_, _ = io.WriteString(w, "{\n  \"name\": \""+v.name+"\"\n}\n")
	case CodeHang:
		<-r.Context().Done()
		s.tally.abandoned.Add(1)
	case CodeResetBeforeRead, CodeResetAfterRead:
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
		answerTo(v.outcome.Code, v.project, v.to).write(w)
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
