package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"fanfare/internal/notification"
)

// deviceRow is one row of fanfare_delivery_devices. A batch goes to the database as a JSON array.
type deviceRow struct {
	CampaignID   string              `json:"campaign_id"`
	UserID       string              `json:"user_id"`
	ResultID     string              `json:"result_id"`
	Device       int                 `json:"device"` // its place in the result, from 0
	Address      string              `json:"address"`
	Kind         string              `json:"kind"`
	Platform     string              `json:"platform"`
	Status       notification.Status `json:"status"`
	Rank         int                 `json:"rank"`
	MessageID    string              `json:"message_id"`
	ErrorCode    string              `json:"error_code"`
	Attempts     int                 `json:"attempts"`
	TokenRemoved bool                `json:"token_removed"`
	At           string              `json:"at"`
	Locale       string              `json:"locale"`
}

// deviceColumns are the columns of fanfare_delivery_devices, with their types in PostgreSQL.
var deviceColumns = []struct{ name, typ string }{
	{"campaign_id", "text"}, {"user_id", "text"}, {"result_id", "text"}, {"device", "smallint"}, {"address", "text"},
	{"kind", "text"}, {"platform", "text"}, {"status", "text"}, {"rank", "smallint"}, {"message_id", "text"},
	{"error_code", "text"}, {"attempts", "integer"}, {"token_removed", "boolean"}, {"at", "timestamptz"}, {"locale", "text"},
}

// maxDevices is how many devices of a result are stored. Campaigns have at most some twenty.
const maxDevices = 1000

// upsertDevices writes the rows of the JSON array $1. As in fanfare_deliveries, a row changes only
// to a higher rank. from returns the source of the rows and how one of its columns is read.
func upsertDevices(from string, read func(name string) string) string {
	var names, values, changes []string
	for _, c := range deviceColumns {
		names, values = append(names, c.name), append(values, read(c.name))
		changes = append(changes, c.name+" = excluded."+c.name)
	}
	return `INSERT INTO fanfare_delivery_devices AS stored (` + strings.Join(names, ", ") + `)
SELECT ` + strings.Join(values, ", ") + ` FROM ` + from + ` WHERE true
ON CONFLICT (campaign_id, user_id, result_id, device) DO UPDATE SET ` + strings.Join(changes, ", ") + `
WHERE excluded.rank > stored.rank`
}

var (
	postgresUpsertDevices = upsertDevices(`jsonb_to_recordset($1::text::jsonb) AS r(`+postgresDeviceColumns()+`)`,
		func(name string) string { return "r." + name })
	sqliteUpsertDevices = upsertDevices(`json_each($1)`, func(name string) string { return "value->>'" + name + "'" })
)

func postgresDeviceColumns() string {
	all := make([]string, len(deviceColumns))
	for i, c := range deviceColumns {
		all[i] = c.name + " " + c.typ
	}
	return strings.Join(all, ", ")
}

// collectDevices returns the rows of all devices, each once with its highest rank, ordered by key.
func collectDevices(results []notification.Result) []deviceRow {
	var rows []deviceRow
	for i := range results {
		r := &results[i]
		for n, d := range r.Devices {
			rows = append(rows, deviceRow{
				CampaignID: r.CampaignID, UserID: r.UserID, ResultID: r.ResultID, Device: n,
				Address: d.Address, Kind: d.Kind, Platform: d.Platform, Status: d.Status, Rank: d.Status.Rank(),
				MessageID: d.MessageID, ErrorCode: d.ErrorCode, Attempts: d.Attempts, TokenRemoved: d.TokenRemoved,
				At: r.At.UTC().Format(timeLayout), Locale: d.Locale,
			})
		}
	}
	slices.SortStableFunc(rows, func(a, b deviceRow) int { return cmp.Or(a.compareKey(b), cmp.Compare(b.Rank, a.Rank)) })
	return slices.CompactFunc(rows, func(a, b deviceRow) bool { return a.compareKey(b) == 0 })
}

func (d deviceRow) compareKey(other deviceRow) int {
	return cmp.Or(strings.Compare(d.CampaignID, other.CampaignID), strings.Compare(d.UserID, other.UserID),
		strings.Compare(d.ResultID, other.ResultID), cmp.Compare(d.Device, other.Device))
}

func encodeDevices(rows []deviceRow) string {
	text, err := json.Marshal(rows)
	if err != nil {
		panic(err) // texts and numbers always marshal
	}
	return string(text)
}

// checkDevices refuses devices that either database refuses and names the field.
func checkDevices(devices []notification.DeviceResult) error {
	if len(devices) > maxDevices {
		return &DataError{Field: "devices", Problem: fmt.Sprintf("has %d entries, want at most %d", len(devices), maxDevices)}
	}
	for i, d := range devices {
		name := fmt.Sprintf("devices[%d].", i)
		switch {
		case d.Status.Rank() == 0:
			return &DataError{Field: name + "status", Problem: "is not a known status"}
		case d.Attempts < 0 || d.Attempts > math.MaxInt32:
			return &DataError{Field: name + "attempts", Problem: "is not between 0 and 2147483647"}
		}
		err := checkTexts([]textField{
			{name + "address", d.Address}, {name + "kind", d.Kind}, {name + "platform", d.Platform},
			{name + "messageId", d.MessageID}, {name + "errorCode", d.ErrorCode}, {name + "fcmToken", d.Token}, {name + "locale", d.Locale},
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// addDevices reads the devices of the outcomes that were read. Tables of an earlier version have
// none.
func (s *Store) addDevices(ctx context.Context, results []notification.Result) error {
	byKey := make(map[[3]string]*notification.Result, len(results))
	var campaigns, users []string
	for i := range results {
		r := &results[i]
		byKey[[3]string{r.CampaignID, r.UserID, r.ResultID}] = r
		campaigns, users = append(campaigns, r.CampaignID), append(users, r.UserID)
	}
	if len(results) == 0 {
		return nil
	}
	slices.Sort(campaigns)
	slices.Sort(users)
	query := `SELECT campaign_id, user_id, result_id, address, kind, platform, status, message_id, error_code, attempts, token_removed, ` + localeColumn + `
FROM fanfare_delivery_devices WHERE campaign_id ` + s.backend.inArray("$1") + ` AND user_id ` + s.backend.inArray("$2") + `
ORDER BY campaign_id, user_id, result_id, device`
	args := []any{s.backend.encodeIDs(slices.Compact(campaigns)), s.backend.encodeIDs(slices.Compact(users))}
	err := withPresentColumns(query, func(query string) error {
		return s.withTimeout(ctx, func(ctx context.Context) error {
			for i := range results {
				results[i].Devices = nil
			}
			return s.backend.query(ctx, query, args, func(scan scanFunc) error {
				var campaign, user, result string
				var d notification.DeviceResult
				err := scan(&campaign, &user, &result, &d.Address, &d.Kind, &d.Platform, &d.Status, &d.MessageID, &d.ErrorCode, &d.Attempts, &d.TokenRemoved, &d.Locale)
				if r := byKey[[3]string{campaign, user, result}]; r != nil && err == nil {
					r.Devices = append(r.Devices, d)
				}
				return err
			})
		})
	})
	if isMissing(err) {
		return nil
	}
	return err
}
