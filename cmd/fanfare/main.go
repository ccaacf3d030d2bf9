// Command fanfare is the operator's command line: campaigns, audiences, tokens, dead letters,
// checks, and the demo.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/redis/go-redis/v9/logging"
	"github.com/spf13/cobra"

	"fanfare/cmd/internal/assembly"
	"fanfare/cmd/internal/sending"
	"fanfare/internal/config"
	"fanfare/internal/daemon"
	"fanfare/internal/operator"
	"fanfare/internal/terminal"
)

func main() { os.Exit(run()) }

func run() int {
	logging.Disable() // the client returns everything as errors
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	return execute(ctx, os.Args[1:], terminal.Stdout(), terminal.Stderr())
}

// execute runs one command line and returns the exit code.
func execute(ctx context.Context, args []string, out, errs *terminal.Output) int {
	root := newRoot(out, errs)
	root.SetArgs(args)
	err := explain(root.ExecuteContext(ctx))
	return assembly.ReportError(errs, "fanfare", assembly.CheckOutput(err, out, errs))
}

// readSettings reads the settings, and prints warnings about dangerous ones.
func (c *cli) readSettings(command *cobra.Command) (config.Settings, error) {
	s, err := assembly.LoadSettings(c.file, command.Flags())
	for _, warning := range s.Warnings() {
		fmt.Fprintln(command.ErrOrStderr(), "fanfare: warning:", warning)
	}
	return s, err
}

// with opens the rooms for one command and closes them afterwards.
func (c *cli) with(command *cobra.Command, do func(ctx context.Context, rooms *sending.Rooms, op *operator.Operator) error) error {
	s, err := c.readSettings(command)
	if err != nil {
		return err
	}
	log, err := daemon.NewLogger(command.ErrOrStderr(), s.Log.Level, s.Log.Format)
	if err != nil {
		return daemon.WithExitCode(daemon.ExitUsage, err)
	}
	defer daemon.FlushWarnings(log)
	rooms, err := sending.Open(command.Context(), s, "fanfare", log, nil)
	if err != nil {
		return err
	}
	own := rooms
	if c.projectID != "" || len(s.Projects) == 1 {
		own, err = rooms.ForProject(c.projectID)
	}
	if err == nil {
		err = do(command.Context(), own, own.NewOperator())
	}
	if closed := rooms.Close(); closed != nil && err == nil {
		err = fmt.Errorf("close: %w", closed)
	}
	return err
}

// cli holds the flags that all commands share.
type cli struct {
	file   string // settings file
	asJSON bool
	wide   bool // tables show all columns

	projectID string // the Firebase project to act on, of several in the settings; may be empty
}

// ofProject adds the flag that chooses one of several Firebase projects.
func (c *cli) ofProject(command *cobra.Command) *cobra.Command {
	command.PersistentFlags().StringVar(&c.projectID, "project", "", "the Firebase `project` to act on, if the settings have several")
	return command
}

// The groups of commands in the help.
const (
	groupSend  = "send"
	groupAfter = "after"
	groupSetup = "setup"
)

const rootExample = `  fanfare demo
  fanfare campaign create 42 --message message.json
  fanfare load 42 audience.csv
  fanfare campaign start 42
  fanfare watch 42`

// newRoot makes the root command. It sets the output first, because the completion command takes it
// when it is added.
func newRoot(out, errs io.Writer) *cobra.Command {
	c := &cli{}
	root := group("fanfare COMMAND", "Push campaigns from Redis through Firebase Cloud Messaging")
	root.Long = root.Short + `.

Settings come from flags (--redis.url …), the environment (REDIS_URL …) and a file; "fanfare config" shows them all.`
	root.Example = rootExample
	root.SetOut(out)
	root.SetErr(errs)
	root.Version = daemon.Version()
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetUsageTemplate(usageTemplate)
	root.SetFlagErrorFunc(wrongUsage)
	flags := root.PersistentFlags()
	flags.StringVar(&c.file, "config", "", "settings `file` (YAML); else the one that FANFARE_CONFIG names")
	flags.BoolVar(&c.asJSON, "json", false, "print JSON instead of text")
	flags.VarP(format{c}, "output", "o", "`form` of the output: table in 80 columns, wide with all columns, or json")
	config.AddFlags(flags)
	hideSettings(root)

	root.AddGroup(
		&cobra.Group{ID: groupSend, Title: "To send:"},
		&cobra.Group{ID: groupAfter, Title: "To look after what is sent:"},
		&cobra.Group{ID: groupSetup, Title: "To set up:"},
	)
	root.SetHelpCommand(newHelp())
	root.SetHelpCommandGroupID(groupSetup)
	root.SetCompletionCommandGroupID(groupSetup)
	for id, commands := range map[string][]*cobra.Command{
		groupSend:  {c.demo(), c.campaign(), c.load(), c.watch(), c.console()},
		groupAfter: {c.ps(), c.user(), c.quota(), c.project(), c.dead(), c.tokens(), c.suppress()},
		groupSetup: {c.check(), c.settings(), c.imports()},
	} {
		for _, command := range commands {
			command.GroupID = id
			root.AddCommand(command)
		}
	}
	root.InitDefaultCompletionCmd()
	for _, command := range root.Commands() {
		if command.Name() == "completion" {
			makeGroup(command)
		}
	}
	c.prepareCompletion(root)
	return root
}

// hideSettings hides the many flags of the settings in the help of every command.
func hideSettings(root *cobra.Command) {
	for _, key := range config.Describe() {
		if flag := root.PersistentFlags().Lookup(key.Name); flag != nil {
			flag.Hidden = true
		}
	}
}

// output returns the printer for a command's standard output.
func (c *cli) output(command *cobra.Command) output {
	return output{w: command.OutOrStdout(), asJSON: c.asJSON, wide: c.wide}
}
