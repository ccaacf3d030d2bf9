// Package live is the live terminal view of all campaigns. The model changes by messages alone and
// draws from what it knows; all reading and acting happens in the commands of a client.
package live

import (
	"context"
	"fmt"
	"io"
	"time"

	tea "charm.land/bubbletea/v2"

	"fanfare/internal/campaign"
	"fanfare/internal/fleet"
	"fanfare/internal/operator"
	"fanfare/internal/terminal"
)

// System is what the view reads and changes; *operator.Operator implements it.
type System interface {
	ListAgain(ctx context.Context, memory *operator.ListMemory) ([]operator.View, error)
	Show(ctx context.Context, id string) (operator.View, error)
	Processes(ctx context.Context) ([]fleet.Process, error)
	Backlog(ctx context.Context) (operator.Backlog, error)
	Forecast(ctx context.Context, views ...*operator.View)
	Start(ctx context.Context, id string, opts operator.StartOptions) error
	Pause(ctx context.Context, id, reason string) error
	Change(ctx context.Context, id string, change campaign.Change) error
}

// Options are what the view needs beside the system.
type Options struct {
	Input  io.Reader     // a terminal
	Output io.Writer     // a terminal
	Colors bool          // whether the terminal may show colors
	Every  time.Duration // between two readings
	// Paces finds the pace of each campaign's Firebase project; nil if none is known.
	Paces operator.FindPace
	// StateColor is the color of a campaign's state.
	StateColor func(operator.View) terminal.Color
	// Explain adds the next step to the error of an action on a campaign.
	Explain func(id string, err error) error
}

// Run shows the view until the person quits or ctx ends. Both are a success.
func Run(ctx context.Context, system System, o Options) error {
	c := &client{ctx: ctx, system: system, paces: o.Paces, explain: o.Explain, now: time.Now}
	// The caller handles signals: they end ctx. A program that gets ctx itself closes its input
	// while it still reads from it; one that quits waits for the read.
	program := tea.NewProgram(newModel(c, o), tea.WithInput(o.Input), tea.WithOutput(o.Output), tea.WithoutSignalHandler())
	defer context.AfterFunc(ctx, program.Quit)()
	if _, err := program.Run(); err != nil {
		return fmt.Errorf("show the live view: %w", err)
	}
	return nil
}
