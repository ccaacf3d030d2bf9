package store

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// readQuery reads all rows of a query, in the text form of their values.
func readQuery(t *testing.T, s *Store, text, key string) (rows []QueryRow) {
	t.Helper()
	q, err := s.OpenQuery(t.Context(), text, key)
	if err != nil {
		t.Fatal(err)
	}
	for after := ""; ; {
		page, last, err := q.Page(t.Context(), after)
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, page...)
		if last {
			return rows
		}
		after = page[len(page)-1].Position
	}
}

// valuesOf writes the values of a row: JSON as it is, texts in quotes, and – for NULL.
func valuesOf(row QueryRow) string {
	var all []string
	for _, v := range row.Values {
		switch {
		case v.Null:
			all = append(all, "–")
		case v.JSON:
			all = append(all, v.Text)
		default:
			all = append(all, "'"+v.Text+"'")
		}
	}
	return strings.Join(all, " ")
}

// Rows come once and in order, whatever the type of the key, over page borders.
func TestQueryReadsEachRowOnce(t *testing.T) {
	t.Parallel()
	const n = 2*queryPage + 1
	onBoth(t, Options{}, func(t *testing.T, s *Store) {
		execute(t, s, "CREATE TABLE people (id integer PRIMARY KEY, name text, score double precision)")
		fill := `INSERT INTO people SELECT i, 'n' || i, i / 7.0 FROM generate_series(1, %d) AS i`
		if !onPostgres(s) {
			fill = `WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < %d) INSERT INTO people SELECT i, 'n' || i, i / 7.0 FROM s`
		}
		execute(t, s, fmt.Sprintf(fill, n))
		for _, key := range []string{"id", "name", "score", "half"} {
			rows := readQuery(t, s, "SELECT *, id / 2.0 AS half FROM people -- all;\n ; -- of; them", key)
			seen := make(map[string]bool)
			for _, row := range rows {
				seen[row.Values[0].Text] = true
			}
			if len(rows) != n || len(seen) != n {
				t.Errorf("by %s: %d rows, %d different ones, want %d", key, len(rows), len(seen), n)
			}
		}
	})
}

// The empty text is a key like any other.
func TestQueryKeysMayBeEmpty(t *testing.T) {
	t.Parallel()
	onBoth(t, Options{}, func(t *testing.T, s *Store) {
		q, err := s.OpenQuery(t.Context(), "SELECT '' AS k UNION ALL SELECT 'b'", "k")
		if err != nil {
			t.Fatal(err)
		}
		rows, last, err := q.Page(t.Context(), "")
		if err != nil || len(rows) != 2 || !last {
			t.Fatalf("%v %v %v", rows, last, err)
		}
		if rows, _, err = q.Page(t.Context(), rows[0].Position); err != nil || len(rows) != 1 || rows[0].Key != "b" {
			t.Errorf("behind the empty key: %v, %v", rows, err)
		}
		if _, _, err := q.Page(t.Context(), "b"); err == nil {
			t.Error("a position of nowhere is accepted")
		}
	})
}

// Values keep their types.
func TestQueryValues(t *testing.T) {
	t.Parallel()
	onBoth(t, Options{}, func(t *testing.T, s *Store) {
		query := `SELECT 1 AS id, 1.5 AS price, 'x' AS city, NULL AS gone, on_, doc, at FROM things`
		var want string
		if onPostgres(s) {
			execute(t, s, `CREATE TABLE things (on_ boolean, doc json, at timestamptz, big bigint, empty jsonb, nan numeric)`,
				`INSERT INTO things VALUES (true, '{"a": [1,  2]}', '2026-01-02 03:04:05+00', 9007199254740993, 'null', 'NaN')`)
			query = strings.Replace(query, "at FROM", "at AT TIME ZONE 'UTC' AS at, big, empty, nan FROM", 1)
			want = `1 1.5 'x' – true {"a":[1,2]} '2026-01-02 03:04:05' 9007199254740993 – 'NaN'`
		} else {
			execute(t, s, `CREATE TABLE things (on_ BOOLEAN, doc JSON, at DATETIME)`, `INSERT INTO things VALUES (1, '{"a": [1,  2]}', '2026-01-02 03:04:05')`)
			want = `1 1.5 'x' – true {"a":[1,2]} '2026-01-02 03:04:05'`
		}
		rows := readQuery(t, s, query, "id")
		if len(rows) != 1 || valuesOf(rows[0]) != want {
			t.Errorf("got %v, want %s", rows, want)
		}
	})
}

