package operator

import (
	"testing"

	"fanfare/internal/campaign"
	"fanfare/internal/notification"
)

const variantsMessage = `{"message":{"notification":{"title":"Hi"}},"variants":[{"name":"b","weight":60},{"name":"a","weight":30}],"holdout":10}`

// The rows add up to the ended recipients, whatever the message and the counts say.
func TestVariantsAddUp(t *testing.T) {
	t.Parallel()
	books := campaign.Books{
		Sent: 6, Failed: 3, Skipped: 5, Expired: 1, Codes: map[string]int64{"skipped:HOLDOUT": 4}, HeldOut: 4,
		Variants: map[string]map[notification.Status]int64{
			"a": {notification.StatusSent: 2, notification.StatusFailed: 1}, "old": {notification.StatusSent: 1, notification.StatusSkipped: 1},
		},
	}
	for name, c := range map[string]struct {
		message string
		want    []VariantCount
	}{
		"of the message": {variantsMessage, []VariantCount{
			{Name: "old", Recipients: 2, Sent: 1, Others: 1},
			{Name: "b", Percent: 60},
			{Name: "a", Percent: 30, Recipients: 3, Sent: 2, Failed: 1},
			{Percent: 10, HeldOut: true, Recipients: 4, Others: 4},
			{Recipients: 6, Sent: 3, Failed: 2, Others: 1},
		}},
		"of a message that cannot be read": {`{`, []VariantCount{
			{Name: "a", Recipients: 3, Sent: 2, Failed: 1},
			{Name: "old", Recipients: 2, Sent: 1, Others: 1},
			{Recipients: 10, Sent: 3, Failed: 2, Others: 5},
		}},
	} {
		got := View{Spec: campaign.Spec{Message: []byte(c.message)}, Books: books}.Variants()
		equal(t, name, len(got), len(c.want))
		for i := range min(len(got), len(c.want)) {
			equal(t, name, got[i], c.want[i])
		}
	}
	equal(t, "without variants", len(View{Spec: campaign.Spec{Message: []byte(plainMessage)}, Books: campaign.Books{Sent: 1}}.Variants()), 0)
}
