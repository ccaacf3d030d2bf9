package browser

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"fanfare/test/servers"
)

// Widths of the design: a desk, a small one with the menu as a rail, and a phone.
const (
	wide = 1440
	rail = 1024
	// The narrowest and the widest screen on which the menu is a rail of icons.
	railLeast, railMost = 961, 1180
	phone               = 390
)

// tab is a tab with its own cookies. It fails the test for what a page must not do.
type tab struct {
	t    *testing.T
	ctx  context.Context
	base string

	mu       sync.Mutex
	problems []string
	expected []string // parts of the problems that the test provokes
}

// openTab opens an empty tab for a console.
func openTab(t *testing.T, base string) *tab {
	t.Helper()
	ctx, closeTab := chromedp.NewContext(browserCtx, chromedp.WithNewBrowserContext())
	p := &tab{t: t, ctx: ctx, base: base}
	t.Cleanup(func() {
		closeTab()
		p.report()
	})
	if err := errors.Join(chromedp.Do(ctx), chromedp.Listen(ctx, p.watch)); err != nil { // opens the tab
		t.Fatalf("open a tab: %v", err)
	}
	command(p, audits.Enable, cdp.Empty{})
	command(p, network.Enable, network.EnableParams{})
	// Tabs in the background count as hidden, and hidden pages ask for nothing.
	command(p, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	p.resize(wide)
	p.prefer("light")
	return p
}

// command runs a command of the browser's protocol, which must succeed.
func command[P, R any](p *tab, c cdp.Command[P, R], params P) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, servers.Patience)
	defer cancel()
	if _, err := chromedp.Call(ctx, c, params); err != nil {
		p.t.Fatalf("%s: %v", c.Method, err)
	}
}

// watch notes problems. It must not call the browser.
func (p *tab) watch(event any) {
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		text, _ := json.Marshal(e.ExceptionDetails)
		p.note("exception: " + string(text))
	case *runtime.EventConsoleAPICalled:
		if slices.Contains([]string{"error", "warning", "assert"}, string(e.Type)) {
			p.note(fmt.Sprintf("console.%s: %s", e.Type, textOf(e.Args)))
		}
	case *cdplog.EventEntryAdded:
		if e.Entry.Level == cdplog.EntryLevelError || e.Entry.Level == cdplog.EntryLevelWarning {
			p.note(fmt.Sprintf("%s %s: %s %s", e.Entry.Source, e.Entry.Level, e.Entry.Text, e.Entry.URL))
		}
	case *audits.EventIssueAdded:
		if e.Issue.Code == audits.InspectorIssueCodeContentSecurityPolicyIssue {
			text, _ := json.Marshal(e.Issue.Details.ContentSecurityPolicyIssueDetails)
			p.note("policy violated: " + string(text))
		}
	case *network.EventRequestWillBeSent:
		// Chromium draws its own controls from data: addresses; the policy refuses those of a page.
		if !strings.HasPrefix(e.Request.URL, p.base+"/") && !strings.HasPrefix(e.Request.URL, "data:") {
			p.note("request to another place: " + e.Request.URL)
		}
	}
}

func textOf(args []*runtime.RemoteObject) string {
	var texts []string
	for _, a := range args {
		texts = append(texts, string(a.Value)+a.Description)
	}
	return strings.Join(texts, " ")
}

func (p *tab) note(problem string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.problems = append(p.problems, problem)
}

// expect allows problems with this text, which the test provokes.
func (p *tab) expect(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.expected = append(p.expected, text)
}

func (p *tab) report() {
	p.mu.Lock()
	defer p.mu.Unlock()
next:
	for _, problem := range p.problems {
		for _, text := range p.expected {
			if strings.Contains(problem, text) {
				continue next
			}
		}
		p.t.Errorf("the browser reports: %s", problem)
	}
}

// do runs actions, which must succeed.
func (p *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, servers.Patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		p.t.Fatalf("drive the browser: %v", err)
	}
}

// goTo opens a page of the console and waits until its scripts run and its figures are live.
func (p *tab) goTo(path string) {
	p.t.Helper()
	p.do(chromedp.Navigate(p.base + path))
	p.await("the page is live", `document.readyState === 'complete' && (!document.querySelector('button[data-live]') || document.querySelector('.live-text').textContent.startsWith('Live ·'))`)
}

// read evaluates an expression.
func read[T any](p *tab, expression string) (value T) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, servers.Patience)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatalf("evaluate %.200s: %v", expression, err)
	}
	return value
}

// await waits until an expression is true. What it reads may be gone while a page is replaced.
func (p *tab) await(what, expression string) {
	p.t.Helper()
	defer func() {
		if p.t.Failed() {
			p.t.Logf("at %s the page shows: %.1500s", read[string](p, `location.href`), read[string](p, `document.body.innerText`))
		}
	}()
	servers.Eventually(p.t, what, func() bool {
		ctx, cancel := context.WithTimeout(p.ctx, servers.Patience) // a script that never ends must not hang the test
		defer cancel()
		holds, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`(async () => Boolean(`+expression+`))()`, chromedp.EvalAwaitPromise))
		return err == nil && holds
	})
}

