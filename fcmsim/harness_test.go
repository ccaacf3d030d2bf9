package fcmsim_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"fanfare/fcmsim"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if latency, ok := os.LookupEnv(servesBenchmark); ok {
		if err := serveBenchmark(latency); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

// rig is a simulator on real listeners, and an HTTP/2 client that trusts it.
type rig struct {
	*fcmsim.Simulator
	srv    *fcmsim.Server
	client *http.Client
}

func newRig(t testing.TB, o fcmsim.Options) *rig {
	t.Helper()
	sim, err := fcmsim.New(o)
	if err != nil {
		t.Fatal(err)
	}
	srv, err := sim.Start(t.Context(), fcmsim.Listen{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
	})
	return &rig{sim, srv, newClient(t, srv.CAFile)}
}

func newClient(t testing.TB, caFile string) *http.Client {
	t.Helper()
	pem, err := os.ReadFile(caFile)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		t.Fatal("no certificate in the CA file")
	}
	transport := &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: pool}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// reply is a complete response.
type reply struct {
	status int
	proto  int
	header http.Header
	body   string
	err    errorBody
}

// errorBody is Google's, with all details that FCM sends.
type errorBody struct {
	Code    int
	Message string
	Status  string
	Details []detail
}

type detail struct {
	Type            string `json:"@type"`
	ErrorCode       string
	Reason          string
	FieldViolations []struct{ Field, Description string }
	Violations      []struct{ Subject, Description string }
}

func (e errorBody) detail(name string) (detail, bool) {
	for _, d := range e.Details {
		if strings.HasSuffix(d.Type, "/"+name) {
			return d, true
		}
	}
	return detail{}, false
}

const (
	fcmErrorType     = "google.firebase.fcm.v1.FcmError"
	badRequestType   = "google.rpc.BadRequest"
	quotaFailureType = "google.rpc.QuotaFailure"
)

func (r *rig) request(ctx context.Context, body string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.srv.URLs.TLS+"/projects/demo/messages:send", strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	return r.client.Do(req)
}

// post sends a body over HTTP/2 and reads the response.
func (r *rig) post(t testing.TB, body string) reply {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	res, err := r.request(ctx, body)
	if err != nil {
		t.Fatal(err)
	}
	return readReply(t, res)
}

func readReply(t testing.TB, res *http.Response) reply {
	t.Helper()
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	out := reply{status: res.StatusCode, proto: res.ProtoMajor, header: res.Header, body: string(body)}
	var envelope struct{ Error errorBody }
	if json.Unmarshal(body, &envelope) == nil {
		out.err = envelope.Error
	}
	return out
}

// toToken is a small valid message.
func toToken(token string) string {
	return `{"message":{"token":"` + token + `","notification":{"title":"Hello","body":"World"}}}`
}

func name(t testing.TB, r reply) string {
	t.Helper()
	var ok struct{ Name string }
	if err := json.Unmarshal([]byte(r.body), &ok); err != nil || r.status != http.StatusOK {
		t.Fatalf("want a 200 with a name, got %d %s", r.status, r.body)
	}
	return ok.Name
}
