package campaign

import "testing"

// Every character at the edge of a range is accepted, and its neighbour outside is not.
func TestProjectIDs(t *testing.T) {
	const valid, invalid = "azAZ09-_.:", "`{@[/;,~ \nä"
	for _, r := range valid {
		if _, err := ParseProject("p" + string(r)); err != nil {
			t.Errorf("%q: %v", r, err)
		}
	}
	for _, r := range invalid {
		if project, err := ParseProject("p" + string(r)); err == nil || project != "" {
			t.Errorf("%q is accepted", r)
		}
	}
}

func TestSeparators(t *testing.T) {
	for text, want := range map[string]rune{
		",": ',', ";": ';', "|": '|', "tab": '\t', `\t`: '\t', "\t": '\t', "§": '§',
		"": 0, ",,": 0, "\"": 0, "\n": 0, "\r": 0, "\xff": 0,
	} {
		got, err := ParseSeparator(text)
		if got != want || (err == nil) != (want != 0) {
			t.Errorf("%q: %q, %v, want %q", text, got, err, want)
		}
	}
}
