package content

import (
	"fmt"
	"strings"
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
	text, _ := l.findFirst(locales)
	return text
}

// areKnown reports whether one of the locales names a language.
func (l *languages) areKnown(locales ...string) bool {
	_, valid := l.findFirst(locales)
	return valid
}

func (l *languages) findFirst(locales []string) (text int, valid bool) {
	if len(l.names) == 0 {
		return 0, false
	}
	for _, locale := range locales {
		if locale == "" {
			continue
		}
		if text, valid := l.lookUp(locale); valid {
			return text, true
		}
	}
	return 0, false
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
	if _, ok := parseLocale(tidyLocale(locale)); ok || locale == "" {
		return ""
	}
	return fmt.Sprintf("locale %.40q is no language; write a BCP 47 tag such as pt or pt-BR", locale)
}

func parseLocale(text string) (tag language.Tag, ok bool) {
	tag, err := language.Parse(text)
	return tag, err == nil && tag != language.Und
}

// tidyLocale writes the locales of operating systems as BCP 47 tags. POSIX adds an encoding, as in
// pt_BR.UTF-8. Java has the script last, as in zh_TW_#Hant.
func tidyLocale(text string) string {
	text = strings.TrimSpace(text)
	if end := strings.IndexAny(text, ".@"); end >= 0 {
		text = text[:end]
	}
	base, script, isJava := strings.Cut(text, "_#")
	if !isJava {
		return text
	}
	const scriptLength = 4 // as in Hant
	if len(script) < scriptLength {
		return base
	}
	name, region, _ := strings.Cut(base, "_")
	return strings.TrimRight(name+"-"+script[:scriptLength]+"-"+region, "-_")
}

// match returns -1 for a text that is no locale.
func (l *languages) match(locale string) int {
	tag, ok := parseLocale(tidyLocale(locale))
	if !ok {
		return -1
	}
	_, text, confidence := l.matcher.Match(tag)
	if confidence < language.High { // a related language is another language
		return 0
	}
	return text
}
