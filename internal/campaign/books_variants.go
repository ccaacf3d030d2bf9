package campaign

import (
	"strings"

	"fanfare/internal/notification"
)

// noteVariant begins the notes that count outcomes by variant.
const noteVariant = "variant:"

// NoteOfVariant returns the note of a recipient of a variant that ended so.
func NoteOfVariant(variant string, status notification.Status) string {
	return noteVariant + variant + ":" + string(status)
}

// variantsOf counts ended recipients by variant and status, nil without variants.
func variantsOf(notes map[string]string) map[string]map[notification.Status]int64 {
	var b Books
	for name, n := range notes {
		rest, is := strings.CutPrefix(name, "note:"+noteVariant)
		variant, status, found := strings.Cut(rest, ":")
		if !is || !found {
			continue
		}
		b.AddVariant(variant, notification.Status(status), parseCount(n))
	}
	return b.Variants
}

// AddVariant adds recipients of a variant that ended so.
func (b *Books) AddVariant(variant string, status notification.Status, n int64) {
	if b.Variants == nil {
		b.Variants = make(map[string]map[notification.Status]int64)
	}
	if b.Variants[variant] == nil {
		b.Variants[variant] = make(map[notification.Status]int64)
	}
	b.Variants[variant][status] += n
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
