package main

import (
	"io"
	"testing"

	"fanfare/internal/config"
)

// config.yaml promises a flag for every key but the secret ones; in the help they would drown the command's own.
func TestEverySettingHasAHiddenFlag(t *testing.T) {
	flags := newRoot(io.Discard, io.Discard).PersistentFlags()
	for _, key := range config.Describe() {
		if flag := flags.Lookup(key.Name); !key.Secret && (flag == nil || !flag.Hidden) {
			t.Errorf("%s: its flag is %+v, want a hidden one", key.Name, flag)
		}
	}
}
