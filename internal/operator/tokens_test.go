package operator

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"fanfare/internal/audience"
)

func TestTokensAreImported(t *testing.T) {
	f := open(t)
	for format, text := range map[audience.Format]string{
		audience.CSV:    "userId,fcmToken,city\nu1,t1,Hue\nu2,,Hue\n,t3,\nu4,t4,\n",
		audience.NDJSON: `{"userId":"u1","fcmToken":"t1"}` + "\n" + `{"userId":"u2"}` + "\n{}\n" + `{"userId":"u4","fcmToken":"t4"}`,
	} {
		ok(t, f.rdb.FlushAll(t.Context()).Err())
		summary, err := f.ImportTokens(t.Context(), strings.NewReader(text), ImportOptions{Format: format})
		ok(t, err)
		equal(t, "stored", summary.Loaded, 2)
		equal(t, "rejected", summary.Rejected, 2)
		mentions(t, summary.Errors[0], "has no address")
		got, err := f.rdb.MGet(t.Context(), "user:u1:token", "user:u2:token", "user:u4:token").Result()
		ok(t, err)
		equal(t, "tokens", fmt.Sprint(got), "[t1 <nil> t4]")
	}
}

// What an element says of its user holds for devices that do not say otherwise.
func TestImportedDevicesTakeWhatTheirUserHas(t *testing.T) {
	f := open(t)
	text := `{"userId":"u1","platform":"ios","locale":"de","devices":[{"token":"a:1"},{"token":"b:2","platform":"web","locale":"fr"}]}`
	_, err := f.ImportTokens(t.Context(), strings.NewReader(text), ImportOptions{Format: audience.NDJSON})
	ok(t, err)
	stored, err := f.deps.Tokens.Peek(t.Context(), []string{"u1"})
	ok(t, err)
	got := make(map[string]string)
	for _, d := range stored["u1"] {
		got[d.Target.Value] = d.Platform + " " + d.Locale
	}
	equal(t, "devices", fmt.Sprint(got), "map[a:1:ios de b:2:web fr]")
}

func TestImportOfManyTellsHowFarItIs(t *testing.T) {
	f := open(t)
	var reported []int64
	summary, err := f.ImportTokens(t.Context(), strings.NewReader(audienceOf(2500)), ImportOptions{
		Format: audience.CSV, Progress: func(n int64) { reported = append(reported, n) },
	})
	ok(t, err)
	equal(t, "stored", summary.Loaded, 2500)
	equal(t, "progress", fmt.Sprint(reported), "[1000 2000]")
	equal(t, "keys", f.rdb.DBSize(t.Context()).Val(), 2500)
}

func TestImportThatCannotBe(t *testing.T) {
	f := open(t)
	_, err := f.ImportTokens(t.Context(), strings.NewReader("id,token\n"), ImportOptions{Format: audience.CSV})
	if _, is := errors.AsType[*audience.FileError](err); !is {
		t.Errorf("of no audience: %v", err)
	}
	summary, err := f.ImportTokens(t.Context(), strings.NewReader("userId\nu1\nu2\n"), ImportOptions{Format: audience.CSV})
	mentions(t, err, "no line has a user and an address")
	equal(t, "rejected", summary.Rejected, 2)

	ctx, interrupt := context.WithCancel(t.Context())
	summary, err = f.ImportTokens(ctx, strings.NewReader(audienceOf(5000)), ImportOptions{Format: audience.CSV, Progress: func(n int64) {
		if n == 2000 {
			interrupt()
		}
	}})
	mentions(t, err, fmt.Sprintf("%d addresses are stored; repeating the import does no harm", summary.Loaded))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}

// A line that is too long for a campaign's list is too long for an import of its tokens.
func TestImportObeysTheLongestElement(t *testing.T) {
	f := open(t)
	text := fmt.Sprintf("userId,fcmToken,city\nu1,t1,%s\nu2,t2,Hue\n", strings.Repeat("x", 100<<10))
	for limit, want := range map[int]int64{0: 1, 200 << 10: 2, 200: 1} {
		summary, err := f.ImportTokens(t.Context(), strings.NewReader(text), ImportOptions{Format: audience.CSV, MaxElement: limit})
		ok(t, err)
		equal(t, fmt.Sprintf("stored under a limit of %d", limit), summary.Loaded, want)
	}
}
