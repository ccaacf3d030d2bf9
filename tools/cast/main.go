// Command cast records a command in a terminal and writes an animated SVG of what it printed. "make
// cast" calls it.
//
// The terminal is that of script(1) of util-linux.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const columns = 80

func main() {
	out := flag.String("o", "docs/demo.svg", "the `file` to write")
	shown := flag.String("shown", "", "the `command` to show at the prompt; empty: the one that is run")
	flag.Parse()
	if err := run(*out, *shown, strings.Join(flag.Args(), " ")); err != nil {
		fmt.Fprintln(os.Stderr, "cast:", err)
		os.Exit(1)
	}
}

func run(out, shown, command string) error {
	if command == "" {
		return fmt.Errorf("name the command to record")
	}
	if shown == "" {
		shown = command
	}
	chunks, err := record(command)
	if err != nil {
		return err
	}
	return os.WriteFile(out, draw(shown, play(chunks)), 0o644)
}

// chunk is what a command wrote at once, and when.
type chunk struct {
	at   time.Duration
	text []byte
}

// record runs a command in a terminal of its own and copies its output to ours.
func record(command string) ([]chunk, error) {
	dir, err := os.MkdirTemp("", "cast-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	typescript, timing := filepath.Join(dir, "typescript"), filepath.Join(dir, "timing")
	script := exec.Command("script", "--quiet", "--return", "--logging-format", "classic",
		"--log-timing", timing, "--log-out", typescript,
		"--command", fmt.Sprintf("stty cols %d rows 40 && %s", columns, command))
	script.Stdout, script.Stderr = os.Stdout, os.Stderr
	if err := script.Run(); err != nil {
		return nil, fmt.Errorf("record %q: %w", command, err)
	}
	text, err := os.ReadFile(typescript)
	if err != nil {
		return nil, err
	}
	times, err := os.ReadFile(timing)
	if err != nil {
		return nil, err
	}
	_, text, _ = bytes.Cut(text, []byte("\n")) // script's own first line
	return split(text, string(times))
}

// maxPause is the longest pause that is shown: go run compiles before the command prints anything.
const maxPause = 800 * time.Millisecond

// split cuts a typescript by its timing file, which has a delay in seconds and a number of bytes on
// each line.
func split(text []byte, times string) ([]chunk, error) {
	var chunks []chunk
	var at time.Duration
	for line := range strings.Lines(times) {
		fields := strings.Fields(line)
		if len(fields) != 2 {
			return nil, fmt.Errorf("read timing %q: want a delay and a size", line)
		}
		delay, err := strconv.ParseFloat(fields[0], 64)
		if err != nil {
			return nil, fmt.Errorf("read timing %q: %w", line, err)
		}
		size, err := strconv.Atoi(fields[1])
		if err != nil || size < 0 || size > len(text) {
			return nil, fmt.Errorf("read timing %q: there are %d bytes", line, len(text))
		}
		at += min(time.Duration(delay*float64(time.Second)), maxPause)
		chunks = append(chunks, chunk{at: at, text: text[:size]})
		text = text[size:]
	}
	return chunks, nil
}
