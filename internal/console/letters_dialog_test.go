package console

import (
	"fmt"
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

// Of many letters the tokens of a sample are looked up. The dialog says which figures are
// estimated, and those are of the letters that match.
func TestReplayOfManyIsEstimated(t *testing.T) {
	t.Parallel()
	f := open(t, Options{Operate: true})
	for i := range 200 {
		f.system.letters = append(f.system.letters, responses.FailedLetter(failed(fmt.Sprint("many-", i), "UNAVAILABLE"), now))
	}
	text := f.get("/dead/replay?code=UNAVAILABLE").text
	wantTexts(t, "many", text, "Replay ≈ 199 letters?", "Match</dt><dd>200</dd>", "again</dt><dd>≈ 199</dd>", "kept</dt><dd>≈ 1</dd>", "is estimated", "Replay ≈ 199</button>")
	text = f.get("/dead/replay?code=UNREGISTERED").text
	wantTexts(t, "few", text, "Replay 1 letter?", "Match</dt><dd>2</dd>", "again</dt><dd>1</dd>")
	if strings.Contains(text, "≈") || strings.Contains(text, "estimated") {
		t.Errorf("few letters are estimated: %s", text)
	}
}
