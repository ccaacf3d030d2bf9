package content_test

import (
	"errors"
	"strings"
	"testing"

	"fanfare/internal/content"
	"fanfare/internal/notification"
)

// Forms of Liquid and Handlebars are refused with our spelling, because devices would show them.
func TestForeignFormsAreRefused(t *testing.T) {
	for text, says := range map[string]string{
		"Hello {{ name | default: 'friend' }}":  "{{name|friend}}",
		`{{name|default:"you"}}`:                "{{name|you}}",
		"{{ name | upcase }}":                   "{{name|x}}",
		"{{ name | strip_html | truncate: 5 }}": "{{name|x}}",
		"{{#if vip}}Hi{{/if}}":                  "{{name|default}}",
		"{{/if}}":                               "{{name|default}}",
		"{{else}}":                              "{{name|default}}",
		"{{else if x}}":                         "{{name|default}}",
		"{{> footer}}":                          "{{name|default}}",
		"{{^x}}":                                "{{name|default}}",
		"{{! remark }}":                         "{{name|default}}",
		"{{~name~}}":                            "{{name|default}}",
		"{{- name -}}":                          "{{name|default}}",
		"{{{name}}}":                            "{{name|default}}",
		"{% if vip %}Hi{% endif %}":             "{{name|default}}",
		"{{name":                                "not closed",
		"{{name|{{other}}}}":                    "default contains a brace",
		"{{ name | default('friend') }}":        "{{name|default}}",
		`{{ name|default("friend", true) }}`:    "{{name|default}}",
		"{{ name|default(other) }}":             "{{name|default}}",
		"{{ name | upper() }}":                  "{{name|default}}",
		"{{ name | default 'friend' }}":         "{{name|default}}",
		"{{ name || 'friend' }}":                "{{name|default}}",
		"{{ name || other }}":                   "{{name|default}}",
		"{{ name ?? 'friend' }}":                "{{name|default}}",
		"{{ name ?? other }}":                   "{{name|default}}",
		"{{ vip ? a : b }}":                     "{{name|default}}",
		"{{ name or 'friend' }}":                "{{name|default}}",
		"{{ 'name' | upcase }}":                 "{{name|default}}",
		"{{user['name']}}":                      "{{name|default}}",
		"{{items[0]}}":                          "{{name|default}}",
		"{{name()}}":                            "{{name|default}}",
		"{{../name}}":                           "{{name|default}}",
		"{{.Name}}":                             "{{name|default}}",
		"{{if vip}}Hi{{end}}":                   "{{name|default}}",
		`{{formatDate at "short"}}`:             "{{name|default}}",
		"{{defaultIfEmpty name 'x'}}":           "{{name|default}}",
		"{{ price | currency: 'USD' }}":         "{{price|x}}",
		"{{ name | default : 'x' }}":            "{{name|x}}",
		"{{ name | remove_last: 'x' }}":         "{{name|x}}",
		"{{ name | strip }}":                    "{{name|x}}",
		"{{ price | round }}":                   "{{price|x}}",
		"{{ items | first }}":                   "{{items|x}}",
		"{{ items | sort_natural }}":            "{{items|x}}",
	} {
		_, err := content.Compile(notification.Message(in(text)))
		if fault, is := errors.AsType[*notification.Fault](err); !is || fault.Field != "message.notification.body" || !strings.Contains(fault.Problem, says) {
			t.Errorf("%s: %v, want %s", text, err, says)
		}
	}
	if _, err := content.Compile([]byte(`{"android":{"notification":{"color":"{%red"}}}`)); err == nil {
		t.Error("an open {% lets a color pass unchecked")
	}
	for _, text := range []string{"100 {% off", "50%} {x}", "{{when|at: nine}}", "{{who|first}}", "{{a b|c}}", "{{who|else}}", "{{user's name}}",
		"{{n|item(s)}}", "{{price (USD)|5}}", "{{VIP?|no}}", "{{name|default}}", "{{when|7:30}}"} {
		compile(t, in(text))
	}
}
