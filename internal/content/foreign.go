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
	url_encode url_decode newline_to_br titleize titlecase strip abs ceil floor uniq sort_natural json base64_encode
	base64_decode md5 sha1 sha256 url_escape url_param_escape money_with_currency money_without_currency`)

// spacedFilters are filters of Liquid that could be defaults. They count as filters where they are
// written as such, with a space before them.
var spacedFilters = strings.Fields(`first last size round money reverse compact sort join`)

var liquidArgument = regexp.MustCompile(`^(default|append|prepend|truncate|truncatewords|date|replace|replace_first|remove|` +
	`remove_first|split|join|plus|minus|times|divided_by|modulo|round|slice|map|sort|where|at_least|at_most|pluralize)\s*:|^\w+\s*:\s*["']`)

// call is how Jinja, Twig and Go give a filter its arguments: default('friend'), default "friend".
var call = regexp.MustCompile(`^\w+\s*\(\s*(["'].*)?\)|^default\s*\(|^\w+\s+["']`)

// foreignNames are what other languages have in the place of a name: quoted texts, an index, a
// call, a path, and operators. Columns of a spreadsheet have none of it.
var foreignNames = regexp.MustCompile(`"|(^|\W)'[^']*'|\w[\[(]|^\.[A-Z.]|\?\?|\s\?\s|^(if|unless|range|with|each)\s`)

// refuseForeignForm refuses the inside of {{…}} that another language means.
func refuseForeignForm(p *placeholder, inside string) error {
	switch {
	case strings.IndexFunc(p.name, func(r rune) bool { return strings.ContainsRune(handlebarsMarks, r) }) == 0,
		p.name == "else", strings.HasPrefix(p.name, "else "), strings.HasSuffix(p.name, "~"):
		return fmt.Errorf("has %q, a form of Handlebars, which is not supported; write {{name}} or {{name|default}}", "{{"+inside+"}}")
	case foreignNames.MatchString(p.name), strings.HasPrefix(p.fallback, "|"), call.MatchString(p.fallback):
		return fmt.Errorf("has %q, a form of another template language, which is not supported; write {{name}} or {{name|default}}", "{{"+inside+"}}")
	case isLiquidFilter(p.fallback), isSpacedFilter(inside):
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

// isSpacedFilter reports whether the inside is a name and a filter that could be a default.
func isSpacedFilter(inside string) bool {
	_, after, _ := strings.Cut(inside, "|")
	return strings.HasPrefix(after, " ") && slices.Contains(spacedFilters, strings.TrimSpace(after))
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
