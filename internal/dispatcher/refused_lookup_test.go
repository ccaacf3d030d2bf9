package dispatcher

import (
	"context"
	"encoding/json"
	"testing"

	"fanfare/internal/campaign"
	"fanfare/internal/fcm"
	"fanfare/internal/profiles"
	"fanfare/internal/store"
	"fanfare/internal/suppression"
	"fanfare/internal/tokens"
)

// refusing is a database that refuses the statements of all look-ups.
type refusing struct{}

var errRefused = &store.SettingError{Setting: "store.token_query", Err: errDown}

func (refusing) Tokens(context.Context, []string) (map[string]string, error) { return nil, errRefused }

func (refusing) Profiles(context.Context, []string) (map[string]json.RawMessage, error) {
	return nil, errRefused
}

func (refusing) Suppressed(context.Context, []string) (map[string]bool, error) {
	return nil, errRefused
}

// Recipients of a campaign that a refused look-up pauses go back. They are not deferred, so their
// order stays and a resume serves them at once.
func TestRecipientsOfARefusedLookupGoBack(t *testing.T) {
	for name, c := range map[string]struct {
		spec       campaign.Spec
		elements   []string
		suppressed suppression.Source
	}{
		"tokens": {campaign.Spec{ID: "42"}, []string{`{"userId":"a"}`, `{"userId":"b"}`}, nil},
		"profiles": {
			campaign.Spec{ID: "42", Message: []byte(`{"notification":{"title":"Hello {{name}}"}}`)},
			[]string{`{"userId":"a","fcmToken":"t1"}`, `{"userId":"b","fcmToken":"t2"}`}, nil,
		},
		"suppressed users": {
			campaign.Spec{ID: "42"}, []string{`{"userId":"a","fcmToken":"t1"}`, `{"userId":"b","fcmToken":"t2"}`}, refusing{},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			rdb := must(w.client())(t)
			w.deps.Tokens = must(tokens.New(rdb, w.deps.Names, refusing{}, tokens.Options{}))(t)
			w.deps.Profiles = must(profiles.New(rdb, w.deps.Names, refusing{}, profiles.Options{}))(t)
			w.deps.Suppressed = suppression.New(rdb, w.deps.Names, c.suppressed)
			w.campaign(c.spec, c.elements...)
			stop := w.serve(w.dispatcher())
			w.eventually(func() bool {
				spec := must(w.deps.Campaigns.Get(t.Context(), "42"))(t)
				return spec.State == campaign.Paused && w.books("42").InFlight == 0
			})
			stop()
			if b := w.books("42"); b.Waiting != 2 || b.Retrying != 0 {
				t.Errorf("books %+v, want both recipients waiting and none deferred", b)
			}
		})
	}
}

// A look-up for another address pauses the campaign as well. The recipient was sent to, so it is
// deferred.
func TestRecipientOfADeadTokenWaitsAfterARefusedLookup(t *testing.T) {
	w := newWorld(t)
	w.deps.Tokens = must(tokens.New(must(w.client())(t), w.deps.Names, refusing{}, tokens.Options{}))(t)
	w.campaign(campaign.Spec{ID: "42"}, `{"userId":"a","fcmToken":"dead"}`)
	w.sender.answer = refuse(fcm.Answer{Class: fcm.Unregistered, Code: "UNREGISTERED", HTTPStatus: 404})
	stop := w.serve(w.dispatcher())
	w.eventually(func() bool { return w.stateOf("42") == campaign.Paused && w.books("42").InFlight == 0 })
	stop()
	if b := w.books("42"); b.Retrying != 1 || b.Waiting != 0 {
		t.Errorf("books %+v, want the recipient deferred", b)
	}
}
