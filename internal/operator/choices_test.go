package operator

import (
	"fmt"
	"testing"

	"fanfare/internal/campaign"
	"fanfare/internal/notification"
	"fanfare/internal/store"
)

const variantsMessage = `{"message":{"notification":{"title":"Hi"}},"variants":[{"name":"b","weight":60},{"name":"a","weight":30}],"holdout":10}`

// The rows add up to the ended recipients, whatever the message and the counts say.
func TestVariantsAddUp(t *testing.T) {
	t.Parallel()
	books := campaign.Books{
		Sent: 6, Failed: 3, Skipped: 5, Expired: 1, Codes: map[string]int64{"skipped:HOLDOUT": 4}, HeldOut: 4,
		Variants: map[string]campaign.StatusCounts{
			"a": {notification.StatusSent: 2, notification.StatusFailed: 1}, "old": {notification.StatusSent: 1, notification.StatusSkipped: 1},
		},
	}
	for name, c := range map[string]struct {
		message string
		want    []VariantCount
	}{
		"of the message": {variantsMessage, []VariantCount{
			{Name: "old", OutcomeSums: OutcomeSums{Recipients: 2, Sent: 1, Others: 1}},
			{Name: "b", Percent: 60},
			{Name: "a", Percent: 30, OutcomeSums: OutcomeSums{Recipients: 3, Sent: 2, Failed: 1}},
			{Percent: 10, HeldOut: true, OutcomeSums: OutcomeSums{Recipients: 4, Others: 4}},
			{OutcomeSums: OutcomeSums{Recipients: 6, Sent: 3, Failed: 2, Others: 1}},
		}},
		"of a message that cannot be read": {`{`, []VariantCount{
			{Name: "a", OutcomeSums: OutcomeSums{Recipients: 3, Sent: 2, Failed: 1}},
			{Name: "old", OutcomeSums: OutcomeSums{Recipients: 2, Sent: 1, Others: 1}},
			{OutcomeSums: OutcomeSums{Recipients: 10, Sent: 3, Failed: 2, Others: 5}},
		}},
	} {
		got := View{Spec: campaign.Spec{Message: []byte(c.message)}, Books: books}.Choices().Variants
		equal(t, name, len(got), len(c.want))
		for i := range min(len(got), len(c.want)) {
			equal(t, name, got[i], c.want[i])
		}
	}
	equal(t, "without variants", len(View{Spec: campaign.Spec{Message: []byte(plainMessage)}, Books: campaign.Books{Sent: 1}}.Choices().Variants), 0)
}

// Of what SQL has, recipients without a text in any language are not those of the base language.
func TestLanguagesOfSQLAddUp(t *testing.T) {
	t.Parallel()
	got := (&Report{choices: []store.ChoiceCount{
		{Status: notification.StatusSent, N: 2},
		{Locale: "de", Status: notification.StatusSent, N: 3},
		{Nameless: true, Status: notification.StatusFailed, N: 4},
	}}).Choices().Languages
	equal(t, "languages", fmt.Sprint(got), fmt.Sprint([]LanguageCount{
		{OutcomeSums: OutcomeSums{Recipients: 2, Sent: 2}},
		{Locale: "de", OutcomeSums: OutcomeSums{Recipients: 3, Sent: 3}},
		{None: true, OutcomeSums: OutcomeSums{Recipients: 4, Failed: 4}},
	}))
}

// The languages add up to the ended recipients, too.
func TestLanguagesAddUp(t *testing.T) {
	t.Parallel()
	const message = `{"message":{"notification":{"title":"Hi"}},"locales":{"vi":{"notification":{"title":"Chào"}},"pt":{"notification":{"title":"Oi"}}},"holdout":10}`
	books := campaign.Books{
		Sent: 6, Failed: 3, Skipped: 5, Codes: map[string]int64{"skipped:HOLDOUT": 4}, HeldOut: 4,
		Locales: map[string]campaign.StatusCounts{
			"": {notification.StatusSent: 2, notification.StatusFailed: 1}, "pt": {notification.StatusSent: 3, notification.StatusFailed: 2, notification.StatusSkipped: 1},
			"old": {notification.StatusSent: 1},
		},
	}
	of := func(text string, b campaign.Books) []LanguageCount {
		return View{Spec: campaign.Spec{Message: []byte(text)}, Books: b}.Choices().Languages
	}
	want := []LanguageCount{
		{OutcomeSums: OutcomeSums{Recipients: 3, Sent: 2, Failed: 1}},
		{Locale: "vi"},
		{Locale: "pt", OutcomeSums: OutcomeSums{Recipients: 6, Sent: 3, Failed: 2, Others: 1}},
		{Locale: "old", OutcomeSums: OutcomeSums{Recipients: 1, Sent: 1}},
		{None: true, OutcomeSums: OutcomeSums{Recipients: 4, Others: 4}},
	}
	got := of(message, books)
	equal(t, "languages", len(got), len(want))
	for i := range min(len(got), len(want)) {
		equal(t, "language", got[i], want[i])
	}
	equal(t, "without languages", len(of(plainMessage, campaign.Books{Sent: 1})), 0)
}
