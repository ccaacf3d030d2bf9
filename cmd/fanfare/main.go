// Command fanfare is the operator's command line: campaigns, audiences, tokens, dead letters, checks, and the demo.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"fanfare/cmd/internal/wire"
	"fanfare/internal/config"
	"fanfare/internal/daemon"
	"fanfare/internal/operator"
)

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	return wire.Report("fanfare", newRoot().ExecuteContext(ctx))
}

// cli is what all commands share.
type cli struct {
	file   string // settings file
	asJSON bool
	root   *cobra.Command
}

func newRoot() *cobra.Command {
	c := &cli{}
	c.root = &cobra.Command{
		Use:           "fanfare",
		Short:         "Push campaigns from Redis through Firebase Cloud Messaging",
		Version:       daemon.Version(),
		SilenceErrors: true, SilenceUsage: true,
	}
	flags := c.root.PersistentFlags()
	flags.StringVar(&c.file, "config", "", "settings file (YAML); else the one that FANFARE_CONFIG names")
	flags.BoolVar(&c.asJSON, "json", false, "print JSON instead of text")
	config.AddFlags(flags, "redis", "names", "store", "fcm", "campaign")
	hideFlags(c.root)
	c.root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return daemon.Exit(daemon.ExitUsage, err) })
	c.root.AddCommand(c.demo(), c.load(), c.campaign(), c.watch(), c.tokens(), c.dead(), c.check(), c.settings())
	return c.root
}

// hideFlags keeps the settings' flags, of which there are many, out of every command's help; "fanfare config" shows them.
func hideFlags(root *cobra.Command) {
	for _, key := range config.Describe() {
		if flag := root.PersistentFlags().Lookup(key.Name); flag != nil && strings.Contains(key.Name, ".") {
			flag.Hidden = true
		}
	}
}

// output prints to a command's standard output.
func (c *cli) output(command *cobra.Command) output {
	return output{w: command.OutOrStdout(), asJSON: c.asJSON}
}

// with opens the rooms for one command and closes them after it.
func (c *cli) with(command *cobra.Command, do func(ctx context.Context, rooms *wire.Rooms, op *operator.Operator) error) error {
	s, err := wire.Settings(c.file, command.Flags())
	if err != nil {
		return err
	}
	log, err := daemon.NewLogger(command.ErrOrStderr(), s.Log.Level, s.Log.Format)
	if err != nil {
		return daemon.Exit(daemon.ExitUsage, err)
	}
	rooms, err := wire.Open(command.Context(), s, "fanfare", log, nil)
	if err != nil {
		return err
	}
	err = do(command.Context(), rooms, rooms.Operator())
	if closed := rooms.Close(); closed != nil && err == nil {
		err = fmt.Errorf("close: %w", closed)
	}
	return err
}
