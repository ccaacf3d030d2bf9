package content

import (
	"fmt"
	"sync"

	"golang.org/x/text/language"
)

// languages finds the text for a locale. Text 0 is the base.
type languages struct {
	names   []string // as the campaign spells them
	matcher language.Matcher

	mu    *sync.Mutex
	known map[string]int // locales that were asked for
}

// maxKnown limits the locales that are remembered: producers may write any text.
const maxKnown = 1000

func newLanguages(names []string, tags []language.Tag) languages {
	return languages{
		names: names, matcher: language.NewMatcher(append([]language.Tag{language.Und}, tags...)),
		mu: new(sync.Mutex), known: map[string]int{},
	}
}

// name returns the language of a text, "" for the base.
func (l *languages) name(text int) string {
	if text == 0 {
		return ""
	}
	return l.names[text-1]
}

// find returns the text for the first valid locale: pt for pt-BR. It is the base if no language is
// close enough.
func (l *languages) find(locales []string) int {
	if len(l.names) == 0 {
		return 0
	}
	for _, locale := range locales {
		if locale == "" {
			continue
		}
		if text, valid := l.lookUp(locale); valid {
			return text
		}
	}
	return 0
}

func (l *languages) lookUp(locale string) (text int, valid bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	text, found := l.known[locale]
	if !found {
		text = l.match(locale)
		if len(l.known) < maxKnown {
			l.known[locale] = text
		}
	}
	return max(text, 0), text >= 0
}

// LocaleProblem says why a text names no language; "" for one that does, and for none.
func LocaleProblem(locale string) string {
	if _, ok := parseLocale(locale); ok || locale == "" {
		return ""
	}
	return fmt.Sprintf("locale %.40q is no language; write a BCP 47 tag such as pt or pt-BR", locale)
}

func parseLocale(text string) (tag language.Tag, ok bool) {
	tag, err := language.Parse(text)
	return tag, err == nil && tag != language.Und
}

// match returns -1 for a text that is no locale.
func (l *languages) match(locale string) int {
	tag, ok := parseLocale(locale)
	if !ok {
		return -1
	}
	_, text, confidence := l.matcher.Match(tag)
	if confidence < language.High { // a related language is another language
		return 0
	}
	return text
}
