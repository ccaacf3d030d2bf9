// Package cuts stops every Lua script between every two of its writes, in a real Redis, and checks
// that nothing is lost. Redis keeps what a script wrote before it failed. It also has each command
// of each call refused, and checks that the call reports it.
package cuts

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if code == 0 && complete() {
		if left := uncovered(); len(left) > 0 {
			_, _ = os.Stderr.WriteString("no test cuts these scripts between every two writes: " + strings.Join(left, " ") + "\n")
			code = 1
		}
	}
	if err := goleak.Find(); code == 0 && err != nil {
		_, _ = os.Stderr.WriteString(err.Error() + "\n")
		code = 1
	}
	os.Exit(code)
}

// complete reports whether all tests ran.
func complete() bool {
	return !slices.ContainsFunc(os.Args, func(arg string) bool {
		return strings.HasPrefix(arg, "-test.run=") || strings.HasPrefix(arg, "-test.list=") || strings.HasPrefix(arg, "-test.skip=")
	})
}

// libraries stand before scripts and are none themselves.
var libraries = regexp.MustCompile(`(^|_)(common|prelude|journal|guard_list)\.lua$`)

// scripts are the texts of all scripts by room and name, such as queue/claim.
var scripts = sync.OnceValue(func() map[string]string {
	files, err := filepath.Glob("../../internal/*/lua/*.lua")
	if err != nil || len(files) == 0 {
		panic("no scripts found")
	}
	all := make(map[string]string)
	for _, file := range files {
		if libraries.MatchString(filepath.Base(file)) {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			panic(err)
		}
		room := filepath.Base(filepath.Dir(filepath.Dir(file)))
		all[room+"/"+strings.TrimSuffix(filepath.Base(file), ".lua")] = string(text)
	}
	return all
})

// covered notes the scripts that were cut at each of their writes, or seen to write nothing.
var covered sync.Map

func uncovered() []string {
	var left []string
	for name := range scripts() {
		if _, ok := covered.Load(name); !ok {
			left = append(left, name)
		}
	}
	slices.Sort(left)
	return left
}
