package servers

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// PgBouncer starts a pooler in front of a database and returns the database's URL through it. The
// pooler stops when the test ends. Settings are lines of its configuration, such as "pool_mode =
// transaction".
func PgBouncer(t testing.TB, database string, settings ...string) (through string) {
	t.Helper()
	server, err := StartPgBouncer(database, settings...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	return server.URL(database)
}

// PgBouncerServer is a running pooler in front of one PostgreSQL server.
type PgBouncerServer struct {
	dir     string
	port    int
	cmd     *exec.Cmd
	reading sync.WaitGroup
	stopped sync.Once
}

// StartPgBouncer starts a pooler for all databases of a server. database is the URL of any of them.
func StartPgBouncer(database string, settings ...string) (*PgBouncerServer, error) {
	program, err := pgbouncerProgram()
	if err != nil {
		return nil, err
	}
	owner, err := findPostgresAccount() // PgBouncer refuses to run as root, too
	if err != nil {
		return nil, err
	}
	target, err := url.Parse(database)
	if err != nil {
		return nil, errors.New("start pgbouncer: the database's URL cannot be read")
	}
	dir, err := os.MkdirTemp("", "fanfare-pgbouncer-")
	if err != nil {
		return nil, err
	}
	b := &PgBouncerServer{dir: dir}
	var problems []error
	for range startAttempts {
		err := b.configure(target, settings)
		if err == nil {
			err = errors.Join(owner.chown(dir), owner.chown(b.file("pgbouncer.ini")), owner.chown(b.file("users.txt")))
		}
		if err == nil {
			err = b.start(program, owner)
		}
		if err == nil {
			return b, nil
		}
		problems = append(problems, err)
	}
	return nil, errors.Join(fmt.Errorf("start pgbouncer: %w", errors.Join(problems...)), os.RemoveAll(dir))
}

// URL returns a database's URL through the pooler.
func (b *PgBouncerServer) URL(database string) string {
	through, err := url.Parse(database)
	if err != nil {
		return ""
	}
	through.Host = fmt.Sprintf("127.0.0.1:%d", b.port)
	return through.String()
}

func pgbouncerProgram() (string, error) {
	if path, err := exec.LookPath("pgbouncer"); err == nil {
		return path, nil
	}
	if _, err := os.Stat("/usr/sbin/pgbouncer"); err == nil {
		return "/usr/sbin/pgbouncer", nil // Debian leaves it out of a user's PATH
	}
	return "", errors.New("this test needs PgBouncer. Type: apt-get install -y pgbouncer")
}

func (b *PgBouncerServer) file(name string) string { return filepath.Join(b.dir, name) }

// configure writes the pooler's files, with a free port. It trusts all roles.
func (b *PgBouncerServer) configure(target *url.URL, settings []string) error {
	port, err := FreePort()
	if err != nil {
		return err
	}
	b.port = port
	lines := []string{
		"[databases]",
		fmt.Sprintf("* = host=%s port=%s", target.Hostname(), target.Port()),
		"[pgbouncer]",
		"listen_addr = 127.0.0.1",
		fmt.Sprintf("listen_port = %d", port),
		"unix_socket_dir =",
		"auth_type = trust",
		"auth_file = " + b.file("users.txt"),
		"auth_user = " + target.User.Username(), // looks up all other roles
	}
	users := fmt.Sprintf("%q %q\n", target.User.Username(), "")
	return errors.Join(
		os.WriteFile(b.file("users.txt"), []byte(users), 0o600),
		os.WriteFile(b.file("pgbouncer.ini"), []byte(strings.Join(append(lines, settings...), "\n")+"\n"), 0o600),
	)
}

// start runs the pooler. It returns when the log says that it is up, or that it ended.
func (b *PgBouncerServer) start(program string, owner *account) error {
	cmd := exec.Command(program, b.file("pgbouncer.ini"))
	owner.run(cmd)
	if err := startAndAwait(cmd, "process up", &b.reading); err != nil {
		return err
	}
	b.cmd = cmd
	return nil
}

// Stop kills the pooler and removes its directory.
func (b *PgBouncerServer) Stop() {
	b.stopped.Do(func() {
		_ = b.cmd.Process.Kill()
		b.reading.Wait()
		_ = b.cmd.Wait()
		_ = os.RemoveAll(b.dir)
	})
}
