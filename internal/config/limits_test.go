package config_test

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"fanfare/internal/config"
)

var bounds = regexp.MustCompile(`, from (\S+) to (\S+)$`)

// TestEveryNumberIsBounded loads each count, size and duration at its upper bound and one beyond it.
func TestEveryNumberIsBounded(t *testing.T) {
	numbers := 0
	for _, key := range config.Describe() {
		var beyond func(bound string) string
		switch {
		case strings.HasPrefix(key.Allowed, "a duration"):
			beyond = func(bound string) string { return bound + "1ns" }
		case strings.HasPrefix(key.Allowed, "a size"):
			beyond = func(bound string) string {
				n, err := strconv.Atoi(strings.TrimSuffix(bound, "MiB"))
				if err != nil {
					t.Fatalf("%s: bound %q: %v", key.Name, bound, err)
				}
				return strconv.Itoa(n<<20 + 1)
			}
		case strings.HasPrefix(key.Allowed, "a whole number"):
			beyond = func(bound string) string {
				n, err := strconv.Atoi(bound)
				if err != nil {
					t.Fatalf("%s: bound %q: %v", key.Name, bound, err)
				}
				return strconv.Itoa(n + 1)
			}
		default:
			continue
		}
		numbers++
		found := bounds.FindStringSubmatch(key.Allowed)
		if found == nil {
			t.Errorf("%s has no upper bound: %s", key.Name, key.Allowed)
			continue
		}
		_, err := load(t, "", nil, []string{key.Env[0] + "=" + beyond(found[2])})
		want := fmt.Sprintf("environment %s: %s: %s is above %s; use %s", key.Env[0], key.Name, beyond(found[2]), found[2], key.Allowed)
		if err == nil || err.Error() != want {
			t.Errorf("%s beyond its bound: got %v, want %s", key.Name, err, want)
		}
		if _, err := load(t, "", nil, []string{key.Env[0] + "=" + found[2]}); err != nil && strings.Contains(err.Error(), "is above") {
			t.Errorf("%s at its bound: %v", key.Name, err)
		}
	}
	if numbers < 40 {
		t.Errorf("only %d settings are numbers", numbers)
	}
}

// TestNumbersBeyondAnyTypeAreRefusedWithTheBound covers what does not fit the machine's integers.
func TestNumbersBeyondAnyTypeAreRefusedWithTheBound(t *testing.T) {
	for _, yaml := range []string{
		"dispatcher: {concurrency: 99999999999999999999}",
		"dispatcher: {concurrency: 1e9}",
		"dispatcher: {concurrency: 1000000000}",
		"dispatcher: {concurrency: -1}",
		"dispatcher: {drain: 99999999h}",
		"queue: {max_element: 99999999999GiB}",
	} {
		_, err := load(t, yaml, nil, nil)
		if err == nil || !strings.Contains(err.Error(), ", from ") {
			t.Errorf("%s: got %v, want the bounds", yaml, err)
		}
	}
	const year = 8760 * time.Hour
	if got := mustLoad(t, "", nil, []string{"FANFARE_CAMPAIGN_RETENTION=8760h"}).Campaign.Retention; got != year {
		t.Errorf("retention at its bound is %s", got)
	}
}
