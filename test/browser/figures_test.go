package browser

import (
	"maps"
	"strings"
	"testing"

	"fanfare/internal/campaign"
	"fanfare/internal/notification"
)

// readFigures reads the figures of a campaign's page by what stands beside them.
const readFigures = `(() => {
	const all = {};
	const add = (name, text) => { all[name] = (all[name] ?? 0) + Number(text.replaceAll(',', '')); };
	for (const [, figure, name] of document.querySelector('[data-part=progress] .sum').innerHTML.matchAll(/<b>([\d,]+)<\/b> ([a-z ]+?)(?= [=+]|$)/g)) add(name, figure);
	for (const code of document.querySelectorAll('[data-part=codes] .codes > li')) add('code ' + code.querySelector('.code-name').innerText.trim(), code.querySelector('.num').innerText);
	for (const row of document.querySelectorAll('[aria-labelledby=var-h] tbody tr')) {
		const [, recipients, sent, failed] = [...row.querySelectorAll('td')].map((cell) => cell.innerText);
		const name = 'variant ' + row.querySelector('th').innerText;
		add(name, recipients), add(name + ' sent', sent), add(name + ' failed', failed);
	}
	for (const row of document.querySelectorAll('[aria-labelledby=dev-h] tbody tr')) {
		const [recipients, devices] = [...row.querySelectorAll('td')].map((cell) => cell.innerText);
		const name = row.querySelector('.outcome').innerText.trim().toLowerCase();
		add('users ' + name, recipients), add('devices ' + name, devices);
	}
	return all;
})()`

// figuresOf are the same figures by the API's answer.
func figuresOf(b campaign.Books) map[string]int64 {
	all := map[string]int64{"loaded": b.Loaded}
	add := func(name string, n int64) {
		if n > 0 {
			all[name] += n
		}
	}
	for name, n := range map[string]int64{
		"sent": b.Sent, "failed": b.Failed, "skipped": b.Skipped, "expired": b.Expired, "unknown": b.Unknown,
		"waiting": b.Waiting, "in flight": b.InFlight, "retrying": b.Retrying, "missing": b.Missing,
	} {
		add(name, n)
	}
	for label, n := range b.Codes {
		if status, code, _ := strings.Cut(label, ":"); status != string(notification.StatusSent) {
			add("code "+code, n)
		}
	}
	for name, counts := range b.Variants {
		for status, n := range counts {
			add("variant "+name, n)
			if status == notification.StatusSent || status == notification.StatusFailed {
				add("variant "+name+" "+string(status), n)
			}
		}
	}
	if b.HeldOut > 0 {
		add("variant Hold-out group", b.HeldOut)
	}
	if d := b.Devices; d != nil {
		for name, of := range map[string][2]int64{
			"sent": {b.Sent, d.Sent}, "failed": {b.Failed, d.Failed}, "skipped": {b.Skipped, d.Skipped}, "expired": {b.Expired, d.Expired}, "unknown": {b.Unknown, d.Unknown},
		} {
			add("users "+name, of[0])
			add("devices "+name, of[1])
		}
	}
	return all
}

// The figures that a page shows are those of the API: both stand on the same operator, and neither
// counts by itself.
func testSameFigures(t *testing.T, w *world) {
	p := openTab(t, w.base)
	for _, id := range []string{"family", "sale", "wrong", "waits", "late"} { // none of them moves
		p.goTo(pathOf(id))
		shown := read[map[string]int64](p, readFigures)
		maps.DeleteFunc(shown, func(_ string, n int64) bool { return n == 0 })
		answer := read[struct{ Books campaign.Books }](p, `fetch('/api/v1/campaigns/`+id+`').then((r) => r.json())`)
		if want := figuresOf(answer.Books); !maps.Equal(shown, want) {
			t.Errorf("%s: the page shows\n%v, the API answers\n%v", id, shown, want)
		}
		if answer.Books.Loaded == 0 {
			t.Errorf("%s: there is nothing to compare", id)
		}
	}
}
