package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"path/filepath"
	"testing"

	"modernc.org/sqlite"
)

// A process that finds a new file busy, because another creates its log, opens it afterwards.
func TestABusySQLiteFileIsOpenedAfterwards(t *testing.T) {
	t.Parallel()
	file := "file:" + filepath.Join(t.TempDir(), "fanfare.db")
	creator, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer creator.Close()
	creator.SetMaxOpenConns(1)
	if _, err := creator.ExecContext(t.Context(), "BEGIN EXCLUSIVE"); err != nil {
		t.Fatal(err)
	}
	base, err := sqlite.NewConnector(file + "?_busy_timeout=0&_journal_mode=WAL")
	if err != nil {
		t.Fatal(err)
	}
	var refusal error
	db := sql.OpenDB(patientConnector{&watchedConnector{Connector: base, failed: func(err error) {
		refusal = err
		if _, err := creator.ExecContext(t.Context(), "COMMIT"); err != nil {
			t.Error(err)
		}
	}}})
	defer db.Close()
	if err := db.PingContext(t.Context()); err != nil {
		t.Error(err)
	}
	if !isBusy(refusal) {
		t.Errorf("the first attempt got %v, want SQLITE_BUSY", refusal)
	}
}

// watchedConnector reports each error to connect.
type watchedConnector struct {
	driver.Connector
	failed func(error)
}

func (w *watchedConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := w.Connector.Connect(ctx)
	if err != nil {
		w.failed(err)
	}
	return conn, err
}
