package store

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// describe has the server parse and plan a statement, because only planning checks permissions.
// Nothing runs.
func (p *postgres) describe(ctx context.Context, text string) (d description, err error) {
	err = p.inTransaction(ctx, func(tx pgx.Tx) error {
		conn := tx.Conn().PgConn()
		prepared, err := conn.Prepare(ctx, "", text, nil) // the unnamed statement, which the next one replaces
		if err != nil {
			return err
		}
		types, err := p.lookUpTypes(ctx, tx, prepared)
		if err != nil {
			return err
		}
		for _, oid := range prepared.ParamOIDs {
			d.params = append(d.params, types[oid])
		}
		for _, field := range prepared.Fields {
			c := types[field.DataTypeOID]
			c.name = field.Name
			d.columns = append(d.columns, c)
		}
		if d.changes, err = explainChanges(ctx, conn, text, len(prepared.ParamOIDs)); err != nil || d.changes {
			return err
		}
		d.mayChange, err = callsVolatile(ctx, tx, text)
		return err
	})
	return d, err
}

// lookUpTypes classifies the types of a statement's parameters and columns.
func (p *postgres) lookUpTypes(ctx context.Context, tx pgx.Tx, prepared *pgconn.StatementDescription) (map[uint32]column, error) {
	oids := make([]string, 0, len(prepared.ParamOIDs)+len(prepared.Fields))
	for _, oid := range prepared.ParamOIDs {
		oids = append(oids, fmt.Sprint(oid))
	}
	for _, field := range prepared.Fields {
		oids = append(oids, fmt.Sprint(field.DataTypeOID))
	}
	found := make(map[uint32]column, len(oids))
	const query = `SELECT t.oid, format_type(t.oid, NULL), t.typcategory::text, coalesce(b.typname, t.typname)
		FROM pg_type AS t LEFT JOIN pg_type AS b ON b.oid = t.typbasetype WHERE t.oid = ANY($1::oid[])`
	err := forEachRow(ctx, tx, query, []any{p.encodeIDs(oids)}, func(scan scanFunc) error {
		var oid uint32
		var c column
		var category, base string
		if err := scan(&oid, &c.typ, &category, &base); err != nil {
			return err
		}
		c.class = typeClass(category, base)
		found[oid] = c
		return nil
	})
	return found, err
}

// typeClass maps PostgreSQL's type category to a class. JSON has no category of its own.
func typeClass(category, base string) class {
	switch {
	case category == "S":
		return classText
	case category == "X": // undecided
		return classUnknown
	case category == "A":
		return classArray
	case base == "json" || base == "jsonb":
		return classJSON
	}
	return classOther
}

// explainChanges plans a statement with NULL parameters and reports whether it changes rows. It
// reports true for statements that EXPLAIN does not support, such as CALL.
func explainChanges(ctx context.Context, conn *pgconn.PgConn, text string, params int) (changes bool, err error) {
	first, _, _ := strings.Cut(statement{text: text}.code()+" ", " ")
	switch strings.ToUpper(strings.Trim(first, "(\n\t")) {
	case "CALL", "DO":
		return true, nil
	}
	result := conn.ExecParams(ctx, "EXPLAIN (FORMAT JSON, COSTS OFF) "+text, make([][]byte, params), nil, nil, nil).Read()
	if result.Err != nil {
		return false, result.Err
	}
	for _, row := range result.Rows {
		changes = changes || strings.Contains(string(row[0]), `"Node Type": "ModifyTable"`)
	}
	return changes, nil
}

// callPattern matches the names of functions in a statement.
var callPattern = regexp.MustCompile(`(\w+)"?\s*\(`)

// callsVolatile reports whether a statement calls one of the application's functions that may
// change rows.
func callsVolatile(ctx context.Context, tx pgx.Tx, text string) (found bool, err error) {
	var names []string
	for _, match := range callPattern.FindAllStringSubmatch(statement{text: text}.code(), -1) {
		names = append(names, match[1], strings.ToLower(match[1]))
	}
	const query = `SELECT EXISTS (SELECT FROM pg_proc WHERE proname = ANY($1::text[]) AND provolatile = 'v'
		AND pronamespace <> 'pg_catalog'::regnamespace)`
	return found, tx.QueryRow(ctx, query, names).Scan(&found)
}
