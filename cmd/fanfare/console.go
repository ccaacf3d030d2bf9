package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"

	"fanfare/cmd/internal/assembly"
	"fanfare/cmd/internal/sending"
	"fanfare/internal/api"
	"fanfare/internal/checks"
	"fanfare/internal/console"
	"fanfare/internal/daemon"
	"fanfare/internal/idempotency"
	"fanfare/internal/loopback"
	"fanfare/internal/operator"
	"fanfare/internal/preflight"
	"fanfare/internal/threads"
)

// consoleFlags are the flags of the console.
type consoleFlags struct {
	listen  string
	metrics string
	prefix  string
	operate bool
	hosts   []string
}

func (c *cli) console() *cobra.Command {
	flags := consoleFlags{listen: "127.0.0.1:8025"}
	command := &cobra.Command{
		Use:   "console",
		Short: "Serve the web console: every campaign live, why it waits, what to do",
		Long: `Serve the web console: every campaign live, why it waits, what to do.

It is read-only unless --operate is given. Beyond loopback, and behind a proxy (--host), it needs logins:
set FANFARE_CONSOLE_TOKEN for people who operate, and FANFARE_CONSOLE_READ_TOKEN for people who only read.`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			threads.Relax() // nothing is open yet
			return c.with(command, func(ctx context.Context, rooms *sending.Rooms, op *operator.Operator) error {
				return serveConsole(ctx, command, rooms, op, flags)
			})
		},
	}
	c.ofProject(command)
	f := command.Flags()
	f.StringVar(&flags.listen, "listen", flags.listen, "address of the console")
	f.StringVar(&flags.metrics, "metrics", "", "address of its health and metrics, such as 127.0.0.1:9466; none by default")
	f.StringVar(&flags.prefix, "path-prefix", "", "path under which a proxy serves the console, such as /fanfare")
	f.BoolVar(&flags.operate, "operate", false, "allow actions: create, load, start, pause, cancel, delete, replay, test")
	f.StringSliceVar(&flags.hosts, "host", nil, "names under which browsers reach the console, besides loopback; they need a login")
	return command
}

// newConsole makes the console over the rooms. A project whose credentials are unknown has no pace.
func newConsole(ctx context.Context, rooms *sending.Rooms, op *operator.Operator, flags consoleFlags, tokens console.Tokens) (*console.Console, error) {
	deps := console.Deps{System: op, Letters: rooms.DeadLetters, Logger: rooms.Logger, MaxElement: int(rooms.Settings.Queue.MaxElement)}
	if rooms.Store != nil {
		deps.Records = rooms.Store
	}
	deps.Health = func(ctx context.Context) []checks.Finding { return op.Check(ctx, rooms.Probes()...) }
	projects, err := findProjects(ctx, rooms)
	if err != nil {
		return nil, err
	}
	deps.Projects = projects
	if len(projects) > 0 {
		deps.SendTest = func(ctx context.Context, t operator.TestSend) ([]operator.TestResult, error) {
			return sendTest(ctx, rooms, op, t, rooms.Settings.FCM.Client)
		}
		deps.Check = func(ctx context.Context, id string) ([]checks.Finding, error) {
			report, err := runPreflight(ctx, rooms, op, id, preflight.DefaultOptions())
			return report.Findings, err
		}
	}
	if deps.API, err = newAPI(ctx, rooms, op, projects); err != nil {
		return nil, err
	}
	made, err := console.New(deps, console.Options{
		Prefix: flags.prefix, Operate: flags.operate, Tokens: tokens, Hosts: flags.hosts, Actor: assembly.Whoami(),
	})
	return made, asUsage(err)
}

// findProjects returns the Firebase projects that the console shows: all of the settings, or that
// of --project or of the credentials. Without usable credentials there is none.
func findProjects(ctx context.Context, rooms *sending.Rooms) (operator.Projects, error) {
	if len(rooms.Settings.Projects) == 0 {
		id, err := rooms.FindProject(ctx)
		if err != nil {
			return nil, nil //nolint:nilerr // the console shows what Redis has, and says that no project is known
		}
		project, err := newProject(rooms, id)
		return operator.Projects{project}, err
	}
	var all operator.Projects
	for _, id := range rooms.Settings.ProjectIDs() {
		own, err := rooms.ForProject(id)
		if err != nil {
			return nil, err
		}
		project, err := newProject(own, id)
		if err != nil {
			return nil, err
		}
		all = append(all, project)
	}
	return all, nil
}

