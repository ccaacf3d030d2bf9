package main

import (
	"fmt"
	"os"

	"fanfare/internal/fcmsim"
)

// readRules reads the file, if there is one; a latency and a quota of their own beat those of the file.
func readRules(file, latency string, quota int) (fcmsim.Rules, error) {
	rules, err := readFile("--rules", file, fcmsim.ParseRules)
	if err != nil {
		return rules, err
	}
	if latency != "" {
		if rules.Latency, err = fcmsim.ParseLatency(latency); err != nil {
			return rules, fmt.Errorf("--latency: %w", err)
		}
	}
	if quota != 0 {
		rules.Quota.PerMinute = quota
	}
	return rules, nil
}

func readTimeline(file string) (fcmsim.Timeline, error) {
	return readFile("--timeline", file, fcmsim.ParseTimeline)
}

// readFile gives the zero value where no file is named.
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
