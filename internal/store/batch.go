package store

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"fanfare/internal/notification"
)

// checkResult refuses what one of the databases would, so that both agree, and name the field: PostgreSQL takes no NUL
// and no invalid UTF-8 in a text.
func checkResult(r *notification.Result) error {
	if r.Status.Rank() == 0 {
		return &DataError{Field: "status", Problem: "is none that we know"}
	}
	if r.Attempts < 0 || r.Attempts > math.MaxInt32 {
		return &DataError{Field: "attempts", Problem: "is not within 0 and 2147483647"}
	}
	for _, field := range []struct{ name, text string }{
		{"campaignId", r.CampaignID}, {"userId", r.UserID}, {"resultId", r.ResultID},
		{"messageId", r.MessageID}, {"errorCode", r.ErrorCode}, {"error", r.Error}, {"fcmToken", r.Token},
	} {
		if strings.IndexByte(field.text, 0) >= 0 {
			return &DataError{Field: field.name, Problem: "holds a NUL"}
		}
		if !utf8.ValidString(field.text) {
			return &DataError{Field: field.name, Problem: "is not UTF-8"}
		}
	}
	return nil
}

// byKey orders results as the table's primary key does: by bytes. Every batch takes its row locks in this order, so that
// two of them never wait for each other.
func byKey(a, b *notification.Result) int {
	return cmp.Or(
		strings.Compare(a.CampaignID, b.CampaignID),
		strings.Compare(a.UserID, b.UserID),
		strings.Compare(a.ResultID, b.ResultID),
	)
}

// distinct returns the results ordered by key; of several with one key, the first of the highest rank. One statement may
// not touch a row twice.
func distinct(results []notification.Result) []*notification.Result {
	rows := make([]*notification.Result, len(results))
	for i := range results {
		rows[i] = &results[i]
	}
	slices.SortStableFunc(rows, func(a, b *notification.Result) int {
		return cmp.Or(byKey(a, b), cmp.Compare(b.Status.Rank(), a.Status.Rank()))
	})
	return slices.CompactFunc(rows, func(a, b *notification.Result) bool { return byKey(a, b) == 0 })
}

// userToken is a token, and whose it is or was.
type userToken struct{ user, token string }

// byUser orders tokens in one way for all batches, so that two of them never wait for each other's rows.
func byUser(a, b userToken) int {
	return cmp.Or(strings.Compare(a.user, b.user), strings.Compare(a.token, b.token))
}

// deadTokens returns the removed tokens, each once, in one order for all batches. A value that can be no token was never proven
// dead, whatever a result says.
func deadTokens(results []notification.Result) []userToken {
	var dead []userToken
	for i := range results {
		r := &results[i]
		target := notification.ParseToken(r.Token)
		if !r.TokenRemoved || !target.IsSendable() {
			continue
		}
		dead = append(dead, userToken{user: r.UserID, token: r.Token})
		if target.IsTrimmed() { // it may be stored without what stood around it elsewhere
			dead = append(dead, userToken{user: r.UserID, token: target.Value})
		}
	}
	slices.SortFunc(dead, byUser)
	return slices.Compact(dead)
}