// newProject returns a project with its pace, unless pacing is disabled.
func newProject(rooms *sending.Rooms, id string) (operator.Project, error) {
	project := operator.Project{ID: id}
	if !rooms.Settings.Pacing.Enabled {
		return project, nil
	}
	governor, err := rooms.NewGovernor(id, assembly.Whoami(), nil)
	if err != nil {
		return project, err
	}
	project.Pace = governor
	return project, nil
}

// newAPI makes the HTTP API, for the callers that the console lets through.
func newAPI(ctx context.Context, rooms *sending.Rooms, op *operator.Operator, projects operator.Projects) (http.Handler, error) {
	return api.New(api.Deps{
		System: op, Projects: projects, Paces: findPaces(ctx, rooms), Requests: idempotency.New(rooms.Redis, rooms.Names), Logger: rooms.Logger,
	}, api.Options{
		MaxElement: int(rooms.Settings.Queue.MaxElement),
		Identify: func(r *http.Request) api.Caller {
			name, operate := console.CallerOf(r)
			return api.Caller{Name: name, Operate: operate}
		},
	})
}

func asUsage(err error) error {
	if err == nil {
		return nil
	}
	return daemon.WithExitCode(daemon.ExitUsage, err)
}

func serveConsole(ctx context.Context, command *cobra.Command, rooms *sending.Rooms, op *operator.Operator, flags consoleFlags) error {
	tokens := console.Tokens{Read: rooms.Settings.Console.ReadToken, Operate: rooms.Settings.Console.Token}
	if other := findForeignHost(flags.hosts); other != "" && tokens == (console.Tokens{}) {
		return asUsage(fmt.Errorf("as %s it is reachable from elsewhere: set FANFARE_CONSOLE_TOKEN or FANFARE_CONSOLE_READ_TOKEN, or leave out --host", other))
	}
	served, err := newConsole(ctx, rooms, op, flags, tokens)
	if err != nil {
		return err
	}
	stopMetrics, err := serveMetrics(ctx, rooms, served, flags.metrics)
	if err != nil {
		return err
	}
	defer stopMetrics()
	listener, err := net.Listen("tcp", flags.listen)
	if err != nil {
		return fmt.Errorf("open the console: %w", err)
	}
	if !loopback.IsAddr(listener.Addr()) && tokens == (console.Tokens{}) {
		err := fmt.Errorf("%s is reachable from elsewhere: set FANFARE_CONSOLE_TOKEN or FANFARE_CONSOLE_READ_TOKEN, or listen on 127.0.0.1", flags.listen)
		return errors.Join(asUsage(err), listener.Close())
	}
	if _, err := fmt.Fprintf(command.OutOrStdout(), "console: http://%s%s/\n", listener.Addr(), flags.prefix); err != nil {
		return errors.Join(fmt.Errorf("print the console's address: %w", err), listener.Close())
	}
	return runConsole(ctx, served, listener)
}

// findForeignHost returns the first name that is not this machine's own; "" if all are. A proxy
// under such a name brings browsers of other machines to a loopback address.
func findForeignHost(hosts []string) string {
	for _, host := range hosts {
		if !loopback.IsHostPort(host) {
			return host
		}
	}
	return ""
}

// serveMetrics serves the console's health and metrics if an address is given.
func serveMetrics(ctx context.Context, rooms *sending.Rooms, served *console.Console, addr string) (stop func(), err error) {
	if addr == "" {
		return func() {}, nil
	}
	end, err := daemon.Monitoring{
		Addr: addr, Ready: map[string]daemon.Check{"figures": served.Ready}, Collectors: []prometheus.Collector{served.Metrics(ctx)}, Logger: rooms.Logger,
	}.Serve(ctx)
	if err != nil {
		return nil, err
	}
	return func() { _ = end(context.WithoutCancel(ctx)) }, nil
}

// maxConsoleConns limits the connections to the console: a page holds one for its stream, and a few
// while it loads.
const maxConsoleConns = 512

// runConsole serves until ctx ends.
func runConsole(ctx context.Context, served *console.Console, listener net.Listener) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	sampled := make(chan struct{})
	go func() {
		defer close(sampled)
		served.Run(ctx)
	}()
	server := &http.Server{
		Handler: served, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: time.Minute, WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 16 << 10, BaseContext: func(net.Listener) context.Context { return ctx },
	}
	closed := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer closed()
	err := server.Serve(daemon.LimitConns(listener, maxConsoleConns))
	stop()
	<-sampled
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
