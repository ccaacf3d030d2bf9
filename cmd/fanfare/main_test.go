package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/rogpeppe/go-internal/testscript"

	"fanfare/fcmsim"
	"fanfare/test/servers"
)

// programs has the program that the scripts run. The race detector makes its start many times as
// expensive, and they start it hundreds of times, so it is built without.
var programs *servers.Programs

func TestMain(m *testing.M) {
	code, err := runTests(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func runTests(m *testing.M) (code int, err error) {
	if programs, err = servers.BuildPrograms("fanfare"); err != nil {
		return 0, err
	}
	defer programs.Remove()
	if err := os.Setenv("PATH", programs.Dir()+string(os.PathListSeparator)+os.Getenv("PATH")); err != nil {
		return 0, err
	}
	return m.Run(), nil
}

// TestScripts runs each testdata/script/*.txtar with a redis-server of its own.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			folder, err := os.Getwd()
			e.Setenv("EXAMPLES", folder+"/../../examples")
			addr := servers.Redis(t, "--appendonly", "yes")
			e.Setenv("REDIS_ADDR", addr)
			e.Setenv("REDIS_URL", "redis://"+addr)
			// With an endpoint and without credentials, the program looks for none.
			e.Setenv("FCM_ENDPOINT", "http://127.0.0.1:1/v1")
			e.Setenv("FCM_PROJECT_ID", "demo")
			e.Setenv("TZ", "UTC")
			e.Values[simKey{}] = new(*fcmsim.Simulator)
			return err
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "hostile": hostile(t.Context()), "unwritable": unwritable(t.Context()), "interrupts": interrupts, "redis": redisCommand(t.Context()),
			"simulator": startSimulator(t), "validated": validated, "results": recordResults(t.Context()),
		},
	})
}

// exits CODE PROGRAM ARGUMENTS… fails unless the program exits with the code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM [ARGUMENTS]")
	}
	code := 0
	err := ts.Exec(args[1], args[2:]...)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}

// environment is the environment of programs that a script's own commands run.
func environment(ts *testscript.TestScript) (env []string) {
	for _, name := range []string{"REDIS_URL", "FCM_ENDPOINT", "FCM_PROJECT_ID", "TMPDIR", "PATH", "HOME"} {
		env = append(env, name+"="+ts.Getenv(name))
	}
	return env
}

// interrupts PATTERN PROGRAM ARGUMENTS… sends SIGINT when a line of the program's output matches.
// It fails unless the program then exits with 0.
func interrupts(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: interrupts PATTERN PROGRAM [ARGUMENTS]")
	}
	command := exec.Command(args[1], args[2:]...)
	command.Dir, command.Stderr = ts.MkAbs("."), ts.Stderr()
	command.Env = environment(ts)
	out, err := command.StdoutPipe()
	ts.Check(err)
	ts.Check(command.Start())
	awaited := regexp.MustCompile(args[0])
	seen := false
	for lines := bufio.NewScanner(out); lines.Scan(); {
		fmt.Fprintln(ts.Stdout(), lines.Text())
		if !seen && awaited.MatchString(lines.Text()) {
			seen = true
			ts.Check(command.Process.Signal(os.Interrupt))
		}
	}
	ts.Check(command.Wait())
	if !seen {
		ts.Fatalf("no line matched %s", args[0])
	}
}

// redisCommand makes "redis COMMAND ARGUMENTS…", for what an application or an administrator does.
func redisCommand(ctx context.Context) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		options, err := redis.ParseURL(ts.Getenv("REDIS_URL"))
		ts.Check(err)
		rdb := redis.NewClient(options)
		defer rdb.Close()
		command := make([]any, len(args))
		for i, arg := range args {
			command[i] = arg
		}
		reply, err := rdb.Do(ctx, command...).Result()
		if neg || err != nil && !errors.Is(err, redis.Nil) {
			ts.Fatalf("redis: %v", err)
		}
		fmt.Fprintln(ts.Stdout(), reply)
	}
}

// simKey is the key of a script's simulator.
type simKey struct{}

// startSimulator makes "simulator", which points the script's FCM_ENDPOINT at a simulator of its
// own.
func startSimulator(t *testing.T) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) > 0 {
			ts.Fatalf("usage: simulator")
		}
		sim, err := fcmsim.New(fcmsim.Options{})
		ts.Check(err)
		server, err := sim.Start(context.WithoutCancel(t.Context()), fcmsim.Listen{TLS: fcmsim.Off, Admin: fcmsim.Off})
		ts.Check(err)
		ts.Defer(func() { ts.Check(server.Close()) })
		ts.Setenv("FCM_ENDPOINT", server.URLs.HTTP)
		*ts.Value(simKey{}).(**fcmsim.Simulator) = sim
	}
}

// validated N fails unless the script's simulator has validated N messages and accepted none.
func validated(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: validated N")
	}
	counts := (*ts.Value(simKey{}).(**fcmsim.Simulator)).Counts()
	if got := strconv.FormatInt(counts.Validated, 10); got != args[0] || counts.Accepted > 0 {
		ts.Fatalf("%s validated, %d accepted; want %s and none", got, counts.Accepted, args[0])
	}
}
