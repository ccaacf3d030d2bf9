package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"fanfare/internal/operator"
	"fanfare/internal/where"
)

// compileWhere compiles the condition of --where; nil is none.
func compileWhere(command *cobra.Command, text string) (*where.Filter, error) {
	if !command.Flags().Changed("where") {
		return nil, nil
	}
	filter, err := where.Compile(text)
	if err != nil {
		return nil, wrongUsage(command, fmt.Errorf("--where: %w", err))
	}
	return filter, nil
}

// whereFlag repeats the condition, for a command that continues the load.
func whereFlag(opts operator.LoadOptions) string {
	if opts.Where == nil {
		return ""
	}
	return " --where " + shellWord(opts.Where.String())
}
