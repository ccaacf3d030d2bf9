package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"fanfare/cmd/internal/wire"
	"fanfare/internal/config"
)

// settings shows what every key is now and where that comes from; secrets stay hidden.
func (c *cli) settings() *cobra.Command {
	command := &cobra.Command{
		Use:   "config",
		Short: "Show all settings, their values now, and where those come from",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			s, err := wire.Settings(c.file, command.Flags())
			if err != nil {
				return err
			}
			values := s.Values()
			return c.output(command).show(values, func(w io.Writer) {
				table(w, func(w io.Writer) {
					for _, v := range values {
						fmt.Fprintf(w, "%s\t%s\t%s\n", v.Key.Name, v.Text, v.Origin)
					}
				})
			})
		},
	}
	command.AddCommand(&cobra.Command{
		Use:   "sample",
		Short: "Print config.yaml with every key at its default",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			_, err := io.WriteString(command.OutOrStdout(), config.Sample())
			return err
		},
	})
	return command
}
