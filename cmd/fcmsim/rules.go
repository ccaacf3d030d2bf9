package main

import (
	"fmt"
	"os"

	"fanfare/fcmsim"
)

// readRules reads the file, if there is one. Flags override it.
func readRules(file string, f flagRules) (fcmsim.Rules, error) {
	rules, err := readFile("--rules", file, fcmsim.ParseRules)
	if !f.latency.IsZero() {
		rules.Latency = f.latency
	}
	if f.quota != 0 {
		rules.Quota.PerMinute = f.quota
	}
	return rules, err
}

// readTimeline reads the file, if there is one. Flags apply to the steps that do not set them.
func readTimeline(file string, f flagRules) (fcmsim.Timeline, error) {
	timeline, err := readFile("--timeline", file, fcmsim.ParseTimeline)
	for i := range timeline.Steps {
		rules := &timeline.Steps[i].Rules
		if rules.Latency.IsZero() {
			rules.Latency = f.latency
		}
		if rules.Quota.PerMinute == 0 {
			rules.Quota.PerMinute = f.quota
		}
	}
	return timeline, err
}

// flagRules are the rules that have their own flags. The zero value sets none.
type flagRules struct {
	latency fcmsim.Latency
	quota   int
}

func newFlagRules(latency string, quota int) (flagRules, error) {
	parsed, err := fcmsim.ParseLatency(latency)
	if err != nil {
		return flagRules{}, fmt.Errorf("--latency: %w", err)
	}
	return flagRules{parsed, quota}, nil
}

// readFile returns the zero value if no file is named.
func readFile[T any](flag, file string, parse func([]byte) (T, error)) (T, error) {
	var value T
	if file == "" {
		return value, nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return value, fmt.Errorf("%s: %w", flag, err)
	}
	if value, err = parse(data); err != nil {
		return value, fmt.Errorf("%s %s: %w", flag, file, err)
	}
	return value, nil
}
