package main

import (
	"errors"
	"io"

	"github.com/spf13/cobra"

	"fanfare/internal/config"
)

// setting is one setting in the JSON of "config".
type setting struct {
	Name    string   `json:"name"`
	Value   string   `json:"value"` // a secret is "[redacted]"
	From    string   `json:"from"`
	Default string   `json:"default"`
	Env     []string `json:"environment"`
	Allowed string   `json:"allowed"`
	Help    string   `json:"help"`
}

// settings shows the current value of every setting and where it comes from. Secrets are redacted.
func (c *cli) settings() *cobra.Command {
	command := &cobra.Command{
		Use:   "config [COMMAND]",
		Short: "Show all settings, their values now, and where those come from",
		Args:  cobra.ArbitraryArgs,
		RunE: func(command *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(command, args[0])
			}
			s, err := c.readSettings(command)
			if err != nil {
				return err
			}
			settings := listSettings(s)
			out := c.output(command)
			return out.show(settings, func(io.Writer) {
				t := out.newTable(textColumn("SETTING"), textColumn("VALUE"), textColumn("FROM"))
				for _, s := range settings {
					t.add(s.Name, s.Value, s.From)
				}
				t.print()
			})
		},
	}
	command.AddCommand(&cobra.Command{
		Use:   "sample",
		Short: "Print config.yaml with every key at its default",
		Args:  wantArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			if c.asJSON {
				return wrongUsage(command, errors.New("the sample is YAML; fanfare config --json has every key and its default"))
			}
			_, err := io.WriteString(command.OutOrStdout(), config.Sample())
			return err
		},
	})
	return command
}

func listSettings(s config.Settings) []setting {
	var all []setting
	for _, v := range s.Values() {
		k := v.Key
		all = append(all, setting{k.Name, v.Text, v.Origin, k.Default, k.Env, k.Allowed, k.Help})
	}
	return all
}
