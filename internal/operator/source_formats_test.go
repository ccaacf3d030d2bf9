package operator

import (
	"slices"
	"testing"

	"fanfare/internal/audience"
	"fanfare/internal/campaign"
)

// The formats that a campaign's source may name are those that can be read. Only this room knows
// both.
func TestSourceFormatsAreThoseOfAudiences(t *testing.T) {
	t.Parallel()
	known := []string{string(audience.CSV), string(audience.NDJSON), string(audience.Parquet)}
	if !slices.Equal(campaign.SourceFormats, known) {
		t.Errorf("a source may name %q, and %q can be read", campaign.SourceFormats, known)
	}
}
