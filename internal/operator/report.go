package operator

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/notification"
	"fanfare/internal/redact"
	"fanfare/internal/store"
)

// Report is what is known of a campaign, for those who ask afterwards. Redis, SQL or both know it.
type Report struct {
	ID      string
	At      time.Time      // when it was made
	View    *View          // nil if Redis no longer has the campaign
	Written *store.Summary // nil without SQL
	Minutes []store.Minute
	// Removed counts the failed recipients in SQL whose token was removed as dead. RemovedErr is
	// why that is unknown.
	Removed    int64
	RemovedErr error
	// choices are the outcomes in SQL by variant and language, without a View.
	choices []store.ChoiceCount

	History []notification.HistoryEntry
	Problem error // why SQL is not part of the report, though it is configured
	// Unread says which parts of SQL are not in the report, and why.
	Unread []string
}

// Report collects what is known of a campaign. It returns campaign.ErrNotFound if neither Redis nor
// SQL knows it. Its memory depends on the minutes in which the campaign was sent, and not on its
// recipients.
func (o *Operator) Report(ctx context.Context, id string) (*Report, error) {
	r := &Report{ID: id, At: o.now().UTC()}
	view, err := o.Show(ctx, id)
	missing := errors.Is(err, campaign.ErrNotFound)
	switch {
	case err != nil && !missing:
		return nil, err
	case err == nil:
		r.View = &view
	}
	history, historyErr := o.History(ctx, id)
	if historyErr != nil && !errors.Is(historyErr, campaign.ErrNotFound) {
		return nil, historyErr
	}
	r.History = history.Entries
	if o.deps.Records != nil {
		if o.readRecords(ctx, r); r.Problem != nil && missing {
			return nil, r.Problem
		}
		r.noteUnread("older entries of the history", history.Problem)
	}
	if missing && len(r.History) == 0 && (r.Written == nil || r.Written.Total() == 0) {
		return nil, err
	}
	return r, nil
}

// readRecords reads what SQL has of the campaign. Without the sums, nothing of SQL is in the
// report.
func (o *Operator) readRecords(ctx context.Context, r *Report) {
	records := o.deps.Records
	var written store.Summary
	errs := o.askTogether(ctx,
		func(ctx context.Context) (err error) { written, err = records.Summary(ctx, r.ID); return },
		func(ctx context.Context) (err error) { r.Minutes, err = records.Minutes(ctx, r.ID); return },
		func(ctx context.Context) (err error) { r.Removed, err = records.RemovedTokens(ctx, r.ID); return },
		func(ctx context.Context) (err error) {
			if r.View == nil {
				r.choices, err = records.Choices(ctx, r.ID)
			}
			return
		},
	)
	if r.Problem = errs[0]; r.Problem != nil {
		r.Minutes, r.Removed, r.choices = nil, 0, nil
		return
	}
	r.Written, r.RemovedErr = &written, errs[2]
	r.noteUnread("outcomes by minute", errs[1])
	r.noteUnread("removed tokens", errs[2])
	r.noteUnread("variants and languages", errs[3])
}

// noteUnread notes that a part of SQL could not be read.
func (r *Report) noteUnread(what string, err error) {
	if err != nil && r.Problem == nil {
		r.Unread = append(r.Unread, what+": "+redact.Text(err.Error()))
	}
}

// written returns the sums in SQL, all 0 without SQL.
func (r *Report) written() store.Summary {
	if r.Written == nil {
		return store.Summary{}
	}
	return *r.Written
}

// Name is the campaign's name, or its id.
func (r *Report) Name() string {
	if r.View == nil {
		return r.ID
	}
	return cmp.Or(r.View.Spec.Name, r.ID)
}

// State is the state to display; "" if only SQL knows the campaign and no entry says how it ended.
func (r *Report) State() campaign.State {
	if r.View != nil {
		return r.View.State()
	}
	for _, e := range slices.Backward(r.History) {
		if state := campaign.State(e.What); state.HasEnded() {
			return state
		}
	}
	return ""
}

// Sources says where the figures are from.
func (r *Report) Sources() string {
	switch {
	case r.Written == nil && r.View == nil:
		return "the history alone: Redis no longer has the campaign, and there is no SQL"
	case r.Written == nil && r.Problem != nil:
		return "Redis alone: SQL does not answer"
	case r.Written == nil:
		return "Redis alone: no database is configured"
	case r.View == nil:
		return "SQL alone: Redis no longer has the campaign"
	}
	return "Redis and SQL"
}

// Term is one number of the sum that makes up the loaded recipients.
type Term struct {
	Name string `json:"name"` // a status, or "waiting", "in flight", "retrying" or "missing"
	N    int64  `json:"n"`
}

// Loaded returns how many recipients there were, and all places in which they are.
func (r *Report) Loaded() (int64, []Term) {
	if r.View == nil {
		var terms []Term
		for _, status := range reportedStatuses {
			terms = append(terms, Term{string(status), r.written().Counts[status]})
		}
		return r.written().Total(), withoutZeros(terms)
	}
	b := r.View.Books
	return b.Loaded, withoutZeros([]Term{
		{"sent", b.Sent}, {"failed", b.Failed}, {"skipped", b.Skipped}, {"expired", b.Expired}, {"unknown", b.Unknown},
		{"retrying", b.Retrying}, {"in flight", b.InFlight}, {"waiting", b.Waiting}, {"missing", b.Missing},
	})
}

// reportedStatuses are in the order of the books.
var reportedStatuses = []notification.Status{
	notification.StatusSent, notification.StatusFailed, notification.StatusSkipped, notification.StatusExpired, notification.StatusUnknown,
}

