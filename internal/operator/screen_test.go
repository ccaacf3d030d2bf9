package operator

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"fanfare/internal/audience"
	"fanfare/internal/campaign"
	"fanfare/internal/where"
)

// condition compiles the condition of a load.
func condition(t *testing.T, text string) *where.Filter {
	t.Helper()
	f, err := where.Compile(text)
	ok(t, err)
	return f
}

// agedAudience is a CSV of users with ages from 0 to 99.
func agedAudience(n int) string {
	var text strings.Builder
	text.WriteString("userId,age,country\n")
	for i := range n {
		fmt.Fprintf(&text, "u%05d,%d,VN\n", i, i%100)
	}
	return text.String()
}

func TestLoadSelectsByACondition(t *testing.T) {
	f := open(t)
	text := agedAudience(2500) + "bad,old,VN\n,1,VN\nlast,99,TH\n"
	summary := f.load("42", text, LoadOptions{Format: audience.CSV, Where: condition(t, `number(age) >= 50 && country in ["TH", "VN"]`)})
	equal(t, "loaded", summary.Loaded, 1251)
	equal(t, "filtered", summary.LeftOut, LeftOut{Filtered: 1250})
	equal(t, "rejected", summary.Rejected, 2)
	equal(t, "the bad row", summary.Errors[0].Error(), "line 2502: --where: column 1: number: a text is no number")
	equal(t, "the row without a user", summary.Errors[1].Error(), "line 2503: userId is empty")
	list := f.list("campaign:42")
	equal(t, "first", list[0], `{"userId":"u00050","vars":{"age":"50","country":"VN"}}`)
	equal(t, "last", list[1250], `{"userId":"last","vars":{"age":"99","country":"TH"}}`)
}

// The profile is looked up only for a condition that names it.
func TestLoadSelectsByTheProfile(t *testing.T) {
	f := open(t)
	for i := range 1500 {
		ok(t, f.rdb.Set(t.Context(), fmt.Sprintf("profile:user-%d", i), fmt.Sprintf(`{"orders":%d}`, i), 0).Err())
	}
	var text strings.Builder
	for i := range 3000 { // the numbers in CSV, and half of the users without a profile
		fmt.Fprintf(&text, `{"userId":"user-%d"}`+"\n", i)
	}
	summary := f.load("42", text.String(), LoadOptions{Where: condition(t, `profile.orders >= 1000`)})
	equal(t, "loaded", summary.Loaded, 500)
	equal(t, "filtered", summary.Filtered, 2500)
	equal(t, "first", f.list("campaign:42")[0], `{"userId":"user-1000"}`)
	ok(t, f.rdb.Set(t.Context(), "profile:7", `{"vip":true}`, 0).Err())
	equal(t, "loaded with a number for an id", f.load("43", `{"userId":7}`, LoadOptions{Where: condition(t, `profile.vip`)}).Loaded, 1)
}

// A load with a condition continues exactly where it stopped. With another condition it is another
// audience.
func TestLoadWithAConditionIsGoneOnWith(t *testing.T) {
	f := open(t)
	ctx, interrupt := context.WithCancel(t.Context())
	text, adults := agedAudience(20_000), `number(age) >= 18`
	opts := LoadOptions{Format: audience.CSV, Where: condition(t, adults), Progress: func(n int64) {
		if n == 3000 {
			interrupt()
		}
	}}
	_, err := f.Load(ctx, "42", strings.NewReader(text), opts)
	broken, is := errors.AsType[*InterruptedError](err)
	if !is || broken.Done != 3000 {
		t.Fatalf("got %v", err)
	}
	_, err = f.Load(t.Context(), "42", strings.NewReader(text), LoadOptions{Format: audience.CSV, Where: condition(t, `number(age) >= 19`)})
	if !errors.Is(err, campaign.ErrAudienceExists) {
		t.Errorf("a load with another condition: %v", err)
	}
	_, err = f.Load(t.Context(), "42", strings.NewReader(text), LoadOptions{Format: audience.CSV, Where: condition(t, `number(age) >= 18 && (userId < "u02000" || age == "99")`)})
	if !errors.Is(err, campaign.ErrOtherAudience) {
		t.Errorf("a load with a condition that differs later: %v", err)
	}
	summary := f.load("42", text, LoadOptions{Format: audience.CSV, Where: condition(t, adults)})
	equal(t, "passed", summary.Passed, 3000)
	equal(t, "loaded", summary.Loaded, 20_000*82/100-3000)
	list := f.list("campaign:42")
	seen := make(map[string]bool)
	for _, element := range list {
		seen[element] = true
	}
	equal(t, "elements", len(list), 16_400)
	equal(t, "different ones", len(seen), 16_400)
}

func TestLoadOfNoOneWhoMatches(t *testing.T) {
	f := open(t)
	_, err := f.Load(t.Context(), "42", strings.NewReader(agedAudience(10)), LoadOptions{Format: audience.CSV, Where: condition(t, `contry == "VN"`)})
	mentions(t, err, "no recipient is left: 10 do not match the condition; nothing was loaded")
	equal(t, "elements", len(f.list("campaign:42")), 0)
	summary := f.load("42", agedAudience(10), LoadOptions{Format: audience.CSV, Where: condition(t, `contry == "VN" || age == "3"`)})
	equal(t, "loaded", summary.Loaded, 1)
	if len(summary.Hints) != 1 || !strings.Contains(summary.Hints[0], "no recipient has contry") {
		t.Errorf("hints %q", summary.Hints)
	}
}
