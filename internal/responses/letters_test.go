package responses_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/keys"
	"fanfare/internal/notification"
	"fanfare/internal/responses"
	"fanfare/test/backends"
)

// letters is a list of dead letters for one test.
type letters struct {
	*testing.T
	*responses.DeadLetters
	rdb  redis.UniversalClient
	list keys.List
}

func openLetters(t *testing.T, b *backends.Backend, o responses.DeadLetterOptions) letters {
	t.Helper()
	names := ownNames()
	dead, err := responses.NewDeadLetters(b.Redis, names, o)
	if err != nil {
		t.Fatal(err)
	}
	return letters{T: t, DeadLetters: dead, rdb: b.Redis, list: names.ResponsesList()}
}

func (l letters) key() string { return l.list.Key(keys.SuffixDead) }

// add appends letters as the responder does.
func (l letters) add(some ...responses.DeadLetter) {
	l.Helper()
	stored := make([]string, len(some))
	for i := range some {
		stored[i] = string(responses.AppendDeadLetter(nil, &some[i]))
	}
	push(l.T, l.rdb, l.key(), stored...)
}

// ids lists what a filter selects.
func (l letters) ids(f responses.Filter) []string {
	l.Helper()
	var ids []string
	for letter, err := range l.List(l.Context(), f) {
		if err != nil {
			l.Fatal(err)
		}
		ids = append(ids, letter.ID)
	}
	return ids
}

func (l letters) trim() int {
	l.Helper()
	n, err := l.Trim(l.Context())
	if err != nil {
		l.Fatal(err)
	}
	return n
}

func (l letters) count() responses.DeadCounts {
	l.Helper()
	c, err := l.Count(l.Context(), responses.Filter{})
	if err != nil {
		l.Fatal(err)
	}
	return c
}

var died = time.Now().UTC().Truncate(time.Millisecond).Add(-time.Hour)

// failed makes the letters of n recipients of a campaign, a second apart.
func failed(campaign, code string, n int) []responses.DeadLetter {
	all := make([]responses.DeadLetter, n)
	for i := range all {
		all[i] = responses.FailedLetter(notification.Result{
			CampaignID: campaign, UserID: fmt.Sprint("u", i), Status: notification.StatusFailed, ErrorCode: code,
			Error: "It Went Wrong", Attempts: 1, At: died.Add(time.Duration(i) * time.Second),
			ResultID: fmt.Sprintf("%s:%04d", campaign, i),
		}, time.Now())
	}
	return all
}

func idsOf(some []responses.DeadLetter) []string {
	ids := make([]string, len(some))
	for i := range some {
		ids[i] = some[i].ID
	}
	return ids
}

// A letter of each kind is read back as it was written.
func TestDeadLetterSurvivesItsList(t *testing.T) {
	r := notification.Result{
		CampaignID: "c", UserID: "u", Status: notification.StatusFailed, ErrorCode: "MALFORMED", Error: `bad "json"`,
		At: died, ResultID: "c:1", Raw: []byte("{\xff]"), TokenRemoved: true, Token: "secret",
	}
	whole := r
	whole.Raw, whole.Token = nil, ""
	empty := whole
	empty.UserID = ""
	for _, c := range []struct{ got, want responses.DeadLetter }{
		{
			responses.FailedLetter(empty, time.Now()), // what a producer wrote was an empty text
			responses.DeadLetter{ID: "c:1", Kind: responses.KindElement, Reason: `bad "json"`, At: died, Result: empty},
		},
		{
			responses.FailedLetter(r, time.Now()),
			responses.DeadLetter{ID: "c:1", Kind: responses.KindElement, Reason: `bad "json"`, At: died, Result: whole, Raw: r.Raw},
		},
		{
			responses.FailedLetter(whole, time.Now()),
			responses.DeadLetter{ID: "c:1", Kind: responses.KindRecipient, Reason: `bad "json"`, At: died, Result: whole},
		},
		{
			responses.FailedLetter(whole, died.Add(-time.Minute)), // said to come from the future
			responses.DeadLetter{ID: "c:1", Kind: responses.KindRecipient, Reason: `bad "json"`, At: died.Add(-time.Minute), Result: whole},
		},
		{
			responses.DeadLetter{ID: "e:1", Kind: responses.KindResult, Reason: "no JSON", At: died, Raw: []byte{0, 1}},
			responses.DeadLetter{ID: "e:1", Kind: responses.KindResult, Reason: "no JSON", At: died, Raw: []byte{0, 1}},
		},
	} {
		back, err := responses.DecodeDeadLetter(responses.AppendDeadLetter(nil, &c.got))
		if err != nil {
			t.Fatal(err)
		}
		// Letters are compared in their written form, because Remove's fields are private.
		if got, want := string(responses.AppendDeadLetter(nil, &back)), string(responses.AppendDeadLetter(nil, &c.want)); got != want {
			t.Errorf("\n got %s\nwant %s", got, want)
		}
		if back.ID != c.want.ID || back.Kind != c.want.Kind || !back.At.Equal(c.want.At) ||
			!reflect.DeepEqual(back.Result, c.want.Result) || string(back.Raw) != string(c.want.Raw) {
			t.Errorf("\n got %+v\nwant %+v", back, c.want)
		}
	}
}

// Pages follow each other without a gap, in either direction.
func listsLetters(t *testing.T, b *backends.Backend) {
	l := openLetters(t, b, responses.DeadLetterOptions{})
	wantList(t, "an empty list", l.ids(responses.Filter{}), nil)
	all := failed("a", "INTERNAL", 300)
	l.add(all...)
	wantList(t, "oldest first", l.ids(responses.Filter{}), idsOf(all))
	newest := idsOf(all)
	slices.Reverse(newest)
	wantList(t, "newest first", l.ids(responses.Filter{Newest: true}), newest)
}

