// Command chart draws what make bench-peers measured, and writes the figures into the pages that
// quote them. It changes only what is between a page's markers:
//
//	<!-- peers -->…<!-- /peers -->
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	root := flag.String("root", "..", "`directory` of the repository")
	flag.Parse()
	if err := run(*root); err != nil {
		fmt.Fprintln(os.Stderr, "chart:", err)
		os.Exit(1)
	}
}

// figuresFile holds the figures, below the root.
const figuresFile = "docs/benchmarks.json"

func run(root string) error {
	r, err := readResult(filepath.Join(root, figuresFile))
	if err != nil {
		return err
	}
	files, err := written(root, r)
	if err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func readResult(name string) (*result, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("%w; make bench-peers measures", err)
	}
	var r result
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return &r, r.check()
}

// written returns the files that show a result, by their name below the root.
func written(root string, r *result) (map[string]string, error) {
	files := map[string]string{"docs/benchmarks.svg": draw(r)}
	for name, passage := range map[string]string{"docs/benchmarks.md": tables(r), "README.md": quote(r)} {
		page, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			return nil, err
		}
		if files[name], err = replace(string(page), passage); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return files, nil
}

const begins, ends = "<!-- peers -->", "<!-- /peers -->"

// replace puts a passage between the markers of a page.
func replace(page, passage string) (string, error) {
	before, rest, found := strings.Cut(page, begins)
	_, after, closed := strings.Cut(rest, ends)
	if !found || !closed {
		return "", errors.New("no passage between " + begins + " and " + ends)
	}
	return before + begins + passage + ends + after, nil
}
