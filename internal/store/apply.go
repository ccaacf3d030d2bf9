package store

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"fanfare/internal/notification"
)

// Apply writes results in one transaction: all of them or none. Results with the same campaign,
// user and result id share a row, which keeps the one of the highest rank. A repeated or late
// result therefore never lowers a status. A result with TokenRemoved also clears the user's token
// in SQL, if it still is that token. So does each of its devices, which have rows of their own in
// the same transaction. FaultOf classifies the error.
func (s *Store) Apply(ctx context.Context, results []notification.Result) error {
	if len(results) == 0 {
		return nil
	}
	for i := range results {
		if err := checkResult(&results[i]); err != nil {
			return fmt.Errorf("apply results: %w", err)
		}
	}
	devices := collectDevices(results)
	var dead []userToken
	if s.tokenClear().text != "" {
		dead = collectDeadTokens(results)
	}
	err := s.withTimeout(ctx, func(ctx context.Context) error { return s.backend.apply(ctx, dedupe(results), devices, dead) })
	if err != nil {
		return fmt.Errorf("apply results: %w", err)
	}
	return nil
}

// checkResult refuses values that either database refuses and names the field. PostgreSQL accepts
// neither NUL nor invalid UTF-8 in a text.
func checkResult(r *notification.Result) error {
	if r.Status.Rank() == 0 {
		return &DataError{Field: "status", Problem: "is not a known status"}
	}
	if r.Attempts < 0 || r.Attempts > math.MaxInt32 {
		return &DataError{Field: "attempts", Problem: "is not between 0 and 2147483647"}
	}
	err := checkTexts([]textField{
		{"campaignId", r.CampaignID}, {"userId", r.UserID}, {"resultId", r.ResultID},
		{"messageId", r.MessageID}, {"errorCode", r.ErrorCode}, {"error", r.Error}, {"fcmToken", r.Token}, {"variant", r.Variant}, {"locale", r.Locale},
	})
	if err != nil || len(r.Devices) == 0 {
		return err
	}
	return checkDevices(r.Devices)
}

type textField struct{ name, text string }

func checkTexts(fields []textField) error {
	for _, field := range fields {
		if strings.IndexByte(field.text, 0) >= 0 {
			return &DataError{Field: field.name, Problem: "contains a NUL"}
		}
		if !utf8.ValidString(field.text) {
			return &DataError{Field: field.name, Problem: "is not UTF-8"}
		}
	}
	return nil
}

// compareKeys orders results by bytes, like the table's primary key. All batches lock rows in this
// order, so two batches cannot deadlock.
func compareKeys(a, b *notification.Result) int {
	return cmp.Or(
		strings.Compare(a.CampaignID, b.CampaignID),
		strings.Compare(a.UserID, b.UserID),
		strings.Compare(a.ResultID, b.ResultID),
	)
}

// dedupe returns the results ordered by key, and the highest rank of each key. Among equal ranks
// the first stays. One statement may not touch a row twice.
func dedupe(results []notification.Result) []*notification.Result {
	rows := make([]*notification.Result, len(results))
	for i := range results {
		rows[i] = &results[i]
	}
	slices.SortStableFunc(rows, func(a, b *notification.Result) int {
		return cmp.Or(compareKeys(a, b), cmp.Compare(b.Status.Rank(), a.Status.Rank()))
	})
	return slices.CompactFunc(rows, func(a, b *notification.Result) bool { return compareKeys(a, b) == 0 })
}

// userToken is a user's current or former token.
type userToken struct{ user, token string }

// compareUserTokens gives all batches one order of tokens, so two batches cannot deadlock.
func compareUserTokens(a, b userToken) int {
	return cmp.Or(strings.Compare(a.user, b.user), strings.Compare(a.token, b.token))
}

// collectDeadTokens returns the removed tokens and installation IDs, each once and in the order of
// all batches. It skips values that cannot be either, because FCM never proved them dead.
func collectDeadTokens(results []notification.Result) []userToken {
	var dead []userToken
	add := func(user, text string) {
		target := notification.ParseToken(text) // an installation ID has the alphabet of a token
		if !target.IsSendable() {
			return
		}
		dead = append(dead, userToken{user: user, token: text})
		if target.IsTrimmed() { // the table may hold it without the surrounding characters
			dead = append(dead, userToken{user: user, token: target.Value})
		}
	}
	for i := range results {
		r := &results[i]
		if r.TokenRemoved {
			add(r.UserID, r.Token)
		}
		for _, d := range r.Devices {
			if d.TokenRemoved {
				add(r.UserID, d.Token)
			}
		}
	}
	slices.SortFunc(dead, compareUserTokens)
	return slices.Compact(dead)
}
