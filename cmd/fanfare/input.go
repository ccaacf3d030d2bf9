package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"fanfare/internal/audience"
	"fanfare/internal/campaign"
	"fanfare/internal/daemon"
)

// openInput opens a file, or standard input for "-".
func openInput(command *cobra.Command, name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(command.InOrStdin()), nil
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, daemon.WithExitCode(daemon.ExitUsage, fileError(err, name))
	}
	if info, err := file.Stat(); err == nil && info.IsDir() {
		_ = file.Close() // nothing was written
		return nil, daemon.WithExitCode(daemon.ExitUsage, fmt.Errorf("%s is a folder: name a file", printable(name)))
	}
	return file, nil
}

// fileError makes the name of the file printable.
func fileError(err error, name string) error {
	if refused, ok := errors.AsType[*fs.PathError](err); ok {
		return fmt.Errorf("%s %s: %w", refused.Op, printable(name), refused.Err)
	}
	return err
}

// readInput reads a whole file.
func readInput(command *cobra.Command, name string) ([]byte, error) {
	file, err := openInput(command, name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(file)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", printable(name), fileError(err, name))
	}
	return text, nil
}

// fileForm are the flags for the format of an audience file.
type fileForm struct{ format, separator string }

func (f *fileForm) addTo(flags *pflag.FlagSet) {
	flags.StringVar(&f.format, "format", "", "a `format`, csv, ndjson or parquet; else by the file's name, and ndjson where that does not say")
	flags.StringVar(&f.separator, "separator", "", "the `character` between the columns of CSV, or tab; else what the first line says")
}

// resolve returns the format and the separator of a file.
func (f *fileForm) resolve(command *cobra.Command, name string) (format audience.Format, separator rune, err error) {
	format = audience.FormatOf(name)
	if f.format != "" {
		format = audience.Format(f.format)
	}
	if f.separator == "" {
		return format, 0, nil
	}
	if format != audience.CSV && f.format != "" {
		return format, 0, wrongUsage(command, errors.New("--separator is for CSV"))
	}
	separator, err = readSeparator(f.separator)
	if err != nil {
		return format, 0, wrongUsage(command, err)
	}
	return audience.CSV, separator, nil // no other format has columns
}

// readSeparator reads the value of --separator.
func readSeparator(text string) (rune, error) {
	separator, err := campaign.ParseSeparator(text)
	if err != nil {
		return 0, fmt.Errorf("--separator %s %w", printable(text), err)
	}
	return separator, nil
}
