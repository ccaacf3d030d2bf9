package judges

import (
	"bufio"
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"fanfare/internal/h2client"
	"fanfare/test/servers"
)

// Servers of other hands echo what our client sends, with small windows, tables and limits.
func TestHTTP2Servers(t *testing.T) {
	t.Parallel()
	startEcho := func(t *testing.T) string { t.Helper(); return startNode(t, "node/echo.mjs") }
	for name, start := range map[string]func(*testing.T) (address string){"nghttpd": startNghttpd, "Node": startEcho} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := dialHTTP2(t, start(t))
			var all sync.WaitGroup
			for n := range 50 {
				all.Go(func() { echo(t, c, n) })
			}
			all.Wait()
		})
	}
}

// echo makes requests of many sizes, one after the other.
func echo(t *testing.T, c *h2client.Conn, n int) {
	random := rand.New(rand.NewPCG(7, uint64(n)))
	var resp h2client.Response
	for range 20 {
		body := bytes.Repeat([]byte{byte('a' + n%26)}, 1+random.IntN(1<<random.IntN(15)))
		token := "Bearer " + strings.Repeat(strconv.Itoa(n%7), 900)
		err := c.Do(t.Context(), &h2client.Request{Authorization: token, Body: body, Timeout: time.Minute}, &resp)
		if err != nil || resp.Status != 200 || !bytes.Equal(resp.Body, body) || resp.ContentType != "" && resp.ContentType != token {
			t.Errorf("%d bytes: response %d with %d bytes, %v", len(body), resp.Status, len(resp.Body), err)
			return
		}
	}
}

func dialHTTP2(t *testing.T, address string) *h2client.Conn {
	t.Helper()
	nc, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	c, err := h2client.New(t.Context(), nc, h2client.Options{MaxStreams: 30, Header: []h2client.Field{
		{Name: ":method", Value: "POST"}, {Name: ":scheme", Value: "http"}, {Name: ":authority", Value: "echo.test"}, {Name: ":path", Value: "/"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func startNghttpd(t *testing.T) string {
	t.Helper()
	program, err := exec.LookPath("nghttpd")
	if err != nil {
		program = "/usr/sbin/nghttpd" // Debian's place is not in each user's PATH
	}
	port, err := servers.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	run(t, exec.Command(program, "--no-tls", "--echo-upload", "--address=127.0.0.1", "--max-concurrent-streams=7", "--window-bits=9",
		"--connection-window-bits=12", "--header-table-size=64", "--padding=100", "--htdocs="+t.TempDir(), strconv.Itoa(port)))
	address := fmt.Sprintf("127.0.0.1:%d", port)
	err = servers.Await(t.Context(), func() (bool, error) {
		nc, err := net.Dial("tcp", address)
		if err == nil {
			_ = nc.Close()
		}
		return err == nil, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// startNode runs a server for Node that prints its port.
func startNode(t *testing.T, script string, args ...string) string {
	t.Helper()
	command := exec.Command("node", append([]string{script}, args...)...)
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	run(t, command)
	port, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return "127.0.0.1:" + strings.TrimSpace(port)
}

// run runs a server until the test ends.
func run(t *testing.T, command *exec.Cmd) {
	t.Helper()
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
}
