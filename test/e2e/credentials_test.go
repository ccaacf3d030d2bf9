package e2e

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fanfare/test/servers"
)

// TestCredentials wants exit code 3 from a Job whose credentials are refused, before it claims
// anyone. The campaign is sent after they are fixed.
func TestCredentials(t *testing.T) {
	t.Parallel()
	account := filepath.Join(t.TempDir(), "account.json")
	s := servers.NewSystem(t, programs, servers.SystemOptions{
		Simulator: []string{"--require-auth", "--project", "e2e", "--credentials-file", account},
	})
	s.Campaign("42", audience(20))
	for name, file := range map[string]string{
		"garbage":        s.File("account.json", "no JSON"),
		"not an account": s.File("account.json", `{"type":"service_account"}`),
		"another's key":  withAnotherKey(t, s, account),
		"no such file":   "/nowhere/account.json",
	} {
		t.Run(name, func(t *testing.T) {
			p := s.Job("42", "GOOGLE_APPLICATION_CREDENTIALS="+file)
			if code := p.Wait(); code != 3 || !strings.Contains(p.Log(), file) {
				t.Errorf("exited %d saying %q, want 3 and the file named", code, p.Log())
			}
		})
	}
	if view := s.Show("42"); view.Books.Waiting != 20 {
		t.Errorf("books %+v after refused credentials, want everybody to wait", view.Books)
	}
	s.Job("42", "GOOGLE_APPLICATION_CREDENTIALS="+account).ExpectExit(0)
	if view := s.Show("42"); view.Books.Sent != 20 {
		t.Errorf("books %+v with the right credentials, want everybody sent", view.Books)
	}
}

// withAnotherKey is an account's file with a key that is not the account's.
func withAnotherKey(t *testing.T, s *servers.System, account string) (file string) {
	t.Helper()
	text, err := os.ReadFile(account)
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]string
	if err := json.Unmarshal(text, &fields); err != nil {
		t.Fatal(err)
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	fields["private_key"] = string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	if text, err = json.Marshal(fields); err != nil {
		t.Fatal(err)
	}
	return s.File("account.json", string(text))
}

// TestRedisRefuses wants exit code 3 where Redis does not accept who we are, and 1 where it is not
// there at all.
func TestRedisRefuses(t *testing.T) {
	t.Parallel()
	s := servers.NewSystem(t, programs, servers.SystemOptions{Database: "sqlite:" + t.TempDir() + "/fanfare.db"})
	addr := servers.Redis(t, "--requirepass", "right")
	for name, test := range map[string]struct {
		url  string
		code int
	}{
		"no password":    {"redis://" + addr, 3},
		"wrong password": {"redis://:wrong@" + addr, 3},
		"nobody there":   {"redis://127.0.0.1:1", 1},
	} {
		t.Run(name, func(t *testing.T) {
			for _, program := range []string{"dispatcher", "responder"} {
				p := s.Start([]string{"REDIS_URL=" + test.url}, program)
				if code := p.Wait(); code != test.code || strings.Contains(p.Log(), "wrong@") {
					t.Errorf("%s exited %d saying %q, want %d and no password", program, code, p.Log(), test.code)
				}
			}
		})
	}
}

// TestDatabaseRefuses wants exit code 3 where the database refuses the user or a statement, and 2
// where it does not exist. A scheduler restarts on neither.
func TestDatabaseRefuses(t *testing.T) {
	t.Parallel()
	s := servers.NewSystem(t, programs, servers.SystemOptions{})
	url := servers.Postgres(t)
	for name, test := range map[string]struct {
		url  string
		code int
	}{
		"unknown user":     {strings.Replace(url, "postgres@", "nobody:secret@", 1), 3},
		"no such database": {strings.Replace(url, "?", "-gone?", 1), 2},
		"no such folder":   {"sqlite:" + t.TempDir() + "/gone/fanfare.db", 2},
	} {
		t.Run(name, func(t *testing.T) {
			p := s.Start([]string{"DATABASE_URL=" + test.url}, "responder")
			if code := p.Wait(); code != test.code || !strings.Contains(p.Log(), "DATABASE_URL") || strings.Contains(p.Log(), "secret") {
				t.Errorf("exited %d saying %q, want %d, what was done, and no password", code, p.Log(), test.code)
			}
		})
	}
}

// TestRedisKeysDenied wants exit code 3 before anyone is claimed. A dispatcher that may not write
// results would send and keep no record of it.
func TestRedisKeysDenied(t *testing.T) {
	t.Parallel()
	addr := servers.Redis(t)
	s := servers.NewSystem(t, programs, servers.SystemOptions{
		Redis: []string{addr}, Database: "sqlite:" + t.TempDir() + "/fanfare.db", Env: []string{"FANFARE_STORE_TOKEN_QUERY=off"},
	})
	s.Campaign("42", audience(20))
	user := []any{"ACL", "SETUSER", "poor", "on", ">secret", "+@all", "~campaign:*", "~{campaign:*", "~profile:*", "~{fanfare:e2e}:*", "~user:*", "~{user:*"}
	if err := s.Redis.Do(t.Context(), user...).Err(); err != nil {
		t.Fatal(err)
	}
	as := "REDIS_URL=redis://poor:secret@" + addr
	const advice = "ACL SETUSER poor ~notification:responses ~{notification:responses}:*"
	for name, p := range map[string]*servers.Process{"dispatcher": s.Job("42", as), "responder": s.Start([]string{as}, "responder")} {
		if code := p.Wait(); code != 3 || !strings.Contains(p.Log(), advice) {
			t.Errorf("%s exited %d saying %q, want 3 and %s", name, code, p.Log(), advice)
		}
	}
	checkOnce(t, s, 0)
	if err := s.Redis.Do(t.Context(), "ACL", "SETUSER", "poor", "~notification:responses", "~{notification:responses}:*").Err(); err != nil {
		t.Fatal(err)
	}
	for command, rule := range map[string]string{"rpush": "campaign:* ", "scan": "no permission for scan", "time": "no permission for time"} {
		if err := s.Redis.Do(t.Context(), "ACL", "SETUSER", "poor", "-"+command).Err(); err != nil {
			t.Fatal(err)
		}
		p := s.Job("42", as)
		if code := p.Wait(); code != 3 || !strings.Contains(p.Log(), rule) || !strings.Contains(p.Log(), "ACL SETUSER poor +"+command) {
			t.Errorf("without %s it exited %d saying %q, want 3 and the rule", command, code, p.Log())
		}
		if err := s.Redis.Do(t.Context(), "ACL", "SETUSER", "poor", "+"+command).Err(); err != nil {
			t.Fatal(err)
		}
	}
	checkOnce(t, s, 0)
	s.Job("42", as).ExpectExit(0)
	checkOnce(t, s, 20)
}
