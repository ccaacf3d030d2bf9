package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"fanfare/cmd/internal/sending"
	"fanfare/internal/campaign"
	"fanfare/internal/daemon"
	"fanfare/internal/operator"
	"fanfare/internal/where"
)

// parseSource reads --source: a JSON object, or @ and the name of a file with one. Relative names
// in it are of the current folder, as those that "load" takes.
func (o *campaignOptions) parseSource(command *cobra.Command) (campaign.Source, error) {
	if o.source == none {
		return campaign.Source{}, nil
	}
	text := o.source
	if name, isFile := strings.CutPrefix(text, "@"); isFile {
		content, err := readInput(command, name)
		if err != nil {
			return campaign.Source{}, err
		}
		text = string(content)
	}
	source, err := campaign.ReadSource(text)
	if err != nil {
		return source, wrongOption("source", err.Error())
	}
	for i, name := range source.Files {
		if source.Files[i], err = filepath.Abs(name); err != nil {
			return source, fmt.Errorf("find the folder of %s: %w", printable(name), err)
		}
	}
	return source, nil
}

// checkSourceFlags refuses flags that a campaign's source has itself.
func checkSourceFlags(command *cobra.Command) error {
	for _, flag := range []string{"format", "separator", "where"} {
		if command.Flags().Changed(flag) {
			return wrongUsage(command, fmt.Errorf("--%s needs a file, --from or --query: without them the campaign's source is loaded, which has its own", flag))
		}
	}
	return nil
}

// loadSpecSource loads the source of a campaign's spec, and says what that is.
func (c *cli) loadSpecSource(command *cobra.Command, id string, opts operator.LoadOptions) error {
	return c.with(command, func(ctx context.Context, rooms *sending.Rooms, op *operator.Operator) error {
		source, err := op.Source(ctx, id)
		if errors.Is(err, operator.ErrNoSource) || errors.Is(err, campaign.ErrNotFound) {
			return daemon.WithExitCode(daemon.ExitUsage, fmt.Errorf("campaign %s has no source: name a file, or give --query or --from; or give it one with fanfare campaign set %s --source JSON", printable(id), shellWord(id)))
		} else if err != nil {
			return explainCampaign(id, err)
		}
		opts.MaxElement, opts.Pace, opts.Of = int(rooms.Settings.Queue.MaxElement), findPaces(ctx, rooms), source
		if source.Where != "" {
			if opts.Where, err = where.Compile(source.Where); err != nil {
				return daemon.WithExitCode(daemon.ExitUsage, blame(id, opts, fmt.Errorf("where: %s", printable(err.Error()))))
			}
		}
		fmt.Fprintln(command.ErrOrStderr(), indent(command.ErrOrStderr(), "source: ", printable(operator.DescribeSource(source))))
		if source.Query != "" {
			return c.loadRows(ctx, command, op, id, queryFlags{operator.Query{SQL: source.Query, Key: source.Key}}, opts)
		}
		files, err := resolveFiles(command, fileForm{source.Format, source.Separator}, source.Files)
		if err != nil {
			return err
		}
		return c.loadFiles(ctx, command, op, id, files, opts)
	})
}

// blame says which part of a query is at fault, and how to correct a source.
func blame(id string, opts operator.LoadOptions, err error) error {
	return correctSource(id, opts, namePart(id, opts, err))
}

// blameFile says of an error of a file that the campaign's source names it, if so.
func blameFile(id string, opts operator.LoadOptions, err error) error {
	if opts.Of.IsZero() {
		return err
	}
	return blame(id, opts, err)
}

// namePart adds whose part an error is about: a flag of this command, or a member of the campaign's
// source. The error begins with the name that both have.
func namePart(id string, opts operator.LoadOptions, err error) error {
	if opts.Of.IsZero() {
		return fmt.Errorf("--%w", err)
	}
	return fmt.Errorf("source of campaign %s: %w", printable(id), err)
}

// correctSource adds the command that corrects a campaign's source, if that is what is loaded.
func correctSource(id string, opts operator.LoadOptions, err error) error {
	if opts.Of.IsZero() {
		return err
	}
	return fmt.Errorf("%w; correct it with fanfare campaign set %s --source JSON", err, shellWord(id))
}

// printSource prints where the audience of a campaign comes from.
func printSource(field func(name, value string), v operator.View) {
	field("source", operator.DescribeSource(v.Spec.Source))
	field("", v.SourceProgress())
}

// sourceOption returns the source as "set" prints it.
func sourceOption(s campaign.Spec) []string {
	if s.Source.IsZero() {
		return nil
	}
	return []string{"source " + operator.DescribeSource(s.Source)}
}
