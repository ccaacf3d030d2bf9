package main

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/spf13/pflag"
)

// addReason adds --reason, whose default is what reason holds. A text that cannot be shown to people in one line is wrong usage.
func addReason(f *pflag.FlagSet, reason *string, usage string) {
	f.Func("reason", usage, func(text string) error {
		*reason = text
		return fitReason(text)
	})
	f.Lookup("reason").DefValue = *reason
}

func fitReason(text string) error {
	const most = 500 // bytes
	switch {
	case strings.TrimSpace(text) == "":
		return errors.New("is empty")
	case len(text) > most:
		return fmt.Errorf("is longer than %d bytes", most)
	case strings.ContainsFunc(text, unicode.IsControl):
		return errors.New("holds a control character")
	}
	return nil
}
