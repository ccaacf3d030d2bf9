// Package warnings keeps a log readable while something fails again and again. A Handler lets the
// first of several equal warnings pass, counts the others, and writes one line when they have
// ended. It also lists what fails at the moment.
package warnings

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"time"
)

const (
	// quiet is how long a warning must not have come for it to count as ended. It is longer than
	// the pauses between two tries of whatever failed.
	quiet = 45 * time.Second
	// reminderInterval is how often a warning that continues is written again, with its count.
	reminderInterval = 5 * time.Minute
	// maxKnown bounds the warnings that are counted at one time. Others pass.
	maxKnown = 1000
)

// Handler wraps the handler of a log. Warnings are equal if they have the same message and name the
// same campaign. Errors are equal if all of their attributes are, because each one matters.
type Handler struct {
	next     slog.Handler
	with     string // attributes of the logger, as part of the key
	campaign string // the campaign that they name
	scrub    func(string) string
	known    *known
}

// NewHandler returns a handler that writes to next. scrub hides secrets in what List returns; next
// hides them in the log.
func NewHandler(next slog.Handler, scrub func(string) string) *Handler {
	return &Handler{next: next, scrub: scrub, known: &known{byKey: make(map[string]*warning)}}
}

// Enabled implements slog.Handler.
func (h *Handler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

// WithAttrs implements slog.Handler.
func (h *Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	derived := *h
	derived.next = h.next.WithAttrs(attrs)
	for _, a := range attrs {
		derived.with += " " + a.String()
		if a.Key == campaignKey {
			derived.campaign = a.Value.String()
		}
	}
	return &derived
}

// WithGroup implements slog.Handler.
func (h *Handler) WithGroup(name string) slog.Handler {
	derived := *h
	derived.next, derived.with = h.next.WithGroup(name), h.with+" "+name
	return &derived
}

// The attributes that distinguish warnings of one message. Both have few values.
const (
	campaignKey  = "campaign"
	operationKey = "operation" // such as "write outcomes": that one fails says nothing of another
)

// Handle implements slog.Handler.
func (h *Handler) Handle(ctx context.Context, r slog.Record) error {
	if r.Level < slog.LevelWarn {
		return h.next.Handle(ctx, r)
	}
	w := warning{Level: r.Level, Message: r.Message, Campaign: h.campaign, first: r.Time, last: r.Time, count: 1, log: h.next}
	key := r.Level.String() + h.with + " " + r.Message
	var details []string
	r.Attrs(func(a slog.Attr) bool {
		switch {
		case a.Key == campaignKey:
			w.Campaign = a.Value.Resolve().String()
			key += " " + a.String()
		case a.Key == operationKey, r.Level > slog.LevelWarn:
			key += " " + a.String()
		}
		if slices.Contains(detailKeys, a.Key) {
			details = append(details, a.Value.Resolve().String())
		}
		return true
	})
	w.Detail = shorten(h.scrub(strings.Join(details, ", ")))
	if remind := h.known.note(key, w); remind != nil {
		return h.next.Handle(ctx, remind.addTo(r))
	}
	return nil
}

// detailKeys are the attributes that say why something failed.
var detailKeys = []string{"error", "answer", "reason"}

// maxDetail is the length at which the details of a warning are cut, in runes.
const maxDetail = 300

func shorten(text string) string {
	if runes := []rune(text); len(runes) > maxDetail {
		return string(runes[:maxDetail]) + "…"
	}
	return text
}

// addTo adds how often a warning came before, if it did.
func (w *warning) addTo(r slog.Record) slog.Record {
	if w.count > 1 {
		r = r.Clone()
		r.AddAttrs(slog.Int64("times", w.count), slog.Time("since", w.first))
	}
	return r
}

// Flush writes the counts of all warnings, at the end of the program.
func (h *Handler) Flush() {
	for _, w := range h.known.takeAll() {
		w.write("warning repeated until the stop")
	}
}

// Current is something that fails at the moment.
type Current struct {
	Message  string    `json:"message"`
	Detail   string    `json:"detail,omitempty"` // of the last time, without secrets
	Campaign string    `json:"campaign,omitempty"`
	Since    time.Time `json:"since"`
	LastAt   time.Time `json:"lastAt"`
	Count    int64     `json:"count"`
}

// List returns what fails at the moment, the oldest first: errors, and warnings that came more than
// once. It returns at most limit.
func (h *Handler) List(limit int) []Current {
	all := h.known.list()
	return all[:min(limit, len(all))]
}
