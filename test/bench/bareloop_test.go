package bench

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	firebase "firebase.google.com/go/v4"
	"firebase.google.com/go/v4/messaging"
	"google.golang.org/api/option"
)

// The bare loop is what the dispatcher is held against: the SDK's Send, called by as many
// goroutines, with one plain transport, and nothing else: no Redis, no tokens to find, no outcome
// to write. It runs in a process of its own, so that its CPU can be counted.
const (
	bareLoopEnv = "FANFARE_BARE_LOOP" // the endpoint
	bareCAEnv   = "FANFARE_BARE_CA"
	bareCount   = "FANFARE_BARE_COUNT"
	bareWorkers = "FANFARE_BARE_WORKERS"
)

func bareLoop() error {
	count, err := strconv.ParseInt(os.Getenv(bareCount), 10, 64)
	if err != nil {
		return err
	}
	workers, err := strconv.Atoi(os.Getenv(bareWorkers))
	if err != nil {
		return err
	}
	client, err := bareClient(os.Getenv(bareLoopEnv), os.Getenv(bareCAEnv))
	if err != nil {
		return err
	}
	var next, failed atomic.Int64
	var group sync.WaitGroup
	start := time.Now()
	for range workers {
		group.Go(func() {
			for {
				n := next.Add(1)
				if n > count {
					return
				}
				if _, err := client.Send(context.Background(), bareMessage(strconv.FormatInt(n, 10))); err != nil {
					failed.Add(1)
				}
			}
		})
	}
	group.Wait()
	fmt.Println(time.Since(start).Seconds())
	if n := failed.Load(); n > 0 {
		return fmt.Errorf("%d of %d sends failed", n, count)
	}
	return nil
}

// bareMessage is what the dispatcher sends: with the tag and the collapse id that let a device show
// a repeated message once, and a token as long as in the audience.
func bareMessage(n string) *messaging.Message {
	id := "bare:user-" + n
	return &messaging.Message{
		Token:        "bench-" + n + tokenTail, //nolint:staticcheck // the dispatcher sends to tokens, too
		Notification: &messaging.Notification{Title: "Bench", Body: "One of many"},
		Android:      &messaging.AndroidConfig{Notification: &messaging.AndroidNotification{Tag: id}},
		APNS:         &messaging.APNSConfig{Headers: map[string]string{"apns-collapse-id": id}},
	}
}

func bareClient(endpoint, caFile string) (*messaging.Client, error) {
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, errors.New("no certificate in " + caFile)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: roots}
	app, err := firebase.NewApp(context.Background(), &firebase.Config{ProjectID: "bench"},
		option.WithEndpoint(endpoint), option.WithHTTPClient(&http.Client{Transport: transport}))
	if err != nil {
		return nil, err
	}
	return app.Messaging(context.Background())
}
