package store

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// readQueries begins a transaction that cannot write. Its settings make the text of a value, which
// is the position of a row, exact and the same on each server.
const readQueries = "; SET TRANSACTION READ ONLY; SET LOCAL datestyle = 'ISO'; SET LOCAL extra_float_digits = 3"

// positionServer begins a position, because the text of a key may be empty.
const positionServer = "key:"

func (p *postgres) queryReadOnly(ctx context.Context, text string, row rowFunc) error {
	return pgx.BeginFunc(ctx, txStarter{p: p, then: readQueries}, func(tx pgx.Tx) error {
		return forEachRow(ctx, tx, text, nil, row)
	})
}

// readPage passes a position as text: the server converts it to the type of the key.
func (p *postgres) readPage(ctx context.Context, q *Query, after string) (rows []QueryRow, err error) {
	text, args := q.pageText("audience.*, "+q.column(q.key), fromStart), []any(nil)
	if after != "" {
		key, found := strings.CutPrefix(after, positionServer)
		if !found {
			return nil, errOtherPosition
		}
		text, args = q.pageText("audience.*, "+q.column(q.key), behindPosition), []any{key}
	}
	err = pgx.BeginFunc(ctx, txStarter{p: p, then: readQueries}, func(tx pgx.Tx) error {
		found, err := tx.Query(ctx, text, args...)
		if err != nil {
			return err
		}
		defer found.Close()
		for found.Next() {
			rows = append(rows, postgresRow(found.FieldDescriptions(), found.RawValues()))
		}
		return found.Err()
	})
	return rows, err
}

// postgresRow reads a row in text form: the columns, the key, and whether the next one is equal.
func postgresRow(fields []pgconn.FieldDescription, raw [][]byte) QueryRow {
	n := len(raw) - 2
	row := QueryRow{Values: make([]Value, n), Key: string(raw[n]), Position: positionServer + string(raw[n]), Repeated: string(raw[n+1]) == "t"}
	for i := range row.Values {
		row.Values[i] = postgresValue(fields[i].DataTypeOID, raw[i])
	}
	return row
}

func postgresValue(oid uint32, raw []byte) Value {
	if raw == nil {
		return Value{Null: true}
	}
	switch oid {
	case pgtype.BoolOID:
		if string(raw) == "t" {
			return Value{Text: "true", JSON: true}
		}
		return Value{Text: "false", JSON: true}
	case pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID, pgtype.Float4OID, pgtype.Float8OID, pgtype.NumericOID, pgtype.JSONOID, pgtype.JSONBOID:
		return jsonValue(raw)
	}
	return Value{Text: string(raw)}
}

// jsonValue returns a text as JSON if it is JSON, which NaN is not. JSON's null is no value.
func jsonValue(text []byte) Value {
	var packed bytes.Buffer
	if json.Compact(&packed, text) != nil {
		return Value{Text: string(text)}
	}
	if packed.String() == "null" {
		return Value{Null: true}
	}
	return Value{Text: packed.String(), JSON: true}
}
