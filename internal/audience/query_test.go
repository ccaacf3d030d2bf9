package audience

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"fanfare/internal/store"
)

// openQuery opens a query of an empty database.
func openQuery(ctx context.Context, t *testing.T, text, key string) (*QueryReader, error) {
	t.Helper()
	s, err := store.Open(ctx, "sqlite:"+filepath.Join(t.TempDir(), "fanfare.db"), store.Options{})
	if err == nil {
		err = s.Migrate(ctx)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	q, err := s.OpenQuery(ctx, text, key)
	if err != nil {
		t.Fatal(err)
	}
	return OpenQuery(ctx, q, Options{})
}

// Columns become members and vars by their names, NULL is left out, and a bad row is named by its
// key.
func TestRowsOfAQuery(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ query, want string }{
		"members and vars": {
			"SELECT 1 AS id, 'u1' AS user_id, 't1' AS token, 'vi' AS locale, 'Hue' AS city, 2.5 AS score, '' AS note",
			`{"userId":"u1","fcmToken":"t1","vars":{"city":"Hue","id":1,"note":"","score":2.5},"locale":"vi"}`,
		},
		"NULL": {
			"SELECT 1 AS id, 'u1' AS userId, 'vi' AS locale, 'Hue' AS city UNION ALL SELECT 2, 'u2', NULL, NULL",
			lines(`{"userId":"u1","vars":{"city":"Hue","id":1},"locale":"vi"}`, `{"userId":"u2","vars":{"id":2}}`),
		},
		"bad rows": {
			"SELECT 1 AS id, 'u1' AS userId, 'Hue' AS city UNION ALL SELECT 2, NULL, 'Hue' UNION ALL SELECT 3, 'u3', CAST(x'4df6' AS text) UNION ALL SELECT 4, 'u4', printf('%070000d', 0) UNION ALL SELECT 5, 'u5', 'Hue'",
			lines(`{"userId":"u1","vars":{"city":"Hue","id":1}}`, "id 2: userId is empty", "id 3: city is not valid UTF-8",
				"id 4: is 70041 bytes as an element, over the limit of 65536 (queue.max_element)", `{"userId":"u5","vars":{"city":"Hue","id":5}}`),
		},
		"no rows":    {"SELECT 1 AS id, 'u1' AS userId LIMIT 0", ""},
		"equal keys": {"SELECT 1 AS id, 'u1' AS userId UNION ALL SELECT 2, 'u2' UNION ALL SELECT 2, 'u3'", lines(`{"userId":"u1","vars":{"id":1}}`, "key id is not unique: several rows have 2")},
	} {
		rows, err := openQuery(t.Context(), t, c.query, "id")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := transcript(rows)
		if got != c.want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, c.want)
		}
	}
}

const manyUsers = "WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < 2500) SELECT i AS id, 'u' || i AS userId FROM s"

// Rows come over page borders, and another reader continues behind the place of each.
func TestAQueryContinuesBehindAPlace(t *testing.T) {
	t.Parallel()
	rows, err := openQuery(t.Context(), t, manyUsers, "id")
	if err != nil {
		t.Fatal(err)
	}
	var behind Place
	n := 0
	for ; ; n++ {
		element, err := rows.Next(nil)
		if errors.Is(err, io.EOF) {
			break
		}
		if want := fmt.Sprintf(`{"userId":"u%d","vars":{"id":%[1]d}}`, n+1); string(element) != want || err != nil {
			t.Fatalf("element %d is %s, %v, want %s", n+1, element, err, want)
		}
		if n+1 == 1700 {
			behind = rows.Place()
		}
	}
	if n != 2500 || behind.Name != "id 1700" {
		t.Errorf("%d elements, and one of them is at %+v", n, behind)
	}
	again, err := openQuery(t.Context(), t, manyUsers, "id")
	if err != nil {
		t.Fatal(err)
	}
	again.Begin(behind.Position)
	if element, err := again.Next(nil); string(element) != `{"userId":"u1701","vars":{"id":1701}}` || err != nil {
		t.Errorf("behind row 1700 is %s, %v", element, err)
	}
}

// A query that cannot be read further is no shorter audience.
func TestAQueryThatBreaksIsAnError(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	rows, err := openQuery(ctx, t, manyUsers, "id")
	if err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		if _, err := rows.Next(nil); err != nil {
			t.Fatal(err)
		}
	}
	stop()
	for range 2 {
		if _, err := rows.Next(nil); !errors.Is(err, context.Canceled) {
			t.Errorf("the second page ends with %v", err)
		}
	}
}

// Columns that are no audience, and a key that moves, are refused before the first row.
func TestQueriesThatAreNoAudience(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		"SELECT 1 AS id, 'u1' AS member":                   "no column is called userId: its columns are id, member; id is probably it: select id AS user_id",
		"SELECT 1 AS id, 'u1' AS userId, 'a' AS user_id":   "its columns 2 and 3, userId and user_id, are the same",
		"SELECT random() AS id, 'u' || random() AS userId": "id is not the same when the query is read again",
	} {
		if _, err := openQuery(t.Context(), t, query, "id"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", query, err, want)
		}
	}
}
