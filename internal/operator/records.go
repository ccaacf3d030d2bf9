package operator

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"fanfare/internal/campaign"
	"fanfare/internal/notification"
	"fanfare/internal/store"
	"fanfare/internal/terminal"
)

// Records are the outcomes in SQL. *store.Store implements it.
type Records interface {
	UserDeliveries(ctx context.Context, user string, limit int) ([]notification.Result, error)
	CampaignDeliveries(ctx context.Context, campaign string, f store.Filter) iter.Seq2[notification.Result, error]
	Summary(ctx context.Context, campaign string) (store.Summary, error)
	History(ctx context.Context, campaign string) ([]notification.HistoryEntry, error)
	Minutes(ctx context.Context, campaign string) ([]store.Minute, error)
	RemovedTokens(ctx context.Context, campaign string) (int64, error)
	Choices(ctx context.Context, campaign string) ([]store.ChoiceCount, error)
}

// ErrNoDatabase is returned by what reads SQL if there is none.
var ErrNoDatabase = errors.New("no database is configured")

// FilterError refuses a filter that no outcome can match.
type FilterError struct{ Problem string }

func (e *FilterError) Error() string { return e.Problem }

// ParseFilter reads the filter of outcomes that a person typed.
func ParseFilter(status, code string) (store.Filter, error) {
	f := store.Filter{Status: notification.Status(status), Code: code}
	if status != "" && f.Status.Rank() == 0 {
		var known []string
		for _, s := range slices.Backward(notification.Statuses) {
			known = append(known, string(s))
		}
		return f, &FilterError{fmt.Sprintf("there is no status %q: use one of %v", status, known)}
	}
	if !terminal.IsPrintable(code) {
		return f, &FilterError{fmt.Sprintf("code %q has a character that no code has", code)}
	}
	return f, nil
}

// Outcomes yields the outcomes of a campaign that match. It returns campaign.ErrNotFound if
// neither SQL nor Redis knows the campaign, and ErrNoDatabase.
func (o *Operator) Outcomes(ctx context.Context, id string, f store.Filter) (iter.Seq2[notification.Result, error], error) {
	if err := o.checkRecorded(ctx, id); err != nil {
		return nil, err
	}
	return o.deps.Records.CampaignDeliveries(ctx, id, f), nil
}

// checkRecorded checks that SQL or Redis knows a campaign.
func (o *Operator) checkRecorded(ctx context.Context, id string) error {
	if o.deps.Records == nil {
		return ErrNoDatabase
	}
	if _, err := o.deps.Names.Campaign(id); err != nil {
		return err
	}
	summary, err := o.deps.Records.Summary(ctx, id)
	if err != nil || summary.Total() > 0 {
		return err
	}
	_, err = o.deps.Campaigns.Get(ctx, id)
	if errors.Is(err, campaign.ErrNotFound) {
		return err
	}
	return nil // SQL has no outcome yet, whatever else is wrong with the campaign
}

// NothingMatchesError refuses to load the users of outcomes that do not exist.
type NothingMatchesError struct {
	From   string
	Filter store.Filter
}

func (e *NothingMatchesError) Error() string {
	text := "campaign " + terminal.Printable(e.From) + " has no outcome"
	if e.Filter.Status != "" {
		text += " with the status " + string(e.Filter.Status)
	}
	if e.Filter.Code != "" {
		if e.Filter.Status != "" {
			text += " and"
		} else {
			text += " with"
		}
		text += " the code " + e.Filter.Code
	}
	if e.Filter.OlderThan > 0 {
		text += " that is older than " + e.Filter.OlderThan.String()
	}
	return text + " in SQL: nothing was loaded"
}

// FromError is an error of the campaign whose outcomes a load reads.
type FromError struct{ Err error }

func (e *FromError) Error() string { return e.Err.Error() }

func (e *FromError) Unwrap() error { return e.Err }

// addUnwritten adds a hint if Redis knows of outcomes that are not in SQL yet.
func (o *Operator) addUnwritten(ctx context.Context, from string, summary *LoadSummary) error {
	books, err := o.deps.Campaigns.Books(ctx, from)
	if err != nil {
		return err
	}
	written, err := o.deps.Records.Summary(ctx, from)
	if err != nil {
		return err
	}
	if missing := books.CountEnded() - written.Total(); missing > 0 {
		summary.Hints = append(summary.Hints, fmt.Sprintf("%s outcomes of campaign %s were not in SQL yet, and their users are not loaded",
			Thousands(missing), terminal.Printable(from)))
	}
	return nil
}
