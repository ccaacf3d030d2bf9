package config

import (
	"cmp"
	"net"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// normalise checks the kinds of text, and brings their words into one spelling.
func (k Key) normalise(text string) (string, error) {
	switch {
	case len(k.oneof) > 0:
		text = strings.ToLower(text)
		if !slices.Contains(k.oneof, text) {
			return text, errForm
		}
	case k.typ == reflect.TypeFor[URL]():
		return text, k.checkURL(text)
	case k.file != "":
		if content := contentOf(text); content != "" {
			return "", &pastedError{content}
		}
	case k.typ == reflect.TypeFor[Address]():
		return parseAddress(text)
	case k.typ == reflect.TypeFor[Statement]():
		return cmp.Or(text, statementDefault), nil
	case k.min != "" && text == "":
		return text, errForm
	}
	return text, nil
}

// checkURL never passes the parser's error on: it quotes the address, password and all. A URL without listed schemes is left
// to the room that reads it, which knows what can be wrong with it.
func (k Key) checkURL(text string) error {
	if text == "" || len(k.schemes) == 0 {
		return nil
	}
	scheme, _, _ := strings.Cut(text, ":")
	if character, found := troubleIn(text); found && scheme != unixScheme {
		return &urlError{character, passwordSettings[k.Name]}
	}
	parsed, err := url.Parse(text)
	if err != nil || !slices.Contains(k.schemes, parsed.Scheme) {
		return errForm
	}
	if parsed.Opaque == "" && parsed.Host == "" && parsed.Path == "" {
		return errForm
	}
	return nil
}

func parseAddress(text string) (string, error) {
	if text == "" || text == addressOff {
		return "", nil
	}
	_, port, err := net.SplitHostPort(text)
	if err != nil {
		return text, errForm
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return text, errForm
	}
	return text, nil
}
