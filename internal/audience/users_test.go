package audience

import (
	"errors"
	"strings"
	"testing"

	"fanfare/internal/campaign"
)

// A file of users is what its first line says: an audience, or ids as they stand.
func TestFilesOfUsers(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", campaign.MaxUserID+1)
	const u1, u2 = `{"userId":"u1"}`, `{"userId":"u2"}`
	for name, c := range map[string]struct{ text, want string }{
		"ids":                    {"u1\n\n \"u2\" \r\n\"\"\n", lines(u1, u2)},
		"one id":                 {"u1", u1},
		"an id of letters":       {"ann\nu2", lines(`{"userId":"ann"}`, u2)},
		"an id named as columns": {"user7\nu2", lines(`{"userId":"user7"}`, u2)},
		"an id with a bar":       {"auth0|7\nu2", lines(`{"userId":"auth0|7"}`, u2)},
		"no ids":                 {"\n \n", ""},
		"a header alone":         {"User_ID\nu1\nu2", lines(u1, u2)},
		"one in quotes":          {"\"userId\"\nu1", u1},
		"columns":                {"city;userId\nHue;u1", `{"userId":"u1","vars":{"city":"Hue"}}`},
		"NDJSON":                 {u1 + "\n" + u2, lines(u1, u2)},
		"an array":               {"[" + u1 + "," + u2 + "]", lines(u1, u2)},
		"UTF-16 and gzip":        {gzipped(utf16("\ufeffu1\r\nu2", false)), lines(u1, u2)},
		"several columns":        {"u1\nu2;Hue\nu2", lines(u1, "line 2: holds several columns: name them in the first line, and that of the users userId", u2)},
		"Latin-1":                {"u1\n\nMalm\xf6\nu2", lines(u1, "line 3: userId is not valid UTF-8", u2)},
		"a long id":              {long + "\nu2", lines("line 1: userId is longer than 512 bytes", u2)},
		"a rounded id":           {"1.23457E+14\nu2", lines("line 1: userId 1.23457E+14 was rounded by a spreadsheet: format its column as text, and export it again", u2)},
		"a line without an end":  {"u1\n" + strings.Repeat("x", 3*readAhead) + "\nu2", lines(u1, "line 2: userId is longer than 512 bytes", u2)},
		"one that ends the file": {"u1\n" + strings.Repeat("x", 3*readAhead), lines(u1, "line 2: userId is longer than 512 bytes")},
	} {
		rows, err := OpenUsers(strings.NewReader(c.text), 1000)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := transcript(rows)
		if got != c.want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, c.want)
		}
	}
}

// A file that has no user ids is refused as a whole.
func TestWhatIsNoFileOfUsers(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"id\nu1":              `"id", is called userId; column 1, "id", is probably it: call it userId`,
		"\"external_id\"\nu1": `is probably it: call it userId`,
		"name,city\nAnn,Hue":  `"name,city", is called userId`,
		"PK\x03\x04":          "a ZIP archive or an Excel workbook",
		"\xff\xfe\x00\x00u":   "it is UTF-32: save it as UTF-8",
	} {
		_, err := OpenUsers(strings.NewReader(text), 1000)
		if _, file := errors.AsType[*FileError](err); !file || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
}
