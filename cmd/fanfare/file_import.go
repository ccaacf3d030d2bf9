package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"fanfare/internal/audience"
)

// fileImport is what an import has stored of a file.
type fileImport struct {
	summary  any // as JSON
	rejected int64
	begun    bool // an error may have come after the first lines
	print    func(w io.Writer)
}

// importFile reads a file with a progress bar, which says what is done to how many of what. It
// prints the summary if lines were rejected, even after an error. A damaged file is refused before
// anything of it is stored.
func (c *cli) importFile(command *cobra.Command, name, doing, noun string, read func(file io.Reader, progress func(int64)) (fileImport, error)) error {
	if err := checkWhole(command, name); err != nil {
		return err
	}
	file, err := openInput(command, name)
	if err != nil {
		return err
	}
	defer file.Close()
	bar := newFileBar(command.ErrOrStderr(), sizeOf(file), doing, noun)
	stored, err := read(bar.observe(file), bar.count)
	bar.clear()
	if file, ok := errors.AsType[*audience.FileError](err); ok && !stored.begun {
		return nameFile(name, file)
	}
	if err != nil && stored.rejected == 0 {
		return err
	}
	shown := c.output(command).show(stored.summary, stored.print)
	if err != nil {
		return fmt.Errorf("%s: %w", printable(name), err)
	}
	return shown
}

// checkWhole refuses a compressed file that is damaged. Standard input cannot be read twice.
func checkWhole(command *cobra.Command, name string) error {
	if name == "-" {
		return nil
	}
	source := audience.Source{Name: name, Open: func() (io.ReadCloser, error) { return openInput(command, name) }}
	err := audience.CheckWhole(command.Context(), []audience.Source{source})
	if file, ok := errors.AsType[*audience.FileError](err); ok {
		return nameFile(name, file)
	}
	return err
}
