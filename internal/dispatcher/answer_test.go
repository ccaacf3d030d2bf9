package dispatcher

import (
	"context"
	"maps"
	"testing"
	"time"

	"fanfare/internal/breaker"
	"fanfare/internal/campaign"
	"fanfare/internal/fcm"
)

// A push that the end of work cut off says nothing of FCM; one that had its answer by then does.
func TestCutOffPushIsNeutral(t *testing.T) {
	w := newWorld(t)
	w.useBreakers()
	w.campaign(campaign.Spec{ID: "42"})
	d := w.dispatcher()
	l := &lease{camp: w.served(d, "42"), round: 1}
	work, end := context.WithCancel(t.Context())
	d.reporter.countAnswer(work, &delivery{lease: l}, noAnswer, 0, false)
	end()
	d.reporter.countAnswer(work, &delivery{lease: l}, noAnswer, 0, false)
	d.reporter.countAnswer(work, &delivery{lease: l}, fcm.Answer{Class: fcm.Sent, HTTPStatus: 200}, 0, false)
	want := map[breaker.Answer]int64{{Kind: breaker.Unanswered}: 1, {Kind: breaker.Neutral}: 1, {Kind: breaker.Accepted}: 1}
	if got := d.reporter.pending[l.camp].Answers; !maps.Equal(got, want) {
		t.Errorf("answers %v, want %v", got, want)
	}
}

// The breaker learns what came in place of the last answer, whether or not there is more to
// report.
func TestSilenceSaysWhatCameInstead(t *testing.T) {
	w := newWorld(t)
	w.useBreakers()
	w.campaign(campaign.Spec{ID: "42"})
	d := w.dispatcher()
	camp := w.served(d, "42")
	for after := range slowStreak {
		camp.outage.observe(noAnswer, 0, 7, time.Now().Add(time.Duration(after)*slowTime))
	}
	reports := make(map[*activeCampaign]*breaker.Report)
	d.reporter.addOutages(reports)
	if report := reports[camp]; report == nil || report.Round != 7 || report.Said[breaker.Unanswered] != noAnswer.Detail {
		t.Errorf("report %+v, want what came instead of an answer", report)
	}
}

func TestKindOf(t *testing.T) {
	for answer, want := range map[fcm.Answer]breaker.Kind{
		{Class: fcm.Sent}: breaker.Accepted, {Class: fcm.Quota}: breaker.Neutral, {Class: fcm.NotSent}: breaker.Neutral,
		{Class: fcm.BadMessage}: breaker.BadMessage, {Class: fcm.TooLarge}: breaker.BadMessage,
		{Class: fcm.BadTarget}: breaker.BadTarget, {Class: fcm.Unregistered}: breaker.Unregistered,
		{Class: fcm.SenderMismatch}: breaker.SenderMismatch, {Class: fcm.NotFound}: breaker.NotFound,
		{Class: fcm.ThirdPartyAuth}: breaker.ThirdPartyAuth, {Class: fcm.Credentials}: breaker.Credentials,
		{Class: fcm.Other}: breaker.Other, {Class: fcm.Unavailable}: breaker.Unanswered, {Class: fcm.Ambiguous}: breaker.Unanswered,
		{Class: fcm.NotFCM}: breaker.Unanswered, {Class: fcm.Ambiguous, Foreign: true}: breaker.WrongEndpoint,
	} {
		if got := kindOf(answer); got != want {
			t.Errorf("%+v is %s, want %s", answer, got, want)
		}
	}
}
