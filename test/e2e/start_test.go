package e2e

import (
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"fanfare/test/servers"
)

// TestStopDuringTheStart has what a program needs first say nothing: SIGTERM ends it at once all
// the same, and is no fault.
func TestStopDuringTheStart(t *testing.T) {
	t.Parallel()
	account := filepath.Join(t.TempDir(), "account.json")
	s := servers.NewSystem(t, programs, servers.SystemOptions{
		Simulator: []string{"--project", "e2e", "--credentials-file", account}, Database: "sqlite:" + t.TempDir() + "/fanfare.db",
		Env: []string{"FANFARE_STORE_TOKEN_QUERY=off"},
	})
	redis := func(silent string) string { return "REDIS_URL=redis://" + silent }
	bank := func(silent string) string {
		return "GOOGLE_APPLICATION_CREDENTIALS=" + s.File("account.json", withTokensFrom(t, account, silent))
	}
	for name, test := range map[string]struct {
		silent  func(addr string) (env string)
		program []string
		code    int
	}{
		"dispatcher without Redis":      {redis, []string{"dispatcher"}, 0},
		"Job without Redis":             {redis, []string{"dispatcher", "--campaign=42"}, 75},
		"responder without Redis":       {redis, []string{"responder"}, 0},
		"dispatcher without its bearer": {bank, []string{"dispatcher"}, 0},
		"Job without its bearer":        {bank, []string{"dispatcher", "--campaign=42"}, 75},
	} {
		t.Run(name, func(t *testing.T) {
			addr, connected := silence(t)
			env := []string{test.silent(addr), "FANFARE_REDIS_READ_TIMEOUT=1h", "FANFARE_FCM_TIMEOUT=1h"}
			p := s.Start(env, test.program[0], test.program[1:]...)
			<-connected
			p.Signal(syscall.SIGTERM)
			p.ExpectExit(test.code)
			if strings.Contains(p.Log(), `"level":"ERROR","msg":"stopped"`) {
				t.Errorf("a stop is logged as a fault: %s", p.Log())
			}
		})
	}
}

// silence accepts connections and writes nothing. It closes connected after the first one.
func silence(t *testing.T) (addr string, connected <-chan struct{}) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	first := make(chan struct{})
	go func() {
		for n := 0; ; n++ {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			defer func() { _ = conn.Close() }()
			if n == 0 {
				close(first)
			}
		}
	}()
	return listener.Addr().String(), first
}

// withTokensFrom is an account's file that has another token endpoint.
func withTokensFrom(t *testing.T, account, addr string) (file string) {
	t.Helper()
	text, err := os.ReadFile(account)
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]string
	if err := json.Unmarshal(text, &fields); err != nil {
		t.Fatal(err)
	}
	fields["token_uri"] = "http://" + addr
	if text, err = json.Marshal(fields); err != nil {
		t.Fatal(err)
	}
	return string(text)
}
