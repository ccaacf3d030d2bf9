package console

import (
	"strings"
	"testing"

	"fanfare/internal/responses"
)

// A replay names who may get it twice, and which completed campaigns run again.
func TestReplayNamesItsRisks(t *testing.T) {
	t.Parallel()
	f := open(t, Options{Operate: true})
	of := func(campaign string) responses.DeadLetter {
		result := failed("u-"+campaign, "RETRIES_EXHAUSTED")
		result.CampaignID = campaign
		return responses.FailedLetter(result, now)
	}
	f.system.letters = append(f.system.letters, of("completed"), of("gone"))
	text := f.get("/dead/replay").text
	for _, want := range []string{"May have got it already, so twice then</dt><dd>3</dd>", "Completed campaigns that run again</dt><dd>1</dd>", "completed runs again."} {
		if !strings.Contains(text, want) {
			t.Errorf("the dialog does not say %q: %s", want, text)
		}
	}
	if text := f.get("/dead/replay?code=UNREGISTERED").text; strings.Contains(text, "twice") || strings.Contains(text, "run again") {
		t.Errorf("a replay without such letters says %s", text)
	}
}

// A list of many names is short.
func TestNameSome(t *testing.T) {
	t.Parallel()
	for want, names := range map[string][]string{"a": {"a"}, "a, b, c": {"a", "b", "c"}, "a, b, c and 2 more": {"a", "b", "c", "d", "e"}} {
		if got := nameSome(names); got != want {
			t.Errorf("%v are %q, want %q", names, got, want)
		}
	}
}
