package fcm

import (
	"encoding/json"
	"net/http"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	firebase "firebase.google.com/go/v4"
	"firebase.google.com/go/v4/messaging"
	"google.golang.org/api/option"

	"fanfare/fcmsim"
)

// BenchmarkSend compares our Send with the bare SDK over one plain transport, with 500 requests in
// flight and 50 ms to an answer. Both include the simulator, which runs in this process. cpu-µs/op
// is the processor time, conns the number of TLS connections.
func BenchmarkSend(b *testing.B) {
	const inFlight = 500
	rules := fcmsim.Rules{Latency: fcmsim.Fixed(50 * time.Millisecond)}
	b.Run("fanfare", func(b *testing.B) {
		sim, srv := simulate(b, fcmsim.Options{Rules: rules})
		s := newSender(b, Options{Endpoint: srv.URLs.TLS, RootCAs: srv.CAFile, Concurrency: inFlight})
		flood(b, sim, inFlight, func() bool { return s.Send(b.Context(), body("token"), to("token")).Class == Sent })
	})
	b.Run("bare SDK", func(b *testing.B) {
		sim, srv := simulate(b, fcmsim.Options{Rules: rules})
		client := bareSDK(b, srv)
		request, err := readSDKRequest(body("token"))
		if err != nil {
			b.Fatal(err)
		}
		flood(b, sim, inFlight, func() bool {
			_, err := client.Send(b.Context(), request.Message)
			return err == nil
		})
	})
}

// bareSDK is the simplest client: one transport without limits.
func bareSDK(b *testing.B, srv *fcmsim.Server) *messaging.Client {
	b.Helper()
	o := Options{RootCAs: srv.CAFile}
	roots, err := o.loadRoots()
	if err != nil {
		b.Fatal(err)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig.RootCAs = roots
	b.Cleanup(transport.CloseIdleConnections)
	app, err := firebase.NewApp(b.Context(), &firebase.Config{ProjectID: "demo"},
		option.WithHTTPClient(&http.Client{Transport: transport}), option.WithEndpoint(srv.URLs.TLS))
	if err != nil {
		b.Fatal(err)
	}
	client, err := app.Messaging(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	return client
}

func flood(b *testing.B, sim *fcmsim.Simulator, inFlight int, send func() bool) {
	b.SetParallelism(inFlight / runtime.GOMAXPROCS(0))
	var failed atomic.Int64
	before := cpu(b)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if !send() {
				failed.Add(1)
			}
		}
	})
	b.StopTimer()
	b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(b.N), "cpu-µs/op")
	b.ReportMetric(float64(sim.Counts().Connections.TLS), "conns")
	if n := failed.Load(); n > 0 {
		b.Errorf("%d sends failed", n)
	}
}

func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkReadName compares reading the usual answer with and without a parser of JSON.
func BenchmarkReadName(b *testing.B) {
	answer := []byte("{\n  \"name\": \"projects/demo/messages/0:1764489600000000%31bd1c9631bd1c96\"\n}\n")
	b.Run("plain", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, ok := readPlainName(answer); !ok {
				b.Fatal("the usual answer is not plain")
			}
		}
	})
	b.Run("encoding/json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var body struct{ Name string }
			if err := json.Unmarshal(answer, &body); err != nil {
				b.Fatal(err)
			}
		}
	})
}
