package store

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"
)

// idList writes an array in PostgreSQL's text form, which it converts to whatever type the query compares with.
func (p *postgres) idList(ids []string) string {
	var list strings.Builder
	list.WriteByte('{')
	for i, id := range ids {
		if i > 0 {
			list.WriteByte(',')
		}
		list.WriteByte('"')
		list.WriteString(arrayEscapes.Replace(id))
		list.WriteByte('"')
	}
	list.WriteByte('}')
	return list.String()
}

var arrayEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// fitting asks PostgreSQL for the type of $1. Were it left to bisecting, each of many ids at fault would cost several
// queries, and as many errors in the server's log.
func (p *postgres) fitting(ctx context.Context, query string, ids []string) ([]string, error) {
	conn, err := p.pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Release()
	described, err := conn.Conn().PgConn().Prepare(ctx, "", query, nil)
	if err != nil {
		return nil, err
	}
	unfit := func(id string) bool { return !fits(described.ParamOIDs[0], id) }
	return slices.DeleteFunc(slices.Clone(ids), unfit), nil
}

// fits reports whether an array of the type can hold the id; of types other than the usual ones it does not know.
func fits(array uint32, id string) bool {
	var err error
	switch array {
	case pgtype.Int2ArrayOID:
		_, err = strconv.ParseInt(id, 10, 16)
	case pgtype.Int4ArrayOID:
		_, err = strconv.ParseInt(id, 10, 32)
	case pgtype.Int8ArrayOID:
		_, err = strconv.ParseInt(id, 10, 64)
	case pgtype.UUIDArrayOID:
		err = uuid.Validate(id)
	}
	return err == nil
}
