package browser

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"

	"github.com/chromedp/chromedp"
)

// axe reads axe-core, which make test installs from its lock file.
var axe = sync.OnceValues(func() (string, error) {
	source, err := os.ReadFile("node/node_modules/axe-core/axe.min.js")
	if err != nil {
		return "", fmt.Errorf("%w; type: npm ci --prefix test/browser/node --ignore-scripts", err)
	}
	return string(source), nil
})

// violation is a rule of axe that a page breaks, with the elements that do.
type violation struct {
	ID, Help string
	Nodes    []struct {
		HTML           string
		FailureSummary string
	}
}

// judge fails the test for what axe finds against WCAG 2.2 A and AA and its best practices.
func (p *tab) judge(what string) {
	p.t.Helper()
	source, err := axe()
	if err != nil {
		p.t.Fatal(err)
	}
	p.await("nothing moves", `document.getAnimations().length === 0`)
	if !read[bool](p, `typeof axe === 'object'`) {
		read[chromedp.Void](p, source)
	}
	found := read[string](p, `axe.run(document, { resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })
		.then((r) => JSON.stringify(r.passes.length ? r.violations : [{ id: 'axe', help: 'axe looked at nothing' }]))`)
	var violations []violation
	if err := json.Unmarshal([]byte(found), &violations); err != nil {
		p.t.Fatalf("read what axe found: %v in %.300s", err, found)
	}
	for _, v := range violations {
		var elements []string
		for _, n := range v.Nodes {
			elements = append(elements, fmt.Sprintf("%.300s: %s", n.HTML, strings.Join(strings.Fields(n.FailureSummary), " ")))
		}
		p.t.Errorf("%s: axe says %s: %s\n  %s", what, v.ID, v.Help, strings.Join(elements[:min(3, len(elements))], "\n  "))
	}
}

// judgeAll judges the page in light and dark, on a desk, a small one and a phone. It must not be
// wider than any of these.
func (p *tab) judgeAll(page string) {
	p.t.Helper()
	for _, width := range []int64{wide, rail, phone} {
		p.resize(width)
		if over := read[int](p, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
			p.t.Errorf("%s is %d pixels wider than a screen of %d", page, over, width)
		}
		for _, scheme := range []string{"light", "dark"} {
			p.prefer(scheme)
			p.judge(fmt.Sprintf("%s, %d wide, %s", page, width, scheme))
		}
	}
	for _, width := range []int64{railLeast, rail, railMost} {
		p.resize(width)
		if cut := read[string](p, cutTexts); cut != "" {
			p.t.Errorf("%s, %d wide, cuts off: %s", page, width, cut)
		}
	}
	p.resize(wide)
}

// cutTexts are the texts of a page that do not fit, but for names, which may have any length.
const cutTexts = `[...document.querySelectorAll('main *, dialog[open] *')].filter((e) => e.clientWidth > 1 && e.scrollWidth > e.clientWidth + 1
	&& ['hidden', 'clip'].includes(getComputedStyle(e).overflowX) && getComputedStyle(e).clipPath === 'none' && !e.matches('.cut, .plot, svg'))
	.map((e) => e.textContent.trim().slice(0, 60)).join('; ')`
