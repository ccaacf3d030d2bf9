package tokens_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"fanfare/internal/keys"
	"fanfare/internal/notification"
	"fanfare/internal/tokens"
	"fanfare/test/backends"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestConformance expects the same behaviour of every kind of Redis.
func TestConformance(t *testing.T) {
	backends.Each(t, func(t *testing.T, b *backends.Backend) { conform(t, b.Redis) })
}

func conform(t *testing.T, rdb redis.UniversalClient) {
	for name, behaviour := range map[string]func(*rig){
		"Redis before SQL":                     redisBeforeSQL,
		"forget by what is stored":             forgetByWhatIsStored,
		"a dead token in SQL is ignored":       deadInSQLIsIgnored,
		"a copy of what SQL holds":             copiesWhatSQLHolds,
		"a mark of several tokens":             restoreLeavesOtherMarks,
		"a copy of what SQL may hold":          copiesWhatSQLMayHold,
		"a restore knows the first copy":       restoreKnowsTheFirstCopy,
		"SQL is down when a token proves dead": forgetWithoutSQL,
		"odd user ids":                         oddUserIDs,
		"devices beside the token":             devicesBesideToken,
		"devices in any form":                  devicesInAnyForm,
		"one address a device":                 oneAddressADevice,
		"devices without a hash":               devicesWithoutAHash,
		"a token of another type":              tokenOfAnotherType,
		"a dead device is removed":             deadDeviceIsRemoved,
		"other devices are offered":            otherDevicesAreOffered,
		"several dead ones stay away":          severalDeadStayAway,
		"devices are restored":                 devicesAreRestored,
		"devices of SQL are kept":              devicesOfSQLAreKept,
		"many devices of SQL are kept":         manyDevicesOfSQLAreKept,
		"dead devices of SQL stay away":        deadDevicesOfSQLStayAway,
		"set, get and remove":                  setGetRemove,
		"set and remove devices":               setAndRemoveDevices,
		"import devices":                       importDevices,
		"the newest 20 devices are used":       newestDevicesAreUsed,
		"import":                               importMany,
		"import stops at nothing":              importStopsAtNothing,
		"a refreshed token survives":           refreshedTokenSurvives,
		"a dead token does not come back":      deadTokenStaysAway,
		"restore gives back what was":          restoreGivesBackWhatWas,
		"restore reaches SQL":                  restoreReachesSQL,
		"restore lifts the mark":               restoreLiftsTheMark,
		"newer tokens stay":                    newerTokensStay,
		"restore by filter":                    restoreByFilter,
		"the newest copy wins":                 newestCopyWins,
		"decorated tokens":                     decoratedTokens,
		"what can be no token":                 whatCanBeNoToken,
		"stored again in another spelling":     storedAgainInAnotherSpelling,
		"restore many":                         restoreMany,
	} {
		t.Run(name, func(t *testing.T) { behaviour(newRig(t, rdb)) })
	}
}

// rig has key names that no other test uses, and an SQL table.
type rig struct {
	*testing.T
	rdb   redis.UniversalClient
	names keys.Names
	sql   *table
	store *tokens.Store
}

func newRig(t *testing.T, rdb redis.UniversalClient) *rig {
	b := &rig{T: t, rdb: rdb, names: keys.Default(), sql: &table{rows: map[string]string{}}}
	b.names.UserPrefix = strings.ReplaceAll(t.Name(), "/", "-") + ":"
	store, err := tokens.New(rdb, b.names, b.sql, tokens.Options{SQL: b.sql})
	if err != nil {
		t.Fatal(err)
	}
	b.store = store
	return b
}

func (b *rig) set(user, token string) {
	b.Helper()
	if err := b.rdb.Set(b.Context(), b.names.Token(user), token, 0).Err(); err != nil {
		b.Error(err)
	}
}

// stored returns the token in Redis; "" without one.
func (b *rig) stored(user string) string {
	b.Helper()
	token, err := b.rdb.Get(b.Context(), b.names.Token(user)).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		b.Error(err)
	}
	return token
}

func (b *rig) get(user string) string {
	b.Helper()
	devices, err := b.store.Get(b.Context(), user)
	if err != nil {
		b.Error(err)
	}
	return tokens.Newest(devices).Value
}

func (b *rig) forget(user, dead string) (removed bool, current string) {
	b.Helper()
	found, err := b.store.Forget(b.Context(), user, notification.ParseToken(dead), "42")
	if err != nil {
		b.Error(err)
	}
	return found.Removed, found.Current.Value
}

// table is the application's SQL table.
type table struct {
	mu      sync.Mutex
	rows    map[string]string
	down    error
	queries int

	onRestore func() // what happens while tokens are restored; may be nil
}

func (t *table) Tokens(_ context.Context, users []string) (map[string]string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.queries++
	if t.down != nil {
		return nil, t.down
	}
	found := make(map[string]string)
	for _, user := range users {
		if token, exists := t.rows[user]; exists {
			found[user] = token
		}
	}
	return found, nil
}

// RestoreTokens acts like the default statement.
func (t *table) RestoreTokens(_ context.Context, tokens map[string][]string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.down != nil {
		return t.down
	}
	if t.onRestore != nil {
		t.onRestore()
	}
	for user, addresses := range tokens {
		for _, address := range addresses {
			if held, exists := t.rows[user]; exists && held == "" {
				t.rows[user] = address
			}
		}
	}
	return nil
}

// set writes a row while others read.
func (t *table) set(user, token string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rows[user] = token
}