// awaitText waits until an element shows a text.
func (p *tab) awaitText(selector, text string) {
	p.t.Helper()
	p.await(fmt.Sprintf("%s shows %q", selector, text), fmt.Sprintf(`document.querySelector(%s)?.innerText.includes(%s)`, quote(selector), quote(text)))
}

// awaitPath waits until the tab is at a path.
func (p *tab) awaitPath(path string) {
	p.t.Helper()
	p.await("the page is "+path, `location.pathname + location.search === `+quote(path))
}

// click clicks the one element that a selector finds and that shows a text. It clicks again if a
// live update has moved the element away meanwhile.
func (p *tab) click(selector, text string) {
	p.t.Helper()
	find := fmt.Sprintf(`[...document.querySelectorAll(%s)].filter((e) => e.checkVisibility() && e.innerText.includes(%s))`, quote(selector), quote(text))
	for missed := true; missed; missed = p.hasMissed() {
		p.await(fmt.Sprintf("one %s with %q can be clicked", selector, text), fmt.Sprintf(`(%s).length === 1 && !(%s)[0].disabled`, find, find))
		at := read[[]float64](p, `((e) => {
			window.missed = false;
			document.addEventListener('click', (c) => { window.missed = !(`+find+`).some((e) => e.contains(c.target)); }, { capture: true, once: true });
			e.scrollIntoView({ block: 'center' });
			const r = e.getBoundingClientRect();
			return [r.x + r.width / 2, r.y + r.height / 2];
		})((`+find+`)[0])`)
		p.do(chromedp.MouseClickXY(at[0], at[1]))
	}
}

// hasMissed reports whether the last click was on something else. A page that the click replaces
// knows nothing of it.
func (p *tab) hasMissed() bool {
	ctx, cancel := context.WithTimeout(p.ctx, servers.Patience)
	defer cancel()
	missed, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`window.missed === true`))
	return err == nil && missed
}

// fill replaces the value of a field as a person types it.
func (p *tab) fill(selector, text string) {
	p.t.Helper()
	p.await(selector+" is there", `document.querySelector(`+quote(selector)+`)?.checkVisibility()`)
	read[bool](p, fmt.Sprintf(`(document.querySelector(%s).focus(), document.querySelector(%s).select(), true)`, quote(selector), quote(selector)))
	p.press(kb.Backspace)
	p.press(text)
}

// pick chooses an option of a list by its value.
func (p *tab) pick(selector, value string) {
	p.t.Helper()
	if !read[bool](p, fmt.Sprintf(`((e) => { e.value = %s; e.dispatchEvent(new Event('change', { bubbles: true })); return e.value === %[1]s; })(document.querySelector(%s))`, quote(value), quote(selector))) {
		p.t.Fatalf("%s has no option %s", selector, value)
	}
}

// choose gives a file to the field that a selector finds.
func (p *tab) choose(selector, path string) {
	p.t.Helper()
	p.await(selector+" is there, on a page that has loaded", `document.readyState === 'complete' && !!document.querySelector(`+quote(selector)+`)`)
	ctx, cancel := context.WithTimeout(p.ctx, servers.Patience)
	defer cancel()
	for {
		err := chromedp.Do(ctx, chromedp.SetUploadFiles(chromedp.CSS(selector), []string{path}, chromedp.NodeReady))
		if err == nil {
			return
		}
		if !strings.Contains(err.Error(), "Could not find node") { // it found the field of the page before
			p.t.Fatalf("choose a file: %v", err)
		}
	}
}

// press sends keys to what has the focus, as a keyboard does: a key whose keydown is prevented
// types nothing. chromedp's own events type its character all the same.
func (p *tab) press(keys string, modifiers ...kb.Modifier) {
	p.t.Helper()
	for _, r := range keys {
		for _, event := range kb.Encode(r) {
			if event.Type == kb.KeyChar {
				continue
			}
			for _, m := range modifiers {
				event.Modifiers |= int64(m)
			}
			if key := kb.Keys[r]; event.Type == kb.KeyDown && key != nil && key.Print && len(modifiers) == 0 {
				event.Text, event.UnmodifiedText = key.Text, key.Unmodified
			}
			command(p, input.DispatchKeyEvent, *event)
		}
	}
}

// resize sets the width of the page.
func (p *tab) resize(width int64) {
	p.t.Helper()
	height := int64(900)
	if width == phone {
		height = 844
	}
	command(p, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: 1, Mobile: width == phone})
}

// prefer sets the colours that the system prefers: light or dark. Motion is reduced, so that no
// colour is half way.
func (p *tab) prefer(scheme string) {
	p.t.Helper()
	command(p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}})
}

// quote makes a text a literal of JavaScript.
func quote(text string) string {
	literal, _ := json.Marshal(text)
	return string(literal)
}

// pathOf escapes an id for an address.
func pathOf(id string) string { return "/campaigns/" + url.PathEscape(id) }
