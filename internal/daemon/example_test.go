package daemon_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"fanfare/internal/daemon"
)

func ExampleRun() {
	options := daemon.Options{Name: "example", Logger: slog.New(slog.DiscardHandler)}
	err := daemon.Run(context.Background(), options, func(p *daemon.Process) error {
		p.OnStop("connection", func(context.Context) error {
			fmt.Println("connection closed")
			return nil
		})
		p.Ready()
		fmt.Println("working until a stop is requested:", p.FetchCtx().Err())
		return daemon.WithExitCode(daemon.ExitLeftover, errors.New("3 recipients are left"))
	})
	fmt.Printf("exit code %d: %v\n", daemon.ExitCode(err), err)
	// Output:
	// working until a stop is requested: <nil>
	// connection closed
	// exit code 75: 3 recipients are left
}
