package store

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// queryReadOnly needs no mode, because a subquery cannot write.
func (f *sqliteFile) queryReadOnly(ctx context.Context, text string, row rowFunc) error {
	return f.query(ctx, text, nil, row)
}

// readPage passes a position with its type, because SQLite orders values by type first.
func (f *sqliteFile) readPage(ctx context.Context, q *Query, after string) (rows []QueryRow, err error) {
	columns := make([]string, 0, len(q.columns)+1)
	for _, c := range q.columns {
		columns = append(columns, plainColumn(q.column(c.name)))
	}
	columns = append(columns, plainColumn(q.column(q.key)))
	text, args := q.pageText(strings.Join(columns, ", "), fromStart), []any(nil)
	if after != "" {
		position, err := parsePosition(after)
		if err != nil {
			return nil, err
		}
		text, args = q.pageText(strings.Join(columns, ", "), behindPosition), []any{position}
	}
	values, into := make([]any, len(columns)+1), make([]any, len(columns)+1)
	for i := range values {
		into[i] = &values[i]
	}
	err = f.query(ctx, text, args, func(scan scanFunc) error {
		if err := scan(into...); err != nil {
			return err
		}
		rows = append(rows, sqliteRow(q.columns, values))
		return nil
	})
	return rows, err
}

// plainColumn keeps the driver from reading a column by its declared type, as it does for times.
func plainColumn(name string) string { return "coalesce(" + name + ", NULL)" }

// sqliteRow reads a row: the columns, the key, and whether the next one is equal.
func sqliteRow(columns []column, values []any) QueryRow {
	n := len(columns)
	row := QueryRow{Values: make([]Value, n), Key: sqliteText(values[n]), Position: formatPosition(values[n]), Repeated: values[n+1] == int64(1)}
	for i, c := range columns {
		row.Values[i] = sqliteValue(c.typ, values[i])
	}
	return row
}

// sqliteValue reads a value. SQLite has neither booleans nor JSON, so the declared type decides.
func sqliteValue(declared string, value any) Value {
	if value == nil {
		return Value{Null: true}
	}
	text := sqliteText(value)
	switch value.(type) {
	case int64:
		if bit := value == int64(0) || value == int64(1); bit && strings.HasPrefix(strings.ToUpper(declared), "BOOL") {
			return Value{Text: strconv.FormatBool(value == int64(1)), JSON: true}
		}
		return Value{Text: text, JSON: true}
	case float64:
		return Value{Text: text, JSON: json.Valid([]byte(text))}
	}
	if strings.EqualFold(declared, "JSON") {
		return jsonValue([]byte(text))
	}
	return Value{Text: text}
}

func sqliteText(value any) string {
	switch v := value.(type) {
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case []byte:
		return string(v)
	}
	return fmt.Sprint(value)
}

// The types of a position.
const (
	positionInteger = "integer:"
	positionReal    = "real:"
	positionText    = "text:"
	positionBlob    = "blob:"
)

func formatPosition(key any) string {
	switch v := key.(type) {
	case int64:
		return positionInteger + sqliteText(v)
	case float64:
		return positionReal + sqliteText(v)
	case []byte:
		return positionBlob + hex.EncodeToString(v)
	}
	return positionText + sqliteText(key)
}

// parsePosition is the inverse of formatPosition.
func parsePosition(text string) (any, error) {
	for prefix, parse := range map[string]func(string) (any, error){
		positionInteger: func(s string) (any, error) { return strconv.ParseInt(s, 10, 64) },
		positionReal:    func(s string) (any, error) { return strconv.ParseFloat(s, 64) },
		positionBlob:    func(s string) (any, error) { return hex.DecodeString(s) },
		positionText:    func(s string) (any, error) { return s, nil },
	} {
		if rest, found := strings.CutPrefix(text, prefix); found {
			value, err := parse(rest)
			if err != nil {
				return nil, fmt.Errorf("read the position of a row: %w", err)
			}
			return value, nil
		}
	}
	return nil, errOtherPosition
}
