package store

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

func TestSuppressedUsersAreFound(t *testing.T) {
	t.Parallel()
	const uuidID = "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"
	onBoth(t, Options{}, func(t *testing.T, s *Store) {
		execute(t, s, `CREATE TABLE texts (id text)`, `INSERT INTO texts VALUES ('u1'), (' odd"id '), ('aB'), (NULL)`,
			`CREATE TABLE numbers (id bigint)`, `INSERT INTO numbers VALUES (7), (0)`, `CREATE TABLE uuids (id `+uuidType(s)+`)`,
			`INSERT INTO uuids VALUES (lower('`+uuidID+`')`+uuidCast(s)+`)`)
		if got, err := s.Suppressed(t.Context(), []string{"u1"}); err != nil || len(got) != 0 || s.CanFindSuppressed() {
			t.Errorf("without a query: %v %v", got, err)
		}
		for table, c := range map[string]struct{ ask, want []string }{
			"texts":   {[]string{"u1", ` odd"id `, "Ab", "u\x00", "absent"}, []string{` odd"id `, "u1"}},
			"numbers": {[]string{"007", "+7", "8", "u1", "00", "99999999999999999999"}, []string{"+7", "00", "007"}},
			"uuids":   {[]string{uuidID, "no uuid"}, []string{uuidID}},
		} {
			if table != "texts" && !onPostgres(s) { // SQLite compares texts, and returns the spelling of the table
				continue
			}
			s.o.SuppressionQuery = "SELECT id FROM " + table + " WHERE id " + s.backend.inIDs() + " OR id IS NULL"
			if table != "texts" {
				s.o.SuppressionQuery = "SELECT id FROM " + table + " WHERE id " + s.backend.inIDs()
			}
			if err := s.CheckQueries(t.Context()); err != nil {
				t.Errorf("%s: %v", table, err)
			}
			got, err := s.Suppressed(t.Context(), c.ask)
			if found := slices.Sorted(maps.Keys(got)); err != nil || !slices.Equal(found, c.want) {
				t.Errorf("%s: found %q, want %q: %v", table, found, c.want, err)
			}
		}
	})
}

// A column without case returns the case that was stored, whatever was asked.
func TestSuppressedUsersInAnotherCase(t *testing.T) {
	t.Parallel()
	s := migrated(t, sqliteURL(t), Options{})
	execute(t, s, `CREATE TABLE outs (id text COLLATE NOCASE)`, `INSERT INTO outs VALUES ('Anna'), ('ben'), ('Cleo')`)
	s.o.SuppressionQuery = "SELECT id FROM outs WHERE id " + s.backend.inIDs()
	got, err := s.Suppressed(t.Context(), []string{"anna", "BEN", "CLEO", "dora"})
	if found := slices.Sorted(maps.Keys(got)); err != nil || !slices.Equal(found, []string{"BEN", "CLEO", "anna"}) {
		t.Errorf("found %q, error %v", found, err)
	}
}

func uuidType(s *Store) string {
	if onPostgres(s) {
		return "uuid"
	}
	return "text"
}

func uuidCast(s *Store) string {
	if onPostgres(s) {
		return "::uuid"
	}
	return ""
}

// A query whose rows name no one that was asked for is refused: its users would get pushes.
func TestSuppressedUsersWhoAreUnknown(t *testing.T) {
	t.Parallel()
	onBoth(t, Options{}, func(t *testing.T, s *Store) {
		execute(t, s, `CREATE TABLE outs (id text, mail text)`, `INSERT INTO outs VALUES ('u1', 'a@example.com')`)
		s.o.SuppressionQuery = "SELECT mail FROM outs WHERE id " + s.backend.inIDs()
		_, err := s.Suppressed(t.Context(), []string{"u1", "u2"})
		if err == nil || !strings.Contains(err.Error(), `store.suppression_query`) || !strings.Contains(err.Error(), `"a@example.com", which is not among those in $1`) || FaultOf(err) != Halt {
			t.Errorf("another column: %v (%s)", err, FaultOf(err))
		}
		s.o.SuppressionQuery = "SELECT id, mail FROM outs WHERE id " + s.backend.inIDs()
		if _, err := s.Suppressed(t.Context(), []string{"u1"}); err == nil || !strings.Contains(err.Error(), "returns several columns") {
			t.Errorf("two columns: %v", err)
		}
	})
}
