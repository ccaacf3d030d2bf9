package dispatcher

import (
	"strings"
	"testing"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/notification"
)

// quietHours parses the field of a spec.
func quietHours(t *testing.T, text string) campaign.QuietHours {
	t.Helper()
	return must(campaign.ParseQuietHours(text))(t)
}

// A recipient in quiet hours waits in the due set, and is sent to when they end by the user's own
// clock. Those of the element come before those of the profile, and these before the campaign's.
func TestRecipientsWaitInTheirQuietHours(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.campaign(campaign.Spec{ID: "42", QuietHours: quietHours(t, "11:00-12:02"), Deadline: atNoon(24 * time.Hour)},
			`{"userId":"u1","fcmToken":"of-campaign"}`,
			`{"userId":"u2","fcmToken":"of-element","quietHours":"17:00-17:31","timeZone":"Asia/Kolkata"}`,
			`{"userId":"u3","fcmToken":"of-profile"}`,
			`{"userId":"u4","fcmToken":"none-in-profile"}`,
			`{"userId":"u5","fcmToken":"odd-profile"}`,
			`{"userId":"u6","fcmToken":"element-first","quietHours":"none"}`,
		)
		for key, profile := range map[string]string{
			"profile:u3": `{"quietHours":"10:00-12:01"}`, "profile:u4": `{"quiet_hours":"none"}`, "profile:u5": `{"quietHours":"at night"}`,
			"profile:u6": `{"quietHours":"10:00-12:01"}`,
		} {
			if err := w.redis.Set(key, profile); err != nil {
				t.Fatal(err)
			}
		}
		var times sendTimes
		w.sender.answer = times.note(accepted)
		w.runFor(130 * time.Second)
		for _, token := range []string{"none-in-profile", "element-first"} {
			times.checkBetween(t, token, 0, 30*time.Second)
		}
		for _, token := range []string{"of-element", "of-profile"} {
			times.checkBetween(t, token, time.Minute, time.Minute+5*time.Second)
		}
		for _, token := range []string{"of-campaign", "odd-profile"} {
			times.checkBetween(t, token, 2*time.Minute, 2*time.Minute+5*time.Second)
		}
		if b := w.books("42"); b.WindowWaits != 4 || b.BadQuietHours != 1 || b.Sent != 6 || b.Resent != 0 || !b.IsBalanced() {
			t.Errorf("books %+v, want 4 waits, one with bad quiet hours, and 6 sent", b)
		}
	})
}

// Without the option, the quiet hours in the elements count, and no profile is asked.
func TestQuietHoursWithoutTheOption(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.campaign(campaign.Spec{ID: "42", Deadline: atNoon(24 * time.Hour)},
			`{"userId":"u1","fcmToken":"quiet","quietHours":"11:00-12:01"}`, `{"userId":"u2","fcmToken":"other"}`)
		if err := w.redis.Set("profile:u2", `{"quietHours":"10:00-12:01"}`); err != nil {
			t.Fatal(err)
		}
		var times sendTimes
		w.sender.answer = times.note(accepted)
		w.runFor(70 * time.Second)
		times.checkBetween(t, "quiet", time.Minute, time.Minute+5*time.Second)
		times.checkBetween(t, "other", 0, 30*time.Second)
	})
}

func TestTransactionalCampaignsIgnoreQuietHours(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.campaign(campaign.Spec{ID: "42", Kind: campaign.Transactional, QuietHours: quietHours(t, "11:00-13:00"), Deadline: atNoon(24 * time.Hour)},
			`{"userId":"u1","fcmToken":"t1","quietHours":"11:00-13:00"}`, `{"userId":"u2","fcmToken":"t2"}`)
		if err := w.job("42"); err != nil {
			t.Fatal(err)
		}
		if b := w.books("42"); b.Sent != 2 || b.WindowWaits != 0 {
			t.Errorf("books %+v, want 2 sent at once", b)
		}
	})
}

// Quiet hours that last beyond the deadline, or over all windows, end the recipient as expired.
func TestQuietHoursUntilTheDeadline(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.campaign(campaign.Spec{ID: "42", Windows: windows(t, "12:00-12:30"), Deadline: atNoon(20 * time.Minute)},
			`{"userId":"u1","fcmToken":"late","quietHours":"11:00-12:25"}`, `{"userId":"u2","fcmToken":"never","quietHours":"10:00-14:00"}`, `{"userId":"u3","fcmToken":"open"}`)
		if err := w.job("42"); err != nil {
			t.Fatal(err)
		}
		w.checkRequests(map[string]int{"open": 1})
		for _, user := range []string{"u1", "u2"} {
			r := w.results()[user]
			if r.Status != notification.StatusExpired || r.ErrorCode != notification.CodeDeadline || !strings.Contains(r.Error, "outside the user's quiet hours") {
				t.Errorf("%s ended as %+v", user, r)
			}
		}
	})
}
