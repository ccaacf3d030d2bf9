package main

import (
	"os/exec"
	"testing"
)

// What is printed to be typed is held against a shell.
func TestWordIsReadByAShell(t *testing.T) {
	for _, id := range []string{"42", "a b", "it's", "$HOME", "a\tb", "a\x01'b", `back\slash`, `"quoted"`, "\"\x02\"", "ngày", "{x}", "*", "-"} {
		out, err := exec.CommandContext(t.Context(), "bash", "-c", "printf %s "+word(id)).Output()
		if err != nil || string(out) != id {
			t.Errorf("%q is written %s, and read as %q (%v)", id, word(id), out, err)
		}
	}
	if got := word("summer-2030:a"); got != "summer-2030:a" {
		t.Errorf("a plain id is written %s", got)
	}
}
