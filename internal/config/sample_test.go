package config_test

import (
	"flag"
	"os"
	"testing"

	"fanfare/internal/config"
)

const samplePath = "../../config.yaml"

var update = flag.Bool("update", false, "write config.yaml anew from the struct tags")

func TestSampleFileIsWhatTheTagsSay(t *testing.T) {
	if *update {
		if err := os.WriteFile(samplePath, []byte(config.Sample()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(samplePath)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != config.Sample() {
		t.Error("config.yaml differs from the settings; write it anew: go test ./internal/config -update")
	}
}

// TestSampleFileHoldsTheDefaults proves that nothing changes for somebody who starts from the sample.
func TestSampleFileHoldsTheDefaults(t *testing.T) {
	fromSample, err := config.Load(samplePath, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defaults := config.Defaults().Values()
	for i, value := range fromSample.Values() {
		if value.Text != defaults[i].Text {
			t.Errorf("%s is %q in the sample, %q by default", value.Key.Name, value.Text, defaults[i].Text)
		}
		if value.Origin == "default" {
			t.Errorf("%s is missing from the sample", value.Key.Name)
		}
	}
}
