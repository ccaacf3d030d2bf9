package console

import (
	"strings"
	"testing"

	"fanfare/internal/campaign"
	"fanfare/internal/notification"
	"fanfare/internal/operator"
)

// The page has tables of variants and of all devices, moved tokens and languages. Both tables add
// up.
func TestVariantsAndDevicesOfACampaign(t *testing.T) {
	t.Parallel()
	f := open(t, Options{})
	v := view("ab", campaign.Running, campaign.Books{
		Sent: 5000, Failed: 90, Skipped: 10, Waiting: 3, Moved: 1234, HeldOut: 10, WithoutVariant: 1, Codes: map[string]int64{"failed:UNREGISTERED": 90},
		Devices:  &campaign.DeviceBooks{Total: 6110, Sent: 5012, Failed: 1088, Skipped: 10, Codes: map[string]int64{"failed:UNREGISTERED": 1080}},
		Locales:  map[string]campaign.StatusCounts{"": {notification.StatusSent: 4000, notification.StatusFailed: 80}, "pt": {notification.StatusSent: 1000, notification.StatusFailed: 10}},
		Variants: map[string]campaign.StatusCounts{"plain": {notification.StatusSent: 3000, notification.StatusFailed: 60}, "emoji": {notification.StatusSent: 2000, notification.StatusFailed: 29}},
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
		`<tr><th scope="row">Base language</th><td class="num">4,080</td><td class="num">4,000</td><td class="num">80</td><td class="num wide">0</td><td class="num">98.0%</td>`,
		`<tr><th scope="row">pt</th><td class="num">1,010</td><td class="num">1,000</td><td class="num">10</td><td class="num wide">0</td>`,
		`<tr><th scope="row">None: no text was picked</th><td class="num">10</td><td class="num">0</td><td class="num">0</td><td class="num wide">10</td>`,
		`<td>All</td><td class="num wide"></td><td class="num">5,100</td><td class="num">5,000</td><td class="num">90</td><td class="num wide">10</td><td class="num">98.0%</td>`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %s", want)
		}
	}
	for _, unwanted := range []string{"var-h", "dev-h", "lang-h", "moved to installation IDs", "Languages"} {
		if strings.Contains(f.get("/campaigns/running").text, unwanted) {
			t.Errorf("a plain campaign's page has %q", unwanted)
		}
	}
}

// A table lists the largest languages, and adds up the others.
func TestManyLanguagesAreFolded(t *testing.T) {
	t.Parallel()
	var all []operator.LanguageCount
	var sum int64
	for i := range int64(30) {
		all = append(all, operator.LanguageCount{Locale: string(rune('a'+i%26)) + "x", OutcomeSums: operator.OutcomeSums{Recipients: i, Sent: i}})
		sum += i
	}
	tables := choiceTablesOf(operator.Choices{Languages: all})
	rows := tables[0].Rows
	if last := rows[len(rows)-1]; len(rows) != maxLanguages || last.Name != "19 others" || last.Sent != 18*19/2 {
		t.Errorf("%d rows end with %+v", len(rows), last)
	}
	for _, row := range rows {
		sum -= row.Recipients
	}
	if sum != 0 {
		t.Errorf("the rows lack %d recipients", sum)
	}
}

// Beside the codes stands what was odd about recipients, if it occurred: dead tokens that stay, and
// what of their own could not be used.
func TestOdditiesOfRecipients(t *testing.T) {
	t.Parallel()
	f := open(t, Options{})
	f.system.views = append(f.system.views, view("odd", campaign.Running, campaign.Books{
		Sent: 5000, Waiting: 3, TokensKept: 2, BadZones: 1, BadLocales: 3000, BadQuietHours: 4,
	}))
	wantTexts(t, "the page", f.get("/campaigns/odd").text,
		"<b>2</b> dead tokens stay stored, because too many died within an hour.",
		"<b>1</b> recipient had a time zone that is unknown; the campaign&#39;s was used.",
		"<b>3,000</b> recipients had a locale that names no language; the user&#39;s other one, the profile&#39;s or the base language was used.",
		"<b>4</b> recipients had quiet hours that cannot be read; the campaign&#39;s were used.",
	)
	for _, unwanted := range []string{"unknown;", "names no language", "cannot be read"} {
		if strings.Contains(f.get("/campaigns/running").text, unwanted) {
			t.Errorf("a plain campaign's page has %q", unwanted)
		}
	}
}