func findsLetters(t *testing.T, b *backends.Backend) {
	l := openLetters(t, b, responses.DeadLetterOptions{})
	a, c := failed("a", "INTERNAL", 3), failed("c", "UNREGISTERED", 2)
	c[1].Reason = "Requested Entity"
	unreadable := responses.DeadLetter{ID: "e:1", Kind: responses.KindResult, Reason: "no JSON", At: died, Raw: []byte("?")}
	refused := responses.DeadLetter{ID: "r:1", Kind: responses.KindResult, Reason: "22021", At: died, Result: a[0].Result, Raw: []byte("?")}
	l.add(append(append(a, c...), unreadable, refused)...)
	for _, s := range []struct {
		name string
		f    responses.Filter
		want []string
	}{
		{"campaign", responses.Filter{Campaign: "c"}, idsOf(c)},
		{"user", responses.Filter{User: "u1"}, []string{a[1].ID, c[1].ID}},
		{"code", responses.Filter{Code: "UNREGISTERED"}, idsOf(c)},
		{"code of the unreadable", responses.Filter{Code: responses.CodeUnreadable}, []string{"e:1"}},
		{"code of the refused", responses.Filter{Code: responses.CodeRefused}, []string{"r:1"}},
		{"kind", responses.Filter{Kind: responses.KindResult}, []string{"e:1", "r:1"}},
		{"reason", responses.Filter{Reason: "entity"}, []string{c[1].ID}},
		{"since", responses.Filter{Since: died.Add(time.Second), Campaign: "a"}, idsOf(a[1:])},
		{"until", responses.Filter{Until: died.Add(time.Second), Campaign: "a"}, []string{a[0].ID, "r:1"}},
		{"all at once", responses.Filter{Campaign: "a", User: "u2", Code: "INTERNAL"}, []string{a[2].ID}},
		{"nothing", responses.Filter{Campaign: "z"}, nil},
	} {
		wantList(t, s.name, l.ids(s.f), s.want)
	}
	got, err := l.Get(t.Context(), "e:1")
	if err != nil || string(got.Raw) != "?" {
		t.Errorf("get: %+v, error %v", got, err)
	}
	if _, err := l.Get(t.Context(), "none"); !errors.Is(err, responses.ErrNoDeadLetter) {
		t.Errorf("get of none: %v", err)
	}
}

// Between two pages, letters are dropped at the head, removed before and after the reader, and
// added. The reader still sees all letters that stay.
func listsWhileTheyChange(t *testing.T, b *backends.Backend) {
	for _, newest := range []bool{false, true} {
		l := openLetters(t, b, responses.DeadLetterOptions{MaxLetters: 380})
		all := failed("a", "INTERNAL", 400)
		l.add(all...)
		seen := map[string]bool{}
		for letter, err := range l.List(t.Context(), responses.Filter{Newest: newest}) {
			if err != nil {
				t.Fatal(err)
			}
			seen[letter.ID] = true
			if len(seen) != 10 {
				continue
			}
			if n := l.trim(); n != 20 {
				t.Fatalf("trimmed %d letters, want 20", n)
			}
			if n, err := l.Purge(t.Context(), responses.Filter{User: "u25"}); n != 1 || err != nil {
				t.Fatalf("purged %d, error %v", n, err)
			}
			if n, err := l.Purge(t.Context(), responses.Filter{User: "u395"}); n != 1 || err != nil {
				t.Fatalf("purged %d, error %v", n, err)
			}
			l.add(failed("late", "INTERNAL", 3)...)
		}
		for i, letter := range all {
			if gone := i < 20 || i == 25 || i == 395; !gone && !seen[letter.ID] {
				t.Errorf("newest %t: %s was passed over", newest, letter.ID)
			}
		}
	}
}

// A replay that fails again writes new letters while the old ones are listed. The list must end.
func listsNoLaterLetters(t *testing.T, b *backends.Backend) {
	l := openLetters(t, b, responses.DeadLetterOptions{})
	all := failed("a", "INTERNAL", 200)
	l.add(all...)
	var seen []string
	for letter, err := range l.List(t.Context(), responses.Filter{}) {
		if err != nil || len(seen) > len(all) {
			t.Fatalf("%d letters seen, error %v", len(seen), err)
		}
		seen = append(seen, letter.ID)
		again := letter
		again.ID, again.At = letter.ID+"'", time.Now().Add(time.Second)
		l.add(again)
	}
	wantList(t, "listed", seen, idsOf(all))
}

func countsLetters(t *testing.T, b *backends.Backend) {
	l := openLetters(t, b, responses.DeadLetterOptions{})
	l.add(failed("a", "INTERNAL", 130)...)
	l.add(failed("c", "UNREGISTERED", 3)...)
	l.add(responses.DeadLetter{ID: "e:1", Kind: responses.KindResult, Reason: "no JSON", At: died})
	got := l.count()
	want := responses.DeadCounts{
		Total: 134,
		Codes: map[string]int64{"INTERNAL": 130, "UNREGISTERED": 3, responses.CodeUnreadable: 1},
		Kinds: map[responses.Kind]int64{responses.KindRecipient: 133, responses.KindResult: 1},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("\n got %+v\nwant %+v", got, want)
	}
	if n, err := l.Len(t.Context()); n != 134 || err != nil {
		t.Errorf("length %d, error %v", n, err)
	}
}
