package store

import (
	"context"
	"fmt"

	"fanfare/internal/notification"
)

// ChoiceCount is how many recipients ended so, by the text that was picked for them.
type ChoiceCount struct {
	// Variant is empty for recipients of none. Locale is empty for the base language, and for
	// recipients without a text.
	Variant, Locale string
	Status          notification.Status
	// HeldOut marks the hold-out group. Nameless recipients have an element without a user id.
	HeldOut, Nameless bool
	N                 int64
}

// The groups of recipients without a text.
const (
	groupHeldOut  = 1
	groupNameless = 2
)

const selectChoices = `SELECT ` + variantColumn + `, ` + localeColumn + `, status,
	CASE WHEN error_code = '` + notification.CodeHoldout + `' THEN 1 WHEN user_id = '' THEN 2 ELSE 0 END AS outside, count(*)
FROM fanfare_deliveries WHERE campaign_id = $1 GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4`

// Choices counts the outcomes of a campaign by variant and language. It reads all of them, for
// which Options.Timeout may be too short.
func (s *Store) Choices(ctx context.Context, campaign string) (found []ChoiceCount, err error) {
	err = withPresentColumns(selectChoices, func(query string) error {
		return s.withTimeout(ctx, func(ctx context.Context) error {
			found = nil
			return s.backend.query(ctx, query, []any{campaign}, func(scan scanFunc) error {
				var n ChoiceCount
				var group int
				if err := scan(&n.Variant, &n.Locale, &n.Status, &group, &n.N); err != nil {
					return err
				}
				n.HeldOut, n.Nameless = group == groupHeldOut, group == groupNameless
				found = append(found, n)
				return nil
			})
		})
	})
	if err != nil {
		return nil, fmt.Errorf("count variants and languages of campaign %q: %w", campaign, blameMissing(err))
	}
	return found, nil
}