func withoutZeros(terms []Term) []Term {
	return slices.DeleteFunc(terms, func(t Term) bool { return t.N == 0 && t.Name != string(notification.StatusSent) })
}

// Ended counts the recipients with an outcome.
func (r *Report) Ended() int64 {
	if r.View == nil {
		return r.written().Total()
	}
	return r.View.Books.CountEnded()
}

// Delivered counts the recipients whose push FCM accepted.
func (r *Report) Delivered() int64 {
	if r.View == nil {
		return r.written().Counts[notification.StatusSent]
	}
	return r.View.Books.Sent
}

// Unwritten counts the outcomes that Redis knows and SQL does not have yet.
func (r *Report) Unwritten() int64 {
	if r.View == nil || r.Written == nil {
		return 0
	}
	return max(0, r.View.Books.CountEnded()-r.Written.Total())
}

// OutcomeCount is how many recipients ended with one status and code.
type OutcomeCount struct {
	Status notification.Status `json:"status"`
	Code   string              `json:"errorCode,omitempty"`
	N      int64               `json:"n"`
}

// Outcomes counts the recipients that ended, by status and code, the largest number first.
func (r *Report) Outcomes() []OutcomeCount {
	if r.View != nil {
		return CountOutcomes(r.View.Books)
	}
	return SumMinutes(r.Minutes)
}

// SumMinutes counts the recipients of minutes by status and code, the largest number first.
func SumMinutes(minutes []store.Minute) []OutcomeCount {
	sums := make(map[OutcomeCount]int64)
	for _, m := range minutes {
		sums[OutcomeCount{Status: m.Status, Code: m.ErrorCode}] += m.N
	}
	return sortOutcomes(sums)
}

// CountOutcomes counts the recipients that ended, by status and code, the largest number first.
func CountOutcomes(b campaign.Books) []OutcomeCount {
	rest := map[string]int64{"sent": b.Sent, "failed": b.Failed, "skipped": b.Skipped, "expired": b.Expired, "unknown": b.Unknown}
	sums := make(map[OutcomeCount]int64)
	for key, n := range b.Codes {
		status, code, _ := strings.Cut(key, ":")
		sums[OutcomeCount{Status: notification.Status(status), Code: code}] += n
		rest[status] -= n
	}
	for status, n := range rest {
		if n > 0 {
			sums[OutcomeCount{Status: notification.Status(status)}] += n
		}
	}
	return sortOutcomes(sums)
}

func sortOutcomes(sums map[OutcomeCount]int64) []OutcomeCount {
	var all []OutcomeCount
	for outcome, n := range sums {
		outcome.N = n
		all = append(all, outcome)
	}
	slices.SortFunc(all, func(a, b OutcomeCount) int {
		return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Status, b.Status), cmp.Compare(a.Code, b.Code))
	})
	return all
}

// Span returns when sending began and when it ended. end is zero while it lasts; both are zero if
// they are not known.
func (r *Report) Span() (start, end time.Time) {
	if r.View != nil {
		return r.View.Spec.StartedAt, r.View.Spec.FinishedAt
	}
	for _, e := range r.History {
		if e.What == "started" && start.IsZero() {
			start = e.At
		}
		if campaign.State(e.What).HasEnded() {
			end = e.At
		}
	}
	if n := len(r.Minutes); n > 0 {
		start, end = cmp.Or(start, r.Minutes[0].Start), cmp.Or(end, r.Minutes[n-1].Start.Add(time.Minute))
	}
	return start, end
}

// Rate is the mean of recipients ended a second; 0 if it is not known.
func (r *Report) Rate() float64 {
	start, end := r.Span()
	took := cmp.Or(end, r.At).Sub(start).Seconds()
	if start.IsZero() || took <= 0 {
		return 0
	}
	return float64(r.Ended()) / took
}

// MarshalJSON writes the figures, and what follows from them.
func (r *Report) MarshalJSON() ([]byte, error) {
	loaded, terms := r.Loaded()
	start, end := r.Span()
	balance, balanced := r.Balance()
	choices, problem := r.Choices(), ""
	if r.Problem != nil {
		problem = redact.Text(r.Problem.Error())
	}
	return json.Marshal(struct {
		ID       string                      `json:"id"`
		At       time.Time                   `json:"at"`
		Sources  string                      `json:"sources"`
		State    campaign.State              `json:"state,omitempty"`
		Campaign *View                       `json:"campaign,omitempty"`
		Loaded   int64                       `json:"loaded"`
		Terms    []Term                      `json:"terms"`
		Balance  string                      `json:"balance"`
		Balanced bool                        `json:"balanced"`
		Outcomes []OutcomeCount              `json:"outcomes"`
		Variants []VariantCount              `json:"variants,omitempty"`
		Locales  []LanguageCount             `json:"locales,omitempty"`
		Start    time.Time                   `json:"startedAt,omitzero"`
		End      time.Time                   `json:"finishedAt,omitzero"`
		Rate     float64                     `json:"rate"`
		Removed  int64                       `json:"tokensRemoved"`
		Minutes  []store.Minute              `json:"minutes,omitempty"`
		History  []notification.HistoryEntry `json:"history,omitempty"`
		Steps    []Step                      `json:"next,omitempty"`
		Problem  string                      `json:"sqlError,omitempty"`
		Unread   []string                    `json:"unread,omitempty"`
	}{
		r.ID, r.At, r.Sources(), r.State(), r.View, loaded, terms, balance, balanced, r.Outcomes(), choices.Variants, choices.Languages, start, end, r.Rate(), r.Removed,
		r.Minutes, r.History, r.Steps(), problem, r.Unread,
	})
}
