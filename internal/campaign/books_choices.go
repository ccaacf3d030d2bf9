package campaign

import (
	"strings"

	"fanfare/internal/notification"
)

// These begin the notes that count outcomes by variant and by language.
const (
	noteVariant = "variant:"
	noteLocale  = "locale:"
)

// NoteBadLocale is the note of an ended recipient with a locale that names no language. The next
// one was used: the user's, the profile's, or the base language.
const NoteBadLocale = "bad_locale"

// StatusCounts counts recipients by status.
type StatusCounts = map[notification.Status]int64

// NoteOfVariant returns the note of a recipient of a variant that ended so.
func NoteOfVariant(variant string, status notification.Status) string {
	return noteVariant + variant + ":" + string(status)
}

// NoteOfLocale returns the note of a recipient who ended so, by the language of the text. The base
// language has the name "". A message has at most a hundred languages, so the notes are few.
func NoteOfLocale(locale string, status notification.Status) string {
	return noteLocale + locale + ":" + string(status)
}

// choicesOf counts ended recipients by the name in notes of one kind and by status. It is nil
// without such notes.
func choicesOf(notes map[string]string, kind string) map[string]StatusCounts {
	var all map[string]StatusCounts
	for name, n := range notes {
		rest, is := strings.CutPrefix(name, "note:"+kind)
		choice, status, found := strings.Cut(rest, ":")
		if is && found {
			addChoice(&all, choice, notification.Status(status), parseCount(n))
		}
	}
	return all
}

// AddVariant adds recipients of a variant that ended so.
func (b *Books) AddVariant(variant string, status notification.Status, n int64) {
	addChoice(&b.Variants, variant, status, n)
}

// AddLocale adds recipients who ended so, by the language of the text.
func (b *Books) AddLocale(locale string, status notification.Status, n int64) {
	addChoice(&b.Locales, locale, status, n)
}

func addChoice(all *map[string]StatusCounts, name string, status notification.Status, n int64) {
	if *all == nil {
		*all = make(map[string]StatusCounts)
	}
	if (*all)[name] == nil {
		(*all)[name] = make(StatusCounts)
	}
	(*all)[name][status] += n
}

// countWithoutVariant counts the ended recipients that are neither in a variant nor held out.
func countWithoutVariant(b Books) int64 {
	if len(b.Variants) == 0 {
		return 0
	}
	rest := b.CountEnded() - b.HeldOut
	for _, counts := range b.Variants {
		for _, n := range counts {
			rest -= n
		}
	}
	return max(0, rest)
}
