package main

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"fanfare/internal/daemon"
	"fanfare/internal/operator"
)

// openInput opens a file, or standard input for "-".
func openInput(command *cobra.Command, name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(command.InOrStdin()), nil
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, daemon.Exit(daemon.ExitUsage, err)
	}
	if info, err := file.Stat(); err == nil && info.IsDir() {
		_ = file.Close() // nothing was written
		return nil, daemon.Exit(daemon.ExitUsage, fmt.Errorf("%s is a folder: name a file", name))
	}
	return file, nil
}

// readInput reads a small file whole.
func readInput(command *cobra.Command, name string) ([]byte, error) {
	file, err := openInput(command, name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(file)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return text, nil
}

const formatHelp = "a `format`, csv or ndjson; else by the file's name, and ndjson where that does not say"

func formatOf(flag, name string) operator.Format {
	if flag != "" {
		return operator.Format(flag)
	}
	return operator.FormatOf(name)
}
