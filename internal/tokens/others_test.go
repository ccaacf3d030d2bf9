package tokens_test

import (
	"context"
	"testing"

	"github.com/alicebob/miniredis/v2"

	"fanfare/internal/keys"
	"fanfare/internal/notification"
	"fanfare/internal/tokens"
	"fanfare/test/backends"
)

// appTable is a table of devices in SQL.
type appTable map[string][]notification.Device

func (appTable) Tokens(context.Context, []string) (map[string]string, error) { return nil, nil }

func (a appTable) Devices(_ context.Context, users []string) (map[string][]notification.Device, error) {
	found := make(map[string][]notification.Device)
	for _, user := range users {
		if devices := a[user]; devices != nil {
			found[user] = devices
		}
	}
	return found, nil
}

// The app of a dead token stores its installation ID in any of three places. Redis still has the
// token that was read earlier.
func TestInstallationOfADeadToken(t *testing.T) {
	rdb, names := backends.Connect(t, miniredis.RunT(t).Addr()), keys.Default()
	inSQL := appTable{"in SQL": {{Target: notification.ParseFID(fidA)}}, "other": {{Target: notification.ParseFID(fidB)}}}
	store, err := tokens.New(rdb, names, inSQL, tokens.Options{})
	if err != nil {
		t.Fatal(err)
	}
	dead := notification.ParseToken(fidA + ":token")
	rdb.HSet(t.Context(), names.Devices("in the hash"), fidA, `{"kind":"fid"}`)
	rdb.Set(t.Context(), names.Token("in the token's key"), fidA, 0)
	for _, user := range []string{"in SQL", "other", "in the hash", "nowhere"} {
		rdb.Set(t.Context(), names.Token(user), dead.Value, 0)
	}
	for user, want := range map[string]notification.Target{
		"in SQL": notification.ParseFID(fidA), "in the hash": notification.ParseFID(fidA), "in the token's key": notification.ParseFID(fidA),
		"other": {}, "nowhere": {}, "unknown": {},
	} {
		if found, err := store.FindInstallation(t.Context(), user, dead); err != nil || found != want {
			t.Errorf("%s: %v, %v; want %v", user, found, err, want)
		}
	}
	if found, err := store.FindInstallation(t.Context(), "in the hash", notification.ParseFID(fidA)); err != nil || !found.IsZero() {
		t.Errorf("an installation ID has moved to %v, %v", found, err)
	}
}
