package content

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Messages that were written for Liquid or Handlebars have forms that are not filled in here. They
// are refused, because devices would show them.

var liquidTag = regexp.MustCompile(`(?s)\{%.*?%\}`)

// refuseForeignTags refuses what can stand outside of {{…}}.
func refuseForeignTags(text string) error {
	if tag := liquidTag.FindString(text); tag != "" {
		return fmt.Errorf("has a Liquid tag, %q, which is not supported; write {{name}} or {{name|default}}", tag)
	}
	if at := strings.Index(text, "{{{"); at >= 0 {
		return fmt.Errorf("has three braces, %q; write {{name}} or {{name|default}}", clip(text[at:]))
	}
	return nil
}

// handlebarsMarks begin a block, a partial, a comment or unescaped text of Handlebars. ~ removes
// white space, as - does in Liquid.
const handlebarsMarks = "#/>^!&~-@*="

// liquidFilters are filters of Liquid whose names no one would write as a default.
var liquidFilters = strings.Fields(`upcase downcase capitalize escape escape_once lstrip rstrip strip_html strip_newlines
	url_encode url_decode newline_to_br titleize`)

var liquidArgument = regexp.MustCompile(`^(default|append|prepend|truncate|truncatewords|date|replace|replace_first|remove|` +
	`remove_first|split|join|plus|minus|times|divided_by|modulo|round|slice|map|sort|where|at_least|at_most|pluralize)\s*:`)

// refuseForeignForm refuses the inside of {{…}} that another language means.
func refuseForeignForm(p *placeholder, inside string) error {
	switch {
	case strings.IndexFunc(p.name, func(r rune) bool { return strings.ContainsRune(handlebarsMarks, r) }) == 0,
		p.name == "else", strings.HasPrefix(p.name, "else "), strings.HasSuffix(p.name, "~"):
		return fmt.Errorf("has %q, a form of Handlebars, which is not supported; write {{name}} or {{name|default}}", "{{"+inside+"}}")
	case isLiquidFilter(p.fallback):
		return fmt.Errorf("has %q, a filter of Liquid, which is not supported; for a default write {{%s|%s}}", "{{"+inside+"}}", p.name, liquidDefault(p.fallback))
	}
	return nil
}

func isLiquidFilter(fallback string) bool {
	for part := range strings.SplitSeq(fallback, "|") {
		part = strings.TrimSpace(part)
		if slices.Contains(liquidFilters, part) || liquidArgument.MatchString(part) {
			return true
		}
	}
	return false
}

var quotedArgument = regexp.MustCompile(`^default\s*:\s*["'](.*?)["']`)

// liquidDefault returns the default that a Liquid filter names, or an example.
func liquidDefault(fallback string) string {
	if found := quotedArgument.FindStringSubmatch(fallback); found != nil {
		return found[1]
	}
	return "x"
}

// clip shortens a text for an error.
func clip(text string) string {
	const most = 40
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}
