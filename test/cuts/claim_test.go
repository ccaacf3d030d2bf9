package cuts

import (
	"encoding/json"
	"slices"
	"testing"
)

// TestClaimOfWhatComesAgain cuts a claim, and has the producer push the very elements again that it
// claimed. No one is lost by that, nor served once more than pushed, and until the next script the
// list holds nothing but the producer's JSON.
func TestClaimOfWhatComesAgain(t *testing.T) {
	sound, cutting, k := open(t)
	for name, before := range map[string][]string{
		"all that is listed":  {`{"userId":"a"}`, `{"userId":"b"}`, `{"userId":"c"}`},
		"the first of copies": slices.Repeat([]string{`{"userId":"a"}`, `{"userId":"b"}`, `{"userId":"c"}`}, 3),
		"one of the same":     slices.Repeat([]string{`{"userId":"a"}`}, 4),
	} {
		for _, next := range []string{"claimed", "given back", "claimed again"} {
			t.Run(name+" "+next, func(t *testing.T) {
				each(t, k, "queue/claim", func(t *testing.T) *audience {
					must(t, sound.FlushAll(t.Context()).Err())
					a := newAudience(t, sound, cutting, "42", 0)
					a.push(before...)
					return a
				}, func(t *testing.T, a *audience) error {
					_, err := a.queue.Claim(t.Context(), "the-claim", 3)
					return err
				}, func(t *testing.T, a *audience) {
					a.t = t
					a.push(before[:3]...)
					for i, element := range sound.LRange(t.Context(), a.list.Plain(), 0, -1).Val() {
						var recipient struct{ UserID string }
						if err := json.Unmarshal([]byte(element), &recipient); err != nil || recipient.UserID == "" {
							t.Errorf("element %d of the list is %q: %v", i, element, err)
						}
					}
					a.truthful()
					switch next {
					case "given back":
						_, err := a.queue.GiveBack(t.Context(), "the-claim")
						a.must(err)
					case "claimed again":
						a.claim("the-claim", 3)
					}
					a.truthful()
					a.drain()
					a.truthful()
					if got, want := slices.Sorted(slices.Values(a.outbox())), slices.Sorted(slices.Values(a.all)); !slices.Equal(got, want) {
						t.Errorf("results\n%q, want\n%q", got, want)
					}
				})
			})
		}
	}
}

// push is what a producer does.
func (a *audience) push(elements ...string) {
	a.t.Helper()
	a.all = append(a.all, elements...)
	a.must(a.rdb.RPush(a.t.Context(), a.list.Plain(), elements).Err())
}

// TestClaimOfWhatIsTakenAway cuts a claim, and has someone take elements off the end of the list.
// No figure is negative.
func TestClaimOfWhatIsTakenAway(t *testing.T) {
	sound, cutting, k := open(t)
	each(t, k, "queue/claim", func(t *testing.T) *audience {
		must(t, sound.FlushAll(t.Context()).Err())
		return newAudience(t, sound, cutting, "42", 3)
	}, func(t *testing.T, a *audience) error {
		_, err := a.queue.Claim(t.Context(), "the-claim", 3)
		return err
	}, func(t *testing.T, a *audience) {
		a.t = t
		a.must(sound.LTrim(t.Context(), a.list.Plain(), 0, 0).Err())
		c, err := a.queue.Count(t.Context())
		a.must(err)
		if c.Listed < 0 || c.Listed > 1 {
			t.Errorf("%d are listed", c.Listed)
		}
		a.drain()
		if len(a.outbox()) == 0 {
			t.Error("no one has ended")
		}
	})
}
