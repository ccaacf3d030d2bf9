package operator

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"fanfare/internal/campaign"
)

// ErrNoSource is returned to a load of the source of a campaign whose spec has none.
var ErrNoSource = errors.New("campaign has no source")

// Source returns the source of a campaign's spec. It returns ErrNoSource, or an error of the
// campaign.
func (o *Operator) Source(ctx context.Context, id string) (campaign.Source, error) {
	spec, err := o.deps.Campaigns.Get(ctx, id)
	if err == nil && spec.Source.IsZero() {
		err = ErrNoSource
	}
	return spec.Source, err
}

// sourceView is how JSON shows how much of a campaign's source is loaded.
type sourceView struct {
	campaign.Source

	Progress campaign.SourceProgress `json:"progress"`
}

// source returns nil without one.
func (v View) source() *sourceView {
	if v.Spec.Source.IsZero() {
		return nil
	}
	return &sourceView{v.Spec.Source, v.Books.ProgressOf(v.Spec.Source)}
}

// DescribeSource says in one line what a source reads; "" without one.
func DescribeSource(s campaign.Source) string {
	if s.IsZero() {
		return ""
	}
	text := "rows of " + strings.Join(strings.Fields(s.Query), " ") + ", by " + s.Key
	if len(s.Files) > 0 {
		text = strings.Join(s.Files, ", ")
	}
	if s.Format != "" {
		text += ", as " + s.Format
	}
	if s.Separator != "" {
		text += ", separated by " + s.Separator
	}
	if s.Where != "" {
		text += ", where " + s.Where
	}
	return text
}

// SourceProgress says how much of a campaign's source is loaded, and who loads; "" without one.
func (v View) SourceProgress() string {
	if v.Spec.Source.IsZero() {
		return ""
	}
	p := v.Books.ProgressOf(v.Spec.Source)
	n := count(p.Recipients, "recipient")
	switch p.State {
	case campaign.SourceLoaded:
		return "loaded: " + n
	case campaign.SourceWaived:
		return "given up after " + n
	case campaign.SourcePartial:
		if load := v.Books.Load; load != nil {
			return fmt.Sprintf("%s so far; a loader runs (%s)", n, load.Owner)
		}
		return "partly loaded: " + n
	}
	return "not loaded"
}
