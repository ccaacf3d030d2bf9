package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"fanfare/cmd/internal/assembly"
	"fanfare/internal/daemon"
	"fanfare/internal/operator"
	"fanfare/internal/store"
)

// outcomeFilter are the flags that select outcomes in SQL.
type outcomeFilter struct{ status, code string }

func (f *outcomeFilter) addTo(flags *pflag.FlagSet, what string) {
	flags.StringVar(&f.status, "status", "", what+" with this `status`: sent, failed, skipped, expired or unknown")
	flags.StringVar(&f.code, "code", "", what+" with this `code`, such as UNAVAILABLE")
}

func (f *outcomeFilter) isNarrowed() bool { return f.status != "" || f.code != "" }

// read refuses a filter that no outcome can match.
func (f *outcomeFilter) read(command *cobra.Command) (store.Filter, error) {
	filter, err := operator.ParseFilter(f.status, f.code)
	if err != nil {
		return filter, wrongUsage(command, err)
	}
	return filter, nil
}

// explainRecords says what prevents an operation on the outcomes in SQL.
func explainRecords(id string, err error) error {
	if errors.Is(err, operator.ErrNoDatabase) {
		return daemon.WithExitCode(daemon.ExitUsage, fmt.Errorf("%w, and outcomes are in SQL; set DATABASE_URL as for the responder", err))
	}
	return assembly.AssignExitCode(explainCampaign(id, err))
}