// Equal keys are found, also at the border of a page, and if their texts differ.
func TestQueryFindsEqualKeys(t *testing.T) {
	t.Parallel()
	onBoth(t, Options{}, func(t *testing.T, s *Store) {
		execute(t, s, "CREATE TABLE twins (id integer, price numeric)")
		for i := range queryPage {
			execute(t, s, fmt.Sprintf("INSERT INTO twins VALUES (%d, %d)", i, i))
		}
		execute(t, s, fmt.Sprintf("INSERT INTO twins VALUES (%d, %d.00)", queryPage-1, queryPage-1))
		for _, key := range []string{"id", "price"} {
			q, err := s.OpenQuery(t.Context(), "SELECT id, price FROM twins", key)
			if err != nil {
				t.Fatal(err)
			}
			rows, last, err := q.Page(t.Context(), "")
			if err != nil || last || len(rows) != queryPage || !rows[queryPage-1].Repeated || rows[queryPage-2].Repeated {
				t.Errorf("by %s: %d rows, last %v, %v", key, len(rows), last, err)
			}
		}
	})
}

func TestQueryIsRefused(t *testing.T) {
	t.Parallel()
	onBoth(t, Options{}, func(t *testing.T, s *Store) {
		execute(t, s, "CREATE TABLE people (id integer, name text)", "INSERT INTO people VALUES (1, 'a'), (NULL, 'b')")
		cases := [][3]string{
			{"SELECT id FORM people", "id", "query: "},
			{"SELECT id FROM nowhere", "id", "nowhere"},
			{"SELECT name FROM people; SELECT 1", "name", "query: contains more than one statement"},
			{" ; ", "id", "query: is empty"},
			{"UPDATE people SET name = 'c'", "name", "query: changes rows, but must only read"},
			{"SELECT name FROM people WHERE id = $1", "name", "query: has one parameter"},
			{"SELECT name FROM people", "id", "key: the query has no column id: its columns are name"},
			{"SELECT id, name FROM people", "id", "key: id is NULL in some rows"},
		}
		if onPostgres(s) {
			cases = append(cases,
				[3]string{"SELECT name, ARRAY[1] AS tags FROM people", "name", "query: its column tags is integer[]: select to_json(tags) AS tags"},
				[3]string{"SELECT json_build_array(name) AS name FROM people", "name", "key: "},
				[3]string{"WITH gone AS (DELETE FROM people RETURNING name) SELECT name FROM gone", "name", "query: changes rows"})
		}
		for _, c := range cases {
			_, err := s.OpenQuery(t.Context(), c[0], c[1])
			if _, is := errors.AsType[*QueryError](err); !is || !strings.Contains(err.Error(), c[2]) {
				t.Errorf("%s by %s: %v, want %q", c[0], c[1], err, c[2])
			}
		}
		if rows := readQuery(t, s, "SELECT Name FROM people", "NAME"); len(rows) != 2 {
			t.Errorf("a key in another case finds %v", rows)
		}
	})
}

// A key that is another one at each read would lose rows and load some twice.
func TestQueryCheckOrder(t *testing.T) {
	t.Parallel()
	onBoth(t, Options{}, func(t *testing.T, s *Store) {
		execute(t, s, "CREATE TABLE people (id integer, name text)")
		for i := range 50 {
			execute(t, s, fmt.Sprintf("INSERT INTO people VALUES (%d, 'n%d')", i, i))
		}
		for query, stays := range map[string]bool{
			"SELECT id AS k, name FROM people":                                                          true,
			"SELECT id AS k, name, random() AS coupon FROM people":                                      true,
			"SELECT row_number() OVER (ORDER BY id DESC) AS k, name FROM people":                        true,
			"SELECT id AS k, NULL AS name FROM people":                                                  true,
			"SELECT random() AS k, name FROM people":                                                    false,
			"SELECT row_number() OVER (ORDER BY random()) AS k, name FROM people":                       false,
			"SELECT id AS k, name FROM (SELECT id, name FROM people ORDER BY random() LIMIT 10) AS ten": false,
		} {
			q, err := s.OpenQuery(t.Context(), query, "k")
			if err != nil {
				t.Fatal(err)
			}
			err = q.CheckOrder(t.Context(), "name")
			if _, refused := errors.AsType[*QueryError](err); refused == stays || stays && err != nil {
				t.Errorf("%s: %v", query, err)
			}
		}
	})
}

// What a function would write is refused by the transaction.
func TestQueryCannotWrite(t *testing.T) {
	t.Parallel()
	s := migrated(t, server.Database(t), Options{})
	execute(t, s, "CREATE SEQUENCE numbers")
	q, err := s.OpenQuery(t.Context(), "SELECT 1 AS id, nextval('numbers') AS n", "id")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := q.Page(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "read-only transaction") {
		t.Errorf("got %v", err)
	}
	if _, err := s.OpenQuery(t.Context(), "SELECT nextval('numbers') AS id", "id"); err == nil || !strings.Contains(err.Error(), "read-only transaction") {
		t.Errorf("the check of a key: %v", err)
	}
}

// A database that cannot be reached is no fault of the query.
func TestQueryOfAnAbsentDatabase(t *testing.T) {
	t.Parallel()
	s := opened(t, "postgres://someone:hunter2@127.0.0.1:1/app", Options{})
	if _, err := s.OpenQuery(t.Context(), "SELECT 1 AS id", "id"); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v", err)
	} else if _, is := errors.AsType[*QueryError](err); is {
		t.Errorf("the query is blamed: %v", err)
	}
}
