package store

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"fanfare/internal/notification"
)

const installation = "cMr3eGJhR0-kT1aB9xYz_w"

// devicesQuery returns the query of a table of devices.
func devicesQuery(s *Store, columns string) string {
	ids := "user_id = ANY($1)"
	if !onPostgres(s) {
		ids = "user_id IN (SELECT value FROM json_each($1))"
	}
	return "SELECT " + columns + " FROM devices WHERE " + ids + " ORDER BY n"
}

func TestSeveralDevicesAreFound(t *testing.T) {
	t.Parallel()
	onBoth(t, Options{TokenQuery: "off for now"}, func(t *testing.T, s *Store) {
		timeType, written := "timestamptz", "'2026-11-01 10:00:00+00'"
		if !onPostgres(s) {
			timeType, written = "integer", "1793527200"
		}
		execute(t, s, `CREATE TABLE devices (n int, user_id text, token text, fid text, kind text, platform text, locale text, seen `+timeType+`)`,
			`INSERT INTO devices VALUES
				(1, 'a', 'phone', NULL, NULL, 'iOS', 'pt-BR', `+written+`),
				(2, 'a', NULL, '`+installation+`', 'fid', NULL, NULL, NULL),
				(3, 'a', 'short', NULL, 'FID', NULL, NULL, NULL),
				(4, 'a', '', '', NULL, 'web', NULL, NULL),
				(5, 'b', '`+installation+`', NULL, NULL, NULL, NULL, NULL),
				(6, 'c', '`+installation+`:token', '`+installation+`', NULL, 'ios', NULL, NULL),
				(7, 'c', 'two words', '`+installation+`', NULL, NULL, NULL, NULL),
				(8, 'd', 'two words', 'a:b', NULL, NULL, NULL, NULL)`)
		s.o.TokenQuery = devicesQuery(s, "user_id, token, fid, kind, platform AS \"Platform\", locale, seen AS last_seen")
		if err := s.CheckQueries(t.Context()); err != nil {
			t.Fatal(err)
		}
		got, err := s.Devices(t.Context(), []string{"a", "b", "c", "d", "absent"})
		want := map[string][]notification.Device{
			"a": {
				{Target: notification.ParseToken("phone"), Platform: "ios", Locale: "pt-BR", LastSeen: time.Date(2026, 11, 1, 10, 0, 0, 0, time.UTC)},
				{Target: notification.ParseFID(installation)}, {Target: notification.ParseFID("short")},
			},
			"b": {{Target: notification.ParseFID(installation)}},
			"c": {
				{Target: notification.ParseFID(installation), Platform: "ios"}, {Target: notification.ParseToken(installation + ":token"), Platform: "ios"},
				{Target: notification.ParseFID(installation)},
			},
			"d": {{Target: notification.ParseToken("two words")}},
		}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, %v, want\n%+v", got, err, want)
		}
		for columns, problem := range map[string]string{
			"user_id, token, seen":               `the column "seen", which is not one of fid, kind, platform, locale, last_seen`,
			"user_id, platform, token":           "returns platform in place of the id and the token",
			"user_id, token, ARRAY['a'] AS kind": "in the column kind, which must be a text",
		} {
			if !onPostgres(s) && strings.Contains(columns, "ARRAY") {
				continue
			}
			s.o.TokenQuery = devicesQuery(s, columns)
			if err := s.CheckQueries(t.Context()); err == nil || !strings.Contains(err.Error(), problem) {
				t.Errorf("%s: %v, want %q", columns, err, problem)
			}
		}
	})
}
