package fcmsim_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"fanfare/fcmsim"

	"firebase.google.com/go/v4/messaging"
)

const (
	fid   = "cQ3kT9aB7xYzW1vU5tSr_2"
	token = fid + ":APA91bHun4MxP5"
)

func byToken(text string) *messaging.Message { return &messaging.Message{Token: text} }

func TestUnregisteredInstallation(t *testing.T) {
	t.Parallel()
	r := newRig(t, fcmsim.Options{})
	sdk := newSDK(t, r.srv.URLs.TLS, r.client)
	_, err := sdk.Send(t.Context(), &messaging.Message{Fid: "unregistered-" + fid})
	if !messaging.IsUnregistered(err) {
		t.Errorf("the SDK reads %v", err)
	}
	if _, err := sdk.Send(t.Context(), &messaging.Message{Fid: fid}); err != nil {
		t.Error(err)
	}
}

// The token of an app that moved to installation IDs dies with the first accepted push to its ID.
func TestInstallationReplacesToken(t *testing.T) {
	t.Parallel()
	r := newRig(t, fcmsim.Options{})
	sdk := newSDK(t, r.srv.URLs.TLS, r.client)
	send := func(m *messaging.Message, isUnregistered bool) {
		t.Helper()
		if _, err := sdk.Send(t.Context(), m); messaging.IsUnregistered(err) != isUnregistered || err != nil && !isUnregistered {
			t.Errorf("%+v: %v", *m, err)
		}
	}
	toToken, toFID := byToken(token), &messaging.Message{Fid: fid}
	send(toFID, false)
	send(toToken, false) // without the rule both live
	rules, err := fcmsim.ParseRules([]byte(`{"fidReplacesToken": true, "prefixes": {"weak-": {"code": "UNAVAILABLE", "times": 1}}}`))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.SetRules(rules); err != nil {
		t.Fatal(err)
	}
	send(toToken, false)
	if _, err := sdk.SendDryRun(t.Context(), toFID); err != nil {
		t.Error(err)
	}
	r.post(t, `{"message":{"fid":"weak-1"}}`) // not accepted
	send(byToken("weak-1:abc"), false)
	send(toToken, false) // a validated message replaces nothing
	send(toFID, false)
	send(toToken, true)
	send(byToken("other:abc"), false)
	send(byToken(fid), false) // FCM takes the ID in the place of a token
	r.ClearLedger()
	send(toToken, true)
}

func TestDevicesAreCounted(t *testing.T) {
	t.Parallel()
	r := newRig(t, fcmsim.Options{Ledger: fcmsim.LedgerMessages})
	post := func(target string) {
		t.Helper()
		r.post(t, `{"message":{`+target+`,"data":{"k":"v"}}}`)
	}
	post(`"token":"phone"`)
	post(`"token":"` + token + `"`)
	post(`"token":"dead-` + token + `"`)
	post(`"topic":"news"`)
	if c := r.Counts(); c.Accepted != 3 || c.Devices != 2 || c.DevicesTwice != 0 {
		t.Errorf("before: %+v", c)
	}
	r.post(t, `{"message":{"fid":"`+fid+`","data":{"k":"another message"}}}`)
	post(`"fid":"` + fid + `"`)
	post(`"token":"` + fid + `:refreshed"`)
	if c := r.Counts(); c.Accepted != 6 || c.Distinct != 6 || c.Duplicates != 0 || c.Devices != 3 || c.DevicesTwice != 1 {
		t.Errorf("after: %+v", c)
	}
	if own := r.EntriesOf(token); len(own) != 1 || own[0].Target != token || own[0].Accepted != 1 {
		t.Errorf("entries of the token: %+v", own)
	}
	var entries []fcmsim.Entry
	_, body := r.admin(t, http.MethodGet, "/devices/"+token, "")
	if err := json.Unmarshal([]byte(body), &entries); err != nil || len(entries) != 4 {
		t.Errorf("entries of the device: %s", body)
	}
	if total := len(r.EntriesOfDevice(fid)); total != 4 {
		t.Errorf("%d entries by the installation ID", total)
	}
	ledger := 0
	for range r.Ledger() {
		ledger++
	}
	if ledger != 7 {
		t.Errorf("%d entries in all, want 7", ledger)
	}
	r.ClearLedger()
	if c := r.Counts(); c.Devices != 0 || c.DevicesTwice != 0 || len(r.EntriesOfDevice(fid)) != 0 {
		t.Errorf("cleared: %+v", c)
	}
}
