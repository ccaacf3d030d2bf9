package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"fanfare/internal/audience"
	"fanfare/internal/campaign"
	"fanfare/internal/operator"
)

// checkFiles refuses standard input beside files: an audience is opened twice, and a pipe once.
func checkFiles(command *cobra.Command, names []string) error {
	if len(names) > 1 && slices.Contains(names, "-") {
		return wrongUsage(command, errors.New("standard input (-) is a whole audience: load it without other files"))
	}
	return nil
}

// loadFiles are the files of one load, as they were typed.
type loadFiles struct{ sources []audience.Source }

// resolveFiles finds the format of each file. They are opened later.
func resolveFiles(command *cobra.Command, form fileForm, names []string) (loadFiles, error) {
	var files loadFiles
	for _, name := range names {
		format, separator, err := form.resolve(command, name)
		if err != nil {
			return files, err
		}
		files.sources = append(files.sources, audience.Source{
			Name: name, Format: format, Separator: separator,
			Open: func() (io.ReadCloser, error) { return openInput(command, name) },
		})
	}
	return files, nil
}

// observe makes a bar over the sizes of all files, and lets their reads move it.
func (f *loadFiles) observe(w io.Writer) *fileBar {
	var size int64
	for _, s := range f.sources {
		info, err := os.Stat(s.Name)
		if err != nil || !info.Mode().IsRegular() {
			size = -1
			break
		}
		size += info.Size()
	}
	bar := newFileBar(w, size, "loading", "recipient")
	for i, s := range f.sources {
		f.sources[i].Open = func() (io.ReadCloser, error) {
			file, err := s.Open()
			if err != nil {
				return nil, err
			}
			return bar.observe(file), nil
		}
	}
	return bar
}

// check refuses a compressed file that is damaged. Standard input cannot be read twice.
func (f *loadFiles) check(ctx context.Context) error {
	if slices.ContainsFunc(f.sources, func(s audience.Source) bool { return s.Name == "-" }) {
		return nil
	}
	return audience.CheckWhole(ctx, f.sources)
}

// name is that of the file, or says how many there are.
func (f *loadFiles) name() string {
	if len(f.sources) > 1 {
		return plural(int64(len(f.sources)), "file")
	}
	return f.sources[0].Name
}

// words are the files and the flags of their format, as they are typed.
func (f *loadFiles) words() string {
	var words []string
	for _, s := range f.sources {
		words = append(words, shellWord(s.Name))
	}
	return strings.Join(words, " ") + formFlags(f.sources)
}

// formFlags returns the flags for the format of files, unless their names imply them.
func formFlags(files []audience.Source) string {
	for _, s := range files {
		switch {
		case s.Separator == '\t':
			return " --separator tab"
		case s.Separator != 0:
			return " --separator " + shellWord(string(s.Separator))
		case s.Format != audience.Sniffed && s.Format != audience.FormatOf(s.Name):
			return " --format " + string(s.Format)
		}
	}
	return ""
}

// hasFormat reports whether a file is read in a format.
func (f *loadFiles) hasFormat(format audience.Format) bool {
	return slices.ContainsFunc(f.sources, func(s audience.Source) bool { return s.Format == format })
}

// loadFiles loads files with a progress bar. It prints the summary even if the load broke off.
func (c *cli) loadFiles(ctx context.Context, command *cobra.Command, op *operator.Operator, id string, files loadFiles, opts operator.LoadOptions) error {
	name := files.name()
	if err := files.check(ctx); err != nil {
		return blameFile(id, opts, explainLoad(id, name, err))
	}
	bar := files.observe(command.ErrOrStderr())
	opts.Progress = bar.count
	opts.OnHold = func(state campaign.State) { bar.say(holdText(ctx, op, id, opts.Hold, state)) }
	rows, err := audience.OpenFiles(files.sources, audience.Options{MaxElement: opts.MaxElement})
	if err != nil {
		bar.clear()
		return blameFile(id, opts, explainLoad(id, name, err))
	}
	defer rows.Close()
	summary, err := op.LoadAudience(ctx, id, rows, opts)
	bar.clear()
	broken, begun := errors.AsType[*operator.InterruptedError](err)
	begun = begun && broken.Done+broken.Unsure > 0
	if err != nil && !begun && summary.Rejected == 0 {
		return files.explain(id, opts, err)
	}
	shown := c.showLoad(ctx, command, op, id, "line", summary, err == nil)
	if begun {
		return explainInterruptedLoad(broken, id, files.words(), opts)
	}
	if err != nil {
		return files.explain(id, opts, err)
	}
	return shown
}

// explain says why nothing of the files was loaded. If they are a campaign's source, that is named.
func (f *loadFiles) explain(id string, opts operator.LoadOptions, err error) error {
	_, ofFile := errors.AsType[*audience.FileError](err)
	switch {
	case errors.Is(err, operator.ErrNoRecipient):
		return blameFile(id, opts, f.explainNoRecipient(opts))
	case ofFile:
		return blameFile(id, opts, explainLoad(id, f.name(), err))
	}
	return explainLoad(id, f.name(), err)
}

// explainNoRecipient suggests what else the files may be.
func (f *loadFiles) explainNoRecipient(opts operator.LoadOptions) error {
	err := fmt.Errorf("%s: %w", printable(f.name()), operator.ErrNoRecipient)
	switch {
	case !f.hasFormat(audience.NDJSON):
		return err
	case opts.Of.IsZero():
		return fmt.Errorf("%w; if it is CSV, give --format csv", err)
	}
	return fmt.Errorf(`%w; if it is CSV, the source needs "format":"csv"`, err)
}
