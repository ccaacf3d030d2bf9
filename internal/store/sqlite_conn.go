package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// A new file gets its write-ahead log from its first connection. SQLite refuses others that try the
// same at that moment, without asking the busy handler, because to wait there could deadlock.
const (
	switchTimeout  = 5 * time.Second
	switchInterval = 10 * time.Millisecond
)

// openSQLitePool returns a pool whose connections wait for a process that creates the same file.
func openSQLitePool(dsn string) (*sql.DB, error) {
	connector, err := sqlite.NewConnector(dsn)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(patientConnector{connector}), nil
}

type patientConnector struct{ driver.Connector }

// Connect tries again while the file is busy, for at most switchTimeout.
func (p patientConnector) Connect(ctx context.Context) (driver.Conn, error) {
	waitCtx, cancel := context.WithTimeout(ctx, switchTimeout)
	defer cancel()
	for {
		conn, err := p.Connector.Connect(ctx)
		if !isBusy(err) {
			return conn, err
		}
		select {
		case <-waitCtx.Done():
			return nil, err
		case <-time.After(switchInterval):
		}
	}
}

func isBusy(err error) bool {
	lite, ok := errors.AsType[*sqlite.Error](err)
	return ok && lite.Code()&0xff == sqlite3.SQLITE_BUSY
}
