package console

import (
	"encoding/csv"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"fanfare/internal/operator"
)

// The report is served with the console's own style, and written to a file with its style inside.
func TestReport(t *testing.T) {
	f := open(t, Options{Prefix: "/fanfare"})
	r := f.get("/fanfare/campaigns/running/report")
	wantStatus(t, r, http.StatusOK)
	for _, want := range []string{
		`<link rel="stylesheet" href="/fanfare/static/report.css">`, `href="/fanfare/campaigns/running">Back`, `href="/fanfare/campaigns/running/export"`,
		"<b>1,000</b> loaded =", "The books balance; 270 recipients without an outcome.", "<b>Paused</b>: 5 of 5 answers are 400",
		"fanfare watch running", "20 failed, UNREGISTERED", "each bar is 5 min", "<th scope=\"col\" class=\"num\">UNREGISTERED</th>",
	} {
		if !strings.Contains(r.text, want) {
			t.Errorf("the page has no %q", want)
		}
	}
	if strings.Contains(r.text, "<style") || strings.Contains(r.text, "style=") || strings.Contains(r.text, "<script") {
		t.Error("the page breaks the console's policy")
	}
	wantStatus(t, f.get("/fanfare/campaigns/none/report"), http.StatusNotFound)

	report, err := f.system.Report(t.Context(), "<script>alert(1)</script>")
	if err != nil {
		t.Fatal(err)
	}
	var page strings.Builder
	if err := WriteReport(&page, report); err != nil {
		t.Fatal(err)
	}
	text := page.String()
	loads := regexp.MustCompile(`(?:src|href)="|url\(|@import|<script|onerror=alert\(1\)>`)
	if found := loads.FindString(text); found != "" {
		t.Errorf("the file has %s", found)
	}
	if !strings.Contains(text, "--completed-fill") || !strings.Contains(text, ".f-sent") || strings.Contains(text, "ZgotmplZ") {
		t.Error("the file lacks its style")
	}
}

// The chart and its table have the same sums, and a long campaign has no more bars.
func TestChartOfMinutes(t *testing.T) {
	f := open(t, Options{})
	report, err := f.system.Report(t.Context(), "running")
	if err != nil {
		t.Fatal(err)
	}
	c := chartOf(report.Minutes)
	var sum, rows int64
	for _, m := range report.Minutes {
		sum += m.N
	}
	for _, row := range c.Rows {
		rows += row.Sum
		var cells int64
		for _, n := range row.Cells {
			cells += n
		}
		if cells != row.Sum {
			t.Errorf("the cells of %s are %d, their sum %d", row.At, cells, row.Sum)
		}
	}
	if rows != sum || c.count > maxBars || len(c.Rows) != 40 {
		t.Errorf("%d of %d in %d rows of %d bars", rows, sum, len(c.Rows), c.count)
	}
	for _, b := range c.Bars {
		if b.Y < chartTop-1 || b.Y+b.Height > chartBottom+0.01 || b.X < chartLeft || b.X+b.Width > chartRight {
			t.Errorf("a bar leaves the chart: %+v", b)
		}
	}
	if strips := c.stripOf(report.Minutes, operator.OutcomeCount{Status: "failed", Code: "UNREGISTERED"}); len(strips) != 40 || strips[39].Height != stripHigh {
		t.Errorf("the strip is %+v", strips)
	}
	if chartOf(nil) != nil {
		t.Error("nothing has a chart")
	}
}

// An export is recorded, and one that broke off is no complete file.
func TestExport(t *testing.T) {
	f := open(t, Options{Actor: "ops"})
	r := f.get("/campaigns/running/export?status=failed&code=UNAVAILABLE")
	wantStatus(t, r, http.StatusOK)
	rows, err := csv.NewReader(strings.NewReader(r.text)).ReadAll()
	if err != nil || len(rows) != 2 || rows[1][2] != "UNAVAILABLE" {
		t.Errorf("rows %q, %v", rows, err)
	}
	if got := r.Header.Get("Content-Disposition"); got != `attachment; filename="campaign running.csv"` {
		t.Errorf("file %q", got)
	}
	if got := f.system.done(); got != "export running UNAVAILABLE 1 by ops, console" {
		t.Errorf("recorded %q", got)
	}
	wantStatus(t, f.get("/campaigns/none/export"), http.StatusNotFound)
	wantStatus(t, f.get("/campaigns/running/export?status=lost"), http.StatusUnprocessableEntity)
	f.system.recordsErr = errors.New("SQL went away")
	if cut, err := f.client.Get(f.server.URL + "/campaigns/running/export"); err == nil {
		_, err = csv.NewReader(cut.Body).ReadAll()
		_ = cut.Body.Close()
		if err == nil {
			t.Error("an export that broke off looks complete")
		}
	}
}
