package deploy

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func read(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(top, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// TestImageIsBuiltWithTheRightGo keeps the image from being left behind when go.mod moves on.
func TestImageIsBuiltWithTheRightGo(t *testing.T) {
	wanted := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(read(t, "go.mod"))
	if wanted == nil || !strings.Contains(read(t, "Dockerfile"), "FROM golang:"+wanted[1]+"-") {
		t.Errorf("go.mod says go %q", wanted)
	}
}

func TestImageHoldsNoSecretAndNoRoot(t *testing.T) {
	dockerfile := read(t, "Dockerfile")
	stages := strings.Split(dockerfile, "\nFROM ")
	last := stages[len(stages)-1]
	if !strings.HasPrefix(last, "gcr.io/distroless/static-debian12:nonroot\n") || !strings.Contains(last, "\nUSER nonroot") {
		t.Errorf("the image is %q", last)
	}
	if found := regexp.MustCompile(`(?im)^(ENV|ARG) .*(password|secret|token|credential|_url)`).FindString(dockerfile); found != "" {
		t.Errorf("the image carries %q", found)
	}
}
