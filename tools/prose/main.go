// Command prose checks the English of comments and of the texts that programs print, by the house
// style: its word list, at most 25 words a sentence in a comment, and comments of at most 100
// columns.
//
//	cd tools && go run ./prose ../internal/queue ../fcmsim
//
// It reads all Go and Lua files below the given folders, prints each fault with its place, and
// exits with 1 if there are any.
//
//	cd tools && go run ./prose -table -commits v1.0..HEAD ../cmd ../fcmsim ../internal
//
// prints the measures of the house style's table in their place: of the files below the folders,
// and of a range of commits.
package main

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	table := flag.Bool("table", false, "print a table of measures in place of the faults")
	commits := flag.String("commits", "HEAD", "the revision range whose subjects the table measures")
	flag.Parse()
	if flag.NArg() == 0 {
		fmt.Fprintln(os.Stderr, "usage: prose [-table [-commits range]] folder …")
		os.Exit(2)
	}
	files, err := sources(flag.Args())
	if err != nil {
		fmt.Fprintln(os.Stderr, "prose:", err)
		os.Exit(2)
	}
	if *table {
		if err := printTable(os.Stdout, files, flag.Arg(0), *commits); err != nil {
			fmt.Fprintln(os.Stderr, "prose:", err)
			os.Exit(2)
		}
		return
	}
	faults, err := check(files)
	if err != nil {
		fmt.Fprintln(os.Stderr, "prose:", err)
		os.Exit(2)
	}
	for _, f := range faults {
		fmt.Println(f)
	}
	if len(faults) > 0 {
		os.Exit(1)
	}
}

// sources lists the Go and Lua files below folders.
func sources(folders []string) ([]string, error) {
	var files []string
	for _, folder := range folders {
		err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if entry.IsDir() && (entry.Name() == "node_modules" || entry.Name() == "tools") {
				return filepath.SkipDir
			}
			if ext := filepath.Ext(path); ext == ".go" || ext == ".lua" {
				files = append(files, path)
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("list sources: %w", err)
		}
	}
	return files, nil
}

// check finds the faults of all files.
func check(files []string) ([]fault, error) {
	var faults []fault
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read source: %w", err)
		}
		passages := luaPassages(string(text))
		if strings.HasSuffix(file, ".go") {
			if passages, err = goPassages(file, text); err != nil {
				return nil, err
			}
		}
		for _, p := range passages {
			faults = append(faults, p.faults(file)...)
		}
	}
	return faults, nil
}
