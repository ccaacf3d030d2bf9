package caps

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The bounds of a cap. A window of a month fits into the 12 bits of an entry's time.
const (
	MaxCount  = 100
	MinWindow = time.Hour
	MaxWindow = 30 * 24 * time.Hour
)

// Cap limits how many pushes a user gets within any window of time.
type Cap struct {
	Count  int
	Window time.Duration
}

// String returns the cap as Parse reads it, such as "4 in 2d".
func (c Cap) String() string { return fmt.Sprintf("%d in %s", c.Count, formatWindow(c.Window)) }

// windowUnits are the letters of a window, the longest first.
var windowUnits = []struct {
	letter string
	length time.Duration
}{{"w", 7 * 24 * time.Hour}, {"d", 24 * time.Hour}, {"h", time.Hour}}

func formatWindow(window time.Duration) string {
	for _, u := range windowUnits {
		if window%u.length == 0 {
			return strconv.FormatInt(int64(window/u.length), 10) + u.letter
		}
	}
	return window.String()
}

// Parse reads caps such as "4 in 2d, 10 in 2w" or "4 in 2 days, 10 in 2 weeks"; "" has none. They
// are returned with the longest window last. A cap that can never bind beside the others is an
// error, because it is a mistake.
func Parse(text string) ([]Cap, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	var all []Cap
	for part := range strings.SplitSeq(text, ",") {
		c, err := parseCap(part)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	slices.SortStableFunc(all, func(a, b Cap) int { return int((a.Window - b.Window) / time.Hour) })
	for i, short := range all {
		for _, long := range all[i+1:] {
			if err := checkPair(short, long); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

func parseCap(text string) (Cap, error) {
	words := joinWindow(strings.Fields(text))
	if len(words) != 3 || words[1] != "in" {
		return Cap{}, fmt.Errorf("%q is no cap: write it as a count and a window, such as 4 in 2d", strings.TrimSpace(text))
	}
	count, err := strconv.Atoi(words[0])
	if err != nil || count < 1 || count > MaxCount {
		return Cap{}, fmt.Errorf("%q has the count %s, want 1 to %d; suppress users who must get no push: fanfare suppress add",
			strings.TrimSpace(text), words[0], MaxCount)
	}
	window, ok := parseWindow(strings.ToLower(words[2]))
	if !ok || window < MinWindow || window > MaxWindow {
		return Cap{}, fmt.Errorf("%q has the window %s, want %s to %s in hours, days or weeks, such as 36h, 2d or 2w",
			strings.TrimSpace(text), words[2], formatWindow(MinWindow), formatWindow(MaxWindow))
	}
	return Cap{Count: count, Window: window}, nil
}

// joinWindow makes one word of a window that is written as two, such as 2 days.
func joinWindow(words []string) []string {
	if len(words) != 4 {
		return words
	}
	return []string{words[0], words[1], words[2] + words[3]}
}

// windowWords are windows written out, each with its letter.
var windowWords = strings.NewReplacer("hours", "h", "hour", "h", "days", "d", "day", "d", "weeks", "w", "week", "w")

func parseWindow(text string) (time.Duration, bool) {
	text = windowWords.Replace(text)
	for _, u := range windowUnits {
		if digits, found := strings.CutSuffix(text, u.letter); found {
			n, err := strconv.Atoi(digits)
			return time.Duration(n) * u.length, err == nil && n > 0 && n <= int(MaxWindow/time.Hour)
		}
	}
	return 0, false
}

// checkPair rejects two caps of which one can never bind. The first has the shorter window.
func checkPair(short, long Cap) error {
	windows := int((long.Window + short.Window - 1) / short.Window)
	switch {
	case short.Window == long.Window:
		return fmt.Errorf("%s and %s have the same window: keep one", short, long)
	case long.Count <= short.Count:
		return fmt.Errorf("%s can never be reached beside %s: remove it, or lower its count", short, long)
	case long.Count >= short.Count*windows:
		return fmt.Errorf("%s can never be reached beside %s: remove it, or lower its count", long, short)
	}
	return nil
}
