package dispatcher

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"fanfare/internal/campaign"
)

// endLogger logs the end of a campaign as one line with all of its counts. A process that ends a
// campaign logs that itself. Anyone can cancel one, so its end is logged by the first dispatcher
// that finds no one in flight.
type endLogger struct {
	campaigns *campaign.Campaigns
	timeout   time.Duration // limits the reads for one line
	log       *slog.Logger
}

// logEnd logs the end of a campaign that this process completed. If the counts cannot be read, the
// line has none. A Job stops when its campaign ends, which must not cut off these reads.
func (e *endLogger) logEnd(ctx context.Context, id string, how campaign.Ending) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), e.timeout)
	defer cancel()
	attrs := []any{"campaign", id}
	spec, specErr := e.campaigns.Get(ctx, id)
	books, booksErr := e.campaigns.Books(ctx, id)
	if specErr != nil || booksErr != nil {
		attrs = append(attrs, "missing", how.Missing)
	} else {
		attrs = append(attrs, endAttrs(spec, books)...)
	}
	switch {
	case how.Missing > 0:
		e.log.Error("campaign completed with missing recipients", append(attrs, "reason", how.Reason)...)
	case spec.State == campaign.Expired:
		e.log.Warn("campaign expired before everyone was sent to", append(attrs, "reason", how.Reason)...)
	case how.Reason != "":
		e.log.Warn("campaign completed with problems", append(attrs, "reason", how.Reason)...)
	default:
		e.log.Info("campaign completed", attrs...)
	}
}

// endAttrs are the counts of a campaign that has ended, its duration and its rate.
func endAttrs(spec campaign.Spec, books campaign.Books) []any {
	attrs := append([]any{"state", spec.State}, countAttrs(books)...)
	attrs = append(attrs, "codes", books.Codes, "resent", books.Resent, "lost", books.Lost)
	if took := spec.FinishedAt.Sub(spec.StartedAt); !spec.StartedAt.IsZero() && took > 0 {
		attrs = append(attrs, "took", took.Round(time.Millisecond), "rate", int64(float64(books.CountEnded())/took.Seconds()))
	}
	return attrs
}

// logCancelled logs the end of a cancelled campaign once no one is in flight, unless another
// process has. What cannot be read or noted now is tried again by the next look.
func (e *endLogger) logCancelled(ctx context.Context, id string) {
	ctx, cancel := context.WithTimeout(ctx, e.timeout)
	defer cancel()
	books, err := e.campaigns.Books(ctx, id)
	if err != nil || books.InFlight > 0 {
		return
	}
	spec, err := e.campaigns.Get(ctx, id)
	if err != nil || spec.StartedAt.IsZero() {
		return
	}
	if first, err := e.campaigns.NoteEnd(ctx, id); err != nil || !first {
		return
	}
	attrs := append([]any{"campaign", id}, endAttrs(spec, books)...)
	e.log.Info("campaign cancelled", append(attrs, "not_sent_to", books.CountOpen(), "reason", spec.Reason)...)
}

// logEndOfJob does the same for a Job, whose campaign may have been cancelled.
func (e *endLogger) logEndOfJob(ctx context.Context, id string, result error) {
	if ended, is := errors.AsType[*EndedError](result); is && ended.State == campaign.Cancelled {
		e.logCancelled(ctx, id)
	}
}
