package caps

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"":        "[]",
		" , ":     `"" is no cap`,
		"4 in 2d": "[4 in 2d]",

		"4 in 2 days, 10 in 2 weeks":     "[4 in 2d 10 in 2w]",
		"1 in 1 hour,2 in 1day,9 in 1 W": "[1 in 1h 2 in 1d 9 in 1w]",
		"4 in 2 fortnights":              `"4 in 2 fortnights" has the window 2fortnights`,
		"4 in 2 days hours":              "is no cap",
		" 10 in 2w ,4  in 48h":           "[4 in 2d 10 in 2w]",
		"1 in 1h, 3 in 36h":              "[1 in 1h 3 in 36h]",
		"100 in 30d":                     "[100 in 30d]",
		"0 in 2d":                        `"0 in 2d" has the count 0, want 1 to 100; suppress users who must get no push`,
		"-1 in 2d":                       "has the count -1",
		"101 in 2d":                      "has the count 101",
		"4 per 2d":                       `"4 per 2d" is no cap: write it as a count and a window, such as 4 in 2d`,
		"4 in 2":                         "has the window 2, want 1h to 30d",
		"4 in 30m":                       "has the window 30m",
		"4 in 0d":                        "has the window 0d",
		"4 in 31d":                       "has the window 31d",
		"4 in 99999999999w":              "has the window",
		"4 in 281474976710657w":          "has the window", // in nanoseconds, a week more than 64 bits hold
		"4 in 721h":                      "has the window",
		"4 in 720h":                      "[4 in 30d]",
		"4 in d":                         "has the window d",
		"4 in 1.5d":                      "has the window 1.5d",
		"4 in 2d, 5 in 48h":              "4 in 2d and 5 in 2d have the same window: keep one",
		"4 in 2d, 28 in 2w":              "28 in 2w can never be reached beside 4 in 2d",
		"4 in 2d, 27 in 2w":              "[4 in 2d 27 in 2w]",
		"4 in 2d, 4 in 2w":               "4 in 2d can never be reached beside 4 in 2w",
		"4 in 2d, 3 in 2w":               "4 in 2d can never be reached beside 3 in 2w",
		"2 in 2d, 4 in 3d":               "4 in 3d can never be reached beside 2 in 2d",
		"2 in 1d,":                       `"" is no cap`,
	} {
		caps, err := Parse(text)
		got := fmt.Sprint(caps)
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, want) {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

func ExampleParse() {
	caps, err := Parse("10 in 2w, 4 in 48h")
	fmt.Println(caps, err)
	// Output: [4 in 2d 10 in 2w] <nil>
}

// An entry has 12 bits for its time, so it can lie this far from the base of its bucket.
func TestLongestWindowFits(t *testing.T) {
	if spare := 4095 - unitsOf(MaxWindow); time.Duration(spare)*unit < 7*24*time.Hour {
		t.Errorf("a bucket must be rebuilt every %s, want seldom", time.Duration(spare)*unit)
	}
}
