package campaign

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// page is docs/states.md. Its table is for people, and the one in Go is for the scripts.
func page(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/states.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestThePageHasTheTable(t *testing.T) {
	words := regexp.MustCompile("`[a-z]+`")
	rows := regexp.MustCompile("(?m)^\\| `([a-z]+)` \\| ([`a-z –]+) \\|$").FindAllStringSubmatch(page(t), -1)
	if len(rows) != len(States) {
		t.Fatalf("the page has %d rows of states, want %d", len(rows), len(States))
	}
	for i, row := range rows {
		var next []State
		for _, word := range words.FindAllString(row[2], -1) {
			next = append(next, State(strings.Trim(word, "`")))
		}
		if State(row[1]) != States[i] || !slices.Equal(next, transitions[States[i]]) {
			t.Errorf("the page has %s → %v, Go has %s → %v", row[1], next, States[i], transitions[States[i]])
		}
	}
}

func TestThePictureHasTheTable(t *testing.T) {
	var drawn, held []string
	for _, arrow := range regexp.MustCompile(`(?m)^ +([a-z]+) --> ([a-z]+):`).FindAllStringSubmatch(page(t), -1) {
		drawn = append(drawn, arrow[1]+" → "+arrow[2])
	}
	for from, next := range transitions {
		for _, to := range next {
			held = append(held, fmt.Sprintf("%s → %s", from, to))
		}
	}
	slices.Sort(drawn)
	slices.Sort(held)
	if !slices.Equal(drawn, held) {
		t.Errorf("the picture has\n%v\nGo has\n%v", drawn, held)
	}
}

func TestTheTableIsWhole(t *testing.T) {
	if len(transitions) != len(States) {
		t.Fatalf("%d states have a row, want %d", len(transitions), len(States))
	}
	for _, from := range States {
		for _, to := range States {
			follows := slices.Contains(from.Next(), to)
			if precedes := slices.Contains(to.predecessors(), from); follows != precedes {
				t.Errorf("%s → %s: follows %v, precedes %v", from, to, follows, precedes)
			}
			if follows && from == to {
				t.Errorf("%s follows itself", from)
			}
		}
		if from.IsFinal() && !from.HasEnded() {
			t.Errorf("%s is final and not an end", from)
		}
		if from != Draft && len(from.predecessors()) == 0 {
			t.Errorf("nothing leads to %s", from)
		}
	}
	if State("nonsense").IsFinal() || State("").IsFinal() {
		t.Error("a state that does not exist is final")
	}
}
