package main

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sample has two rounds of all senders: ours takes 20 µs, the others 40.
func sample(t *testing.T) *result {
	t.Helper()
	r := &result{Machine: machine{Cores: 2, CPU: "Example <1>", Go: "go1.26.8"}}
	for _, name := range []string{"50 ms latency, 500 in flight", "no latency, 1,000 in flight"} {
		s := setting{Name: name}
		for _, sender := range []string{ours, "lookup", "sdk", "worker", "asynq", "node", "floor"} {
			s.Senders = append(s.Senders, newSender(sender, 40))
		}
		s.Senders[0] = newSender(ours, 20)
		r.Settings = append(r.Settings, s)
	}
	text := `{"memory": [{"recipients": 100000, "peak": 70}, {"recipients": 1000000, "peak": 72}],
		"connections": {"inFlight": 1000, "dialed": 11}, "latency": {"rate": 9900, "median": 0.8, "p99": 2.9}}`
	if err := json.Unmarshal([]byte(text), r); err != nil {
		t.Fatal(err)
	}
	if err := r.check(); err != nil {
		t.Fatal(err)
	}
	return r
}

func newSender(name string, µs float64) sender {
	return sender{Name: name, Label: "label of " + name, Rounds: []round{{CPU: µs, Redis: 5, Rate: 9876}, {CPU: 1.1 * µs, Redis: 5, Rate: 9876}}}
}

func TestChartShowsEverySenderAndNumber(t *testing.T) {
	picture := draw(sample(t))
	decoder := xml.NewDecoder(strings.NewReader(picture))
	texts := make(map[string]int)
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("the picture is no XML: %v", err)
		}
		if chars, ok := token.(xml.CharData); ok {
			texts[string(chars)]++
		}
	}
	for text, want := range map[string]int{
		"label of dispatcher": 3, "label of floor": 3, "21.0 + 5.0 µs": 2, "42.0 + 5.0 µs": 12, "9,880": 7,
		"CPU for one push: no latency, 1,000 in flight": 1, "Pushes a second: no latency, 1,000 in flight": 1,
	} {
		if texts[text] != want {
			t.Errorf("%q stands %d times in the picture, want %d", text, texts[text], want)
		}
	}
	if !strings.Contains(picture, "prefers-color-scheme: dark") {
		t.Error("the picture has no colors for a dark page")
	}
}

func TestPagesQuoteTheRatios(t *testing.T) {
	r := sample(t)
	want := "CPU of a push: 0.50 times that of the Go SDK's `Send` in a loop, 0.50 times a textbook worker's, 0.50 times asynq's."
	if got := quote(r); got != want {
		t.Errorf("the README says %q, want %q", got, want)
	}
	for _, want := range []string{
		"| label of dispatcher | 21.0 (20.0 to 22.0) | 5.0 | 9,880 | 0 |\n", "| label of asynq | 0.50, 0.50 | **0.50** | 1.00, 1.00 | **1.00** |\n",
		"| 70 MiB for 100,000 recipients, 72 MiB for 1,000,000 |\n", "at 9,900 pushes a second | median 0.8 ms, 99% below 2.9 ms |\n",
	} {
		if !strings.Contains(tables(r), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

func TestOnlyThePassageChanges(t *testing.T) {
	got, err := replace("a "+begins+"old"+ends+" b", "new")
	if want := "a " + begins + "new" + ends + " b"; err != nil || got != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	for _, page := range []string{"", begins, ends + begins} {
		if _, err := replace(page, "new"); err == nil {
			t.Errorf("page %q was accepted", page)
		}
	}
}

func TestAPartOfTheBenchmarkIsRefused(t *testing.T) {
	for what, cut := range map[string]func(*result){
		"a setting":   func(r *result) { r.Settings = r.Settings[:1] },
		"a sender":    func(r *result) { r.Settings[1].Senders = r.Settings[1].Senders[1:] },
		"a round":     func(r *result) { r.Settings[0].Senders[3].Rounds = r.Settings[0].Senders[3].Rounds[:1] },
		"the memory":  func(r *result) { r.Memory = nil },
		"the latency": func(r *result) { r.Latency.Rate = 0 },
	} {
		r := sample(t)
		cut(r)
		if r.check() == nil {
			t.Errorf("a result without %s was accepted", what)
		}
	}
}

// TestPagesShowTheFigures compares the pages with docs/benchmarks.json. Before the first run there
// is none, and the page says how to get it.
func TestPagesShowTheFigures(t *testing.T) {
	const root = "../.."
	r, err := readResult(filepath.Join(root, figuresFile))
	if errors.Is(err, fs.ErrNotExist) {
		if page := read(t, filepath.Join(root, "docs/benchmarks.md")); !strings.Contains(page, begins+"\n"+unmeasured+"\n"+ends) {
			t.Errorf("the page shows figures without %s", figuresFile)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	files, err := written(root, r)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		if read(t, filepath.Join(root, name)) != want {
			t.Errorf("%s does not show %s; type: make bench-chart", name, figuresFile)
		}
	}
}

const unmeasured = "`make bench-peers` writes the chart and the tables here."

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
