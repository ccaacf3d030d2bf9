package servers

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
)

// PostgresOptions configure a server. Every server has synchronous_commit on.
type PostgresOptions struct {
	// Fsync makes COMMIT wait for the disk, as in production. Measurements need it, tests do not.
	Fsync bool
}

// Postgres starts a PostgreSQL server and returns the URL of an empty database in it. The server
// stops when the test ends. A package with many tests starts one server in TestMain with
// StartPostgres instead.
func Postgres(t testing.TB) (url string) {
	t.Helper()
	server, err := StartPostgres(PostgresOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	return server.Database(t)
}

// PostgresServer is a running server with a directory of its own. It listens on loopback and on a
// socket in that directory.
type PostgresServer struct {
	dir       string
	port      int
	owner     *account
	cmd       *exec.Cmd
	reading   sync.WaitGroup
	stopped   sync.Once
	databases atomic.Int64
}

// StartPostgres initialises a cluster in a temporary directory and returns when it accepts
// connections. PostgreSQL refuses to run as root, so root runs it as another user.
func StartPostgres(o PostgresOptions) (*PostgresServer, error) {
	initdb, err := postgresProgram("initdb")
	if err != nil {
		return nil, err
	}
	server, err := postgresProgram("postgres")
	if err != nil {
		return nil, err
	}
	owner, err := findPostgresAccount()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "fanfare-pg-")
	if err != nil {
		return nil, err
	}
	p := &PostgresServer{dir: dir, owner: owner}
	if err := errors.Join(owner.chown(dir), p.init(initdb)); err != nil {
		return nil, errors.Join(fmt.Errorf("initialise postgres: %w", err), os.RemoveAll(dir))
	}
	var problems []error
	for range startAttempts {
		err := p.start(server, o)
		if err == nil {
			return p, nil
		}
		problems = append(problems, err)
	}
	return nil, errors.Join(fmt.Errorf("start postgres: %w", errors.Join(problems...)), os.RemoveAll(dir))
}

func (p *PostgresServer) data() string { return filepath.Join(p.dir, "data") }

func (p *PostgresServer) init(initdb string) error {
	cmd := exec.Command(initdb, "--pgdata", p.data(), "--username", "postgres", "--auth", "trust",
		"--encoding", "UTF8", "--locale", "C", "--no-sync", "--no-instructions")
	p.owner.run(cmd)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// start runs the server. It returns when the log says that it accepts connections, or that it
// ended.
func (p *PostgresServer) start(program string, o PostgresOptions) error {
	port, err := FreePort()
	if err != nil {
		return err
	}
	return p.listen(program, o, port)
}

func (p *PostgresServer) listen(program string, o PostgresOptions, port int) error {
	cmd := exec.Command(program, "-D", p.data(), "-p", strconv.Itoa(port), "-k", p.dir, "-h", "127.0.0.1",
		"-c", "fsync="+strconv.FormatBool(o.Fsync), "-c", "synchronous_commit=on", "-c", "max_connections=100")
	p.owner.run(cmd)
	if err := startAndAwait(cmd, "database system is ready to accept connections", &p.reading); err != nil {
		return err
	}
	p.cmd, p.port = cmd, port
	return nil
}

// Stop kills the server, as a crash would, and removes its directory.
func (p *PostgresServer) Stop() {
	p.stopped.Do(func() {
		_ = p.cmd.Process.Signal(syscall.SIGQUIT)
		p.reading.Wait()
		_ = p.cmd.Wait()
		_ = os.RemoveAll(p.dir)
	})
}

// URL returns the address of a database of this server.
func (p *PostgresServer) URL(database string) string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/%s?sslmode=disable", p.port, database)
}

// Database creates an empty database and returns its URL. It exists as long as the server.
func (p *PostgresServer) Database(t testing.TB) (url string) {
	t.Helper()
	name := fmt.Sprintf("test%d", p.databases.Add(1))
	if err := p.create(t.Context(), name); err != nil {
		t.Fatalf("create database: %v", err)
	}
	return p.URL(name)
}

func (p *PostgresServer) create(ctx context.Context, name string) error {
	conn, err := pgx.Connect(ctx, p.URL("postgres"))
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "CREATE DATABASE "+name)
	return errors.Join(err, conn.Close(ctx))
}

// FreePort returns a port on loopback that was free a moment ago.
func FreePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// awaitLine reads the log up to a line that contains text. Without one, it returns the last lines
// as an error.
func awaitLine(log io.Reader, text string) error {
	var seen []string
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		if strings.Contains(lines.Text(), text) {
			return nil
		}
		seen = append(seen, lines.Text())
	}
	return fmt.Errorf("the server ended: %s", strings.Join(seen[max(0, len(seen)-3):], "; "))
}

// Halt kills the server and keeps its data, as an outage does. Connections break, and new ones are
// refused.
func (p *PostgresServer) Halt() {
	_ = p.cmd.Process.Signal(syscall.SIGQUIT)
	p.reading.Wait()
	_ = p.cmd.Wait()
}

// Resume ends the outage. The server accepts connections again, at the same address.
func (p *PostgresServer) Resume() error {
	program, err := postgresProgram("postgres")
	if err != nil {
		return err
	}
	return p.listen(program, PostgresOptions{}, p.port)
}
