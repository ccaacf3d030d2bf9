package console

import (
	"strings"
	"testing"

	"fanfare/internal/campaign"
	"fanfare/internal/notification"
)

// The page has tables of variants and of all devices, moved tokens and languages. Both tables add
// up.
func TestVariantsAndDevicesOfACampaign(t *testing.T) {
	t.Parallel()
	f := open(t, Options{})
	v := view("ab", campaign.Running, campaign.Books{
		Sent: 5000, Failed: 90, Skipped: 10, Waiting: 3, Moved: 1234, HeldOut: 10, WithoutVariant: 1, Codes: map[string]int64{"failed:UNREGISTERED": 90},
		Devices:  &campaign.DeviceBooks{Total: 6110, Sent: 5012, Failed: 1088, Skipped: 10, Codes: map[string]int64{"failed:UNREGISTERED": 1080}},
		Variants: map[string]map[notification.Status]int64{"plain": {notification.StatusSent: 3000, notification.StatusFailed: 60}, "emoji": {notification.StatusSent: 2000, notification.StatusFailed: 29}},
	})
	v.Spec.Message = []byte(`{"message":{"notification":{"title":"Hi"}},"locales":{"pt":{"notification":{"title":"Oi"}},"de":{"notification":{"title":"Hallo"}}},
		"variants":[{"name":"plain","weight":50},{"name":"emoji","weight":45}],"holdout":5}`)
	f.system.views = append(f.system.views, v)
	text := f.get("/campaigns/ab").text
	for _, want := range []string{
		`Sent</span></th><td class="num">5,000</td><td class="num">5,012</td><td class="num wide">82.0%</td>`,
		`Failed</span> <span class="quiet">UNREGISTERED</span></th><td class="num">90</td><td class="num">1,080</td>`,
		`Failed</span></th><td class="num">0</td><td class="num">8</td>`,
		`Skipped</span></th><td class="num">10</td><td class="num">10</td>`,
		`<td>All</td><td class="num">5,100</td><td class="num">6,110</td>`,
		`1,234 dead tokens moved to installation IDs`,
		`<span class="faint">Languages</span><b>base, pt, de</b>`,
		`<tr><th scope="row">plain</th><td class="num wide">50%</td><td class="num">3,060</td><td class="num">3,000</td><td class="num">60</td><td class="num wide">0</td>`,
		`<tr><th scope="row">Hold-out group</th><td class="num wide">5%</td><td class="num">10</td><td class="num">0</td><td class="num">0</td><td class="num wide">10</td>`,
		`<tr><th scope="row">Neither: ended before</th><td class="num wide">–</td><td class="num">1</td><td class="num">0</td><td class="num">1</td>`,
		`<td>All</td><td class="num wide"></td><td class="num">5,100</td><td class="num">5,000</td><td class="num">90</td><td class="num wide">10</td><td class="num">98.0%</td>`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %s", want)
		}
	}
	for _, unwanted := range []string{"var-h", "dev-h", "moved to installation IDs", "Languages"} {
		if strings.Contains(f.get("/campaigns/running").text, unwanted) {
			t.Errorf("a plain campaign's page has %q", unwanted)
		}
	}
}
