// Package job is the contract of the senders that Fanfare is compared with: what a sender is told
// to do, and what it reports.
package job

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"sync/atomic"
)

// Job is what a sender is told to do: push one message to each of Count users, with InFlight
// requests at a time, and exit.
type Job struct {
	Endpoint string // of FCM, such as https://127.0.0.1:4443/v1
	CAFile   string // the authority that signed its certificate
	Redis    string // host:port; unused by senders without a queue
	Count    int
	InFlight int
	next     atomic.Int64
	failed   atomic.Int64
}

// Read takes the job from the command line. It exits with a usage error if flags are wrong.
func Read() *Job {
	j := &Job{}
	flag.StringVar(&j.Endpoint, "endpoint", "", "FCM `endpoint`")
	flag.StringVar(&j.CAFile, "ca", "", "`file` of the certificate authority of the endpoint")
	flag.StringVar(&j.Redis, "redis", "", "`address` of Redis")
	flag.IntVar(&j.Count, "count", 0, "users to push to")
	flag.IntVar(&j.InFlight, "inflight", 1, "requests at a time")
	flag.Parse()
	return j
}

// Next returns the number of the next user, from 0; false when all are taken.
func (j *Job) Next() (int, bool) {
	n := int(j.next.Add(1)) - 1
	return n, n < j.Count
}

// Fail counts a push that failed, and prints the first reason.
func (j *Job) Fail(err error) {
	if j.failed.Add(1) == 1 {
		fmt.Fprintln(os.Stderr, "first failure:", err)
	}
}

// End exits 1 if the sender could not work, or a push failed.
func (j *Job) End(err error) {
	if n := j.failed.Load(); err == nil && n > 0 {
		err = fmt.Errorf("%d of %d pushes failed", n, j.Count)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// Connections is how many HTTP/2 connections the requests in flight need.
func (j *Job) Connections() int { return (j.InFlight + streams - 1) / streams }

// streams is how many requests a connection to FCM takes at a time.
const streams = 100

// TLS trusts the endpoint.
func (j *Job) TLS() (*tls.Config, error) {
	pem, err := os.ReadFile(j.CAFile)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, errors.New("no certificate in " + j.CAFile)
	}
	return &tls.Config{RootCAs: roots}, nil
}

// Host is the endpoint's host:port.
func (j *Job) Host() (string, error) {
	u, err := url.Parse(j.Endpoint)
	if err != nil {
		return "", fmt.Errorf("read the endpoint: %w", err)
	}
	return u.Host, nil
}

// Project that the senders push to.
const Project = "bench"

// User and Token are those of the audience that test/bench writes for the dispatcher.
func User(n int) string  { return "user-" + strconv.Itoa(n) }
func Token(n int) string { return "bench-" + strconv.Itoa(n) + tail }

// Title and Body of the message.
const (
	Title = "Bench"
	Body  = "One of many"
)

// Tag lets a device show a repeated message once. The dispatcher adds one to each message.
func Tag(user string) string { return "peers:" + user }

// tail brings a token to the usual length of about 160 bytes.
const tail = ":APA91bHun4MxP5egoKMwt2KZFBaFUH-1RYqx3M0B0kXQ7gQv0kYtY2mB3uPQ5nC1sD8wJrLzXyVf6hTgUeIoKpAaSsDdFfGgHhJjKkLlQqWwEeRrTtYyUuIiOoPpZzXxCcVvBbNnMm"
