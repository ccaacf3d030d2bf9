package config

import (
	"slices"
	"strings"
)

// nearest names the known key that an unknown one was probably meant to be, or nothing.
func nearest(name string, known map[string]bool) string {
	const tooFar = 4
	best, distance := "", min(tooFar, len(name)/2+1)
	for candidate := range known {
		candidate = strings.TrimSuffix(candidate, ".")
		d := edits(name, candidate)
		if d < distance || d == distance && best != "" && candidate < best {
			best, distance = candidate, d
		}
	}
	if best == "" {
		return ""
	}
	return best + "?"
}

// edits is the Levenshtein distance of two short texts.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		above := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := above
			if a[i] != b[j] {
				change++
			}
			above = row[j+1]
			row[j+1] = slices.Min([]int{change, above + 1, row[j] + 1})
		}
	}
	return row[len(b)]
}
