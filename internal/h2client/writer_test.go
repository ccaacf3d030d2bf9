package h2client

import (
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// writeLog notes when a connection is written to.
type writeLog struct {
	net.Conn

	mu    sync.Mutex
	times []time.Time
}

func (l *writeLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	l.times = append(l.times, time.Now())
	l.mu.Unlock()
	return l.Conn.Write(p)
}

// since returns when each write after a time came.
func (l *writeLog) since(at time.Time) (all []time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, t := range l.times {
		if !t.Before(at) {
			all = append(all, t.Sub(at))
		}
	}
	return all
}

// On a busy connection a request waits for others, and one write carries them. On one that is not,
// none waits.
func TestBusyConnectionGathersRequests(t *testing.T) {
	t.Parallel()
	const apart = 110 * time.Microsecond
	for name, c := range map[string]struct {
		inFlight, more int
		want           []time.Duration // of the writes
	}{
		"idle":     {inFlight: 0, more: 3, want: []time.Duration{0, apart, 2 * apart}},
		"not busy": {inFlight: busyFrom - 2, more: 1, want: []time.Duration{0}},
		"busy":     {inFlight: busyFrom, more: 3, want: []time.Duration{gatherTime}},
		"longer":   {inFlight: busyFrom, more: 7, want: []time.Duration{gatherTime, 2 * gatherTime}},
	} {
		synctest.Test(t, func(t *testing.T) {
			near, far := net.Pipe()
			log := &writeLog{Conn: near}
			conn, _ := connectOver(t, log, far, Options{})
			go func() { _, _ = io.Copy(io.Discard, far) }()
			for range c.inFlight {
				send(t.Context(), conn, Request{})
			}
			<-time.After(time.Second)
			begun := time.Now()
			for range c.more {
				send(t.Context(), conn, Request{})
				<-time.After(apart)
			}
			<-time.After(10 * time.Millisecond)
			if got := log.since(begun); !slices.Equal(got, c.want) {
				t.Errorf("%s: written after %v, want %v", name, got, c.want)
			}
			_ = conn.Close()
			_ = far.Close()
		})
	}
}

// Enough requests wait for no more.
func TestManyRequestsDoNotWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		log := &writeLog{Conn: near}
		conn, _ := connectOver(t, log, far, Options{})
		go func() { _, _ = io.Copy(io.Discard, far) }()
		<-time.After(time.Second)
		begun := time.Now()
		conn.mu.Lock() // so that they are all queued when the writer looks
		for range enough {
			s := conn.newStream(t.Context(), &Request{}, &Response{})
			conn.inFlight++
			conn.queue = append(conn.queue, s)
		}
		conn.mu.Unlock()
		conn.wakeWriter()
		<-time.After(10 * time.Millisecond)
		if got := log.since(begun); !slices.Equal(got, []time.Duration{0}) {
			t.Errorf("written after %v, want at once", got)
		}
		_ = conn.Close()
		_ = far.Close()
	})
}
