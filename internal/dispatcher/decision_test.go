package dispatcher

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"fanfare/internal/campaign"
	"fanfare/internal/fcm"
	"fanfare/internal/notification"
)

func TestJudge(t *testing.T) {
	retry := DefaultRetry()
	first := attempt{attempts: 1, onAmbiguous: campaign.Resend}
	report := attempt{attempts: 1, onAmbiguous: campaign.Report}
	proven := attempt{attempts: 1, onAmbiguous: campaign.Resend, provenMessage: true}
	doubtful := attempt{attempts: 1, onAmbiguous: campaign.Resend, provenMessage: true, target: notification.ParseToken(`"token"`)}
	last := attempt{attempts: retry.MaxAttempts, onAmbiguous: campaign.Resend}
	old := attempt{attempts: 2, elapsed: retry.MaxElapsed, onAmbiguous: campaign.Resend}
	waited := attempt{attempts: 1, elapsed: 2 * retry.MaxElapsed, onAmbiguous: campaign.Resend}
	closing := attempt{attempts: 1, onAmbiguous: campaign.Resend, hasDeadline: true, remaining: 5 * time.Second}
	outage := func(s attempt) attempt { s.outage = true; return s }
	orphan := closing
	orphan.lost, orphan.remaining = true, time.Millisecond

	for name, test := range map[string]struct {
		answer  fcm.Answer
		in      attempt
		end     notification.Status
		code    string
		minWait time.Duration
		counted bool
		forget  bool
	}{
		"accepted":                      {fcm.Answer{Class: fcm.Sent}, first, notification.StatusSent, "", 0, true, false},
		"message refused":               {fcm.Answer{Class: fcm.BadMessage, Code: "INVALID_ARGUMENT"}, proven, notification.StatusFailed, "INVALID_ARGUMENT", 0, true, false},
		"target refused, unproven":      {fcm.Answer{Class: fcm.BadTarget, Code: "INVALID_ARGUMENT"}, first, notification.StatusFailed, "INVALID_ARGUMENT", 0, true, false},
		"target refused, proven":        {fcm.Answer{Class: fcm.BadTarget, Code: "INVALID_ARGUMENT"}, proven, notification.StatusFailed, "INVALID_ARGUMENT", 0, true, true},
		"target refused, doubtful":      {fcm.Answer{Class: fcm.BadTarget, Code: "INVALID_ARGUMENT"}, doubtful, notification.StatusFailed, "INVALID_ARGUMENT", 0, true, false},
		"unregistered, doubtful":        {fcm.Answer{Class: fcm.Unregistered, Code: "UNREGISTERED"}, doubtful, notification.StatusFailed, "UNREGISTERED", 0, true, true},
		"unregistered":                  {fcm.Answer{Class: fcm.Unregistered, Code: "UNREGISTERED"}, first, notification.StatusFailed, "UNREGISTERED", 0, true, true},
		"sender mismatch keeps":         {fcm.Answer{Class: fcm.SenderMismatch, Code: "SENDER_ID_MISMATCH"}, proven, notification.StatusFailed, "SENDER_ID_MISMATCH", 0, true, false},
		"404 without FcmError keeps":    {fcm.Answer{Class: fcm.NotFound, Code: "NOT_FOUND"}, proven, notification.StatusFailed, "NOT_FOUND", 0, true, false},
		"third party keeps":             {fcm.Answer{Class: fcm.ThirdPartyAuth, Code: "THIRD_PARTY_AUTH_ERROR"}, first, notification.StatusFailed, "THIRD_PARTY_AUTH_ERROR", 0, true, false},
		"credentials wait, uncounted":   {fcm.Answer{Class: fcm.Credentials}, last, "", "", retry.Outage, false, false},
		"quota waits a minute":          {fcm.Answer{Class: fcm.Quota, Code: "QUOTA_EXCEEDED"}, first, "", "QUOTA_EXCEEDED", 60 * time.Second, true, false},
		"quota waits what is asked":     {fcm.Answer{Class: fcm.Quota, RetryAfter: 90 * time.Second}, first, "", "", 90 * time.Second, true, false},
		"project's quota, no gate":      {fcm.Answer{Class: fcm.Quota, Scope: fcm.QuotaProject, RetryAfter: 90 * time.Second}, first, "", "", 90 * time.Second, false, false},
		"unavailable waits 10 s":        {fcm.Answer{Class: fcm.Unavailable, RetryAfter: time.Second}, first, "", "", 10 * time.Second, true, false},
		"unavailable waits longer":      {fcm.Answer{Class: fcm.Unavailable, RetryAfter: 2 * time.Minute}, first, "", "", 2 * time.Minute, true, false},
		"unavailable, report":           {fcm.Answer{Class: fcm.Unavailable, Code: "UNAVAILABLE"}, report, notification.StatusUnknown, "UNAVAILABLE", 0, true, false},
		"ambiguous, resend":             {fcm.Answer{Class: fcm.Ambiguous}, first, "", "", 10 * time.Second, true, false},
		"ambiguous, report":             {fcm.Answer{Class: fcm.Ambiguous}, report, notification.StatusUnknown, notification.CodeOutcomeUnknown, 0, true, false},
		"foreign 200, resend":           {fcm.Answer{Class: fcm.Ambiguous, HTTPStatus: 200, Foreign: true}, first, "", "", 10 * time.Second, true, false},
		"foreign 200, report":           {fcm.Answer{Class: fcm.Ambiguous, HTTPStatus: 200, Foreign: true}, report, notification.StatusUnknown, notification.CodeOutcomeUnknown, 0, true, false},
		"proxy refused, even reporting": {fcm.Answer{Class: fcm.NotFCM, Code: "HTTP_403", HTTPStatus: 403}, report, "", "HTTP_403", retry.Outage, true, false},
		"proxy refused too often":       {fcm.Answer{Class: fcm.NotFCM, Code: "HTTP_403", HTTPStatus: 403}, last, notification.StatusFailed, "HTTP_403", 0, true, false},
		"outage ends no one, attempts":  {fcm.Answer{Class: fcm.Unavailable}, outage(last), "", "", 10 * time.Second, false, false},
		"outage ends no one, an hour":   {fcm.Answer{Class: fcm.Ambiguous}, outage(old), "", "", 10 * time.Second, false, false},
		"outage ends no one, a proxy":   {fcm.Answer{Class: fcm.NotFCM}, outage(old), "", "", retry.Outage, false, false},
		"outage, too late":              {fcm.Answer{Class: fcm.Unavailable}, outage(closing), notification.StatusUnknown, notification.CodeOutcomeUnknown, 0, false, false},
		"not sent, even when reporting": {fcm.Answer{Class: fcm.NotSent}, report, "", "", retry.Unsent, false, false},
		"attempts used up":              {fcm.Answer{Class: fcm.Quota, Code: "QUOTA_EXCEEDED"}, last, notification.StatusFailed, "QUOTA_EXCEEDED", 0, true, false},
		"attempts used up, 503":         {fcm.Answer{Class: fcm.Unavailable, Code: "UNAVAILABLE"}, last, notification.StatusUnknown, "UNAVAILABLE", 0, true, false},
		"attempts used up, ambiguous":   {fcm.Answer{Class: fcm.Ambiguous}, last, notification.StatusUnknown, notification.CodeGaveUp, 0, true, false},
		"an hour is over":               {fcm.Answer{Class: fcm.Quota, Code: "QUOTA_EXCEEDED"}, old, notification.StatusFailed, "QUOTA_EXCEEDED", 0, true, false},
		"an hour is over, 503":          {fcm.Answer{Class: fcm.Unavailable, Code: "UNAVAILABLE"}, old, notification.StatusUnknown, "UNAVAILABLE", 0, true, false},
		"would be late":                 {fcm.Answer{Class: fcm.Quota}, closing, notification.StatusExpired, notification.CodeDeadline, 0, true, false},
		"would be late, 503":            {fcm.Answer{Class: fcm.Unavailable, Code: "UNAVAILABLE"}, closing, notification.StatusUnknown, notification.CodeOutcomeUnknown, 0, true, false},
		"would be late, may be there":   {fcm.Answer{Class: fcm.Ambiguous}, closing, notification.StatusUnknown, notification.CodeOutcomeUnknown, 0, true, false},
		"would be late, was lost once":  {fcm.Answer{Class: fcm.NotSent}, orphan, notification.StatusUnknown, notification.CodeOutcomeUnknown, 0, false, false},
		"waited before the first try":   {fcm.Answer{Class: fcm.Unavailable}, waited, "", "", retry.MinBackoff, true, false},
		"too large":                     {fcm.Answer{Class: fcm.TooLarge, Code: "MESSAGE_TOO_LARGE"}, first, notification.StatusFailed, "MESSAGE_TOO_LARGE", 0, true, false},
		"unknown code":                  {fcm.Answer{Class: fcm.Other, Code: "TEAPOT"}, first, notification.StatusFailed, "TEAPOT", 0, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			v := retry.applyRules(test.answer, test.in)
			if v.status != test.end || v.code != test.code || v.counted != test.counted || v.deleteToken != test.forget {
				t.Errorf("decision %+v, want end=%q code=%q counted=%v forget=%v", v, test.end, test.code, test.counted, test.forget)
			}
			if v.status == "" && v.wait < test.minWait {
				t.Errorf("waits %s, want at least %s", v.wait, test.minWait)
			}
		})
	}
}

// A wait is never below the floor or what the server asked for, and never above their sum with the
// ceiling.
func TestBackoffBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		retry := DefaultRetry()
		attempt := rapid.IntRange(1, 1000).Draw(t, "attempt")
		floor := time.Duration(rapid.Int64Range(1, int64(time.Minute)).Draw(t, "floor"))
		asked := time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "asked"))
		wait := retry.backoff(attempt, floor, asked)
		if wait < max(floor, asked) || wait > max(floor, asked)+max(retry.MaxBackoff, floor) {
			t.Fatalf("waits %s after attempt %d, floor %s, asked %s", wait, attempt, floor, asked)
		}
	})
}

// Anyone who would come back at the deadline or later is expired; a moment before it, another try
// is worth while.
func TestWithin(t *testing.T) {
	for wait, want := range map[time.Duration]notification.Status{time.Minute - 1: "", time.Minute: notification.StatusExpired} {
		v := decision{wait: wait}.applyDeadline(fcm.Answer{}, attempt{hasDeadline: true, remaining: time.Minute})
		if v.status != want {
			t.Errorf("a wait of %s: ends as %q, want %q", wait, v.status, want)
		}
	}
}
