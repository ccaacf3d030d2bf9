package operator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"fanfare/internal/audience"
	"fanfare/internal/profiles"
)

// endpoints are lines of an export of Pinpoint, of users u0 and so on. Every tenth has opted out.
func endpoints(n int) string {
	var text strings.Builder
	for i := range n {
		optOut := "NONE"
		if i%10 == 0 {
			optOut = "ALL"
		}
		fmt.Fprintf(&text, `{"ChannelType":"GCM","Address":"a%d:APA91b","OptOut":%q,"User":{"UserId":"u%[1]d","UserAttributes":{"n":["%[1]d"]}}}`+"\n", i, optOut)
	}
	return text.String()
}

// An import counts what it stores, over many batches.
func TestImportExport(t *testing.T) {
	f := open(t)
	const n = 2*batchRows + 50
	for range 2 { // it can be repeated
		summary, err := f.ImportExport(t.Context(), strings.NewReader(endpoints(n)), ExportOptions{Service: audience.Pinpoint})
		ok(t, err)
		equal(t, "addresses", summary.Addresses, n*9/10)
		equal(t, "opted out", summary.LeftOut[audience.OptedOut], n/10)
	}
	equal(t, "token", f.rdb.Get(t.Context(), "user:u2049:token").Val(), "a2049:APA91b")
	equal(t, "profile", f.rdb.Get(t.Context(), "profile:u2049").Val(), `{"n":"2049"}`)
	equal(t, "tokens of those who opted out", f.rdb.Exists(t.Context(), "user:u0:token", "user:u2040:token").Val(), 0)
	suppressed, err := f.deps.Suppressed.Count(t.Context())
	ok(t, err)
	equal(t, "suppressed", suppressed, n/10)
}

// A user without attributes gets no profile, which would hide a later one.
func TestUsersWithoutAttributesGetNoProfile(t *testing.T) {
	t.Parallel()
	f := open(t)
	text := `{"ChannelType":"GCM","Address":"a:APA91b","User":{"UserId":"u1"}}`
	summary, err := f.ImportExport(t.Context(), strings.NewReader(text), ExportOptions{Service: audience.Pinpoint})
	ok(t, err)
	equal(t, "addresses", summary.Addresses, 1)
	equal(t, "profiles", summary.Profiles, 0)
	equal(t, "keys of profiles", f.rdb.Exists(t.Context(), "profile:u1").Val(), 0)
}

// A file that breaks off says how much of it is stored, and can be imported again.
func TestImportExportThatBreaksOff(t *testing.T) {
	f := open(t)
	text := io.MultiReader(strings.NewReader(endpoints(1500)), brokenReader{})
	summary, err := f.ImportExport(t.Context(), text, ExportOptions{Service: audience.Pinpoint})
	mentions(t, err, "after line 1500: the disk is gone: 1,350 addresses are stored; repeating the import does no harm")
	equal(t, "addresses", summary.Addresses, 1350)

	ctx, interrupt := context.WithCancel(t.Context())
	_, err = f.ImportExport(ctx, strings.NewReader(endpoints(9000)), ExportOptions{Service: audience.Pinpoint, Progress: func(int64) { interrupt() }})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("an interrupted import: %v", err)
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("the disk is gone") }

// A profile in Redis would hide that of SQL.
func TestProfilesInSQLStayThere(t *testing.T) {
	f := open(t)
	known, err := profiles.New(f.rdb, f.deps.Names, noProfiles{}, profiles.Options{})
	ok(t, err)
	if _, err := known.Import(t.Context(), []profiles.User{{ID: "u1"}}); !errors.Is(err, profiles.ErrInSQL) {
		t.Errorf("got %v", err)
	}
}

type noProfiles struct{ profiles.Source }
