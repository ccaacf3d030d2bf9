package main

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

func text(cells []cell) string {
	var b strings.Builder
	for _, c := range cells {
		b.WriteRune(c.char)
	}
	return b.String()
}

func TestSplitCutsByTimeAndCapsPauses(t *testing.T) {
	chunks, err := split([]byte("abcde"), "5.0 2\n0.1 3\n")
	if err != nil {
		t.Fatal(err)
	}
	if len(chunks) != 2 || string(chunks[1].text) != "cde" || chunks[0].at != maxPause || chunks[1].at != maxPause+100*time.Millisecond {
		t.Errorf("got %+v", chunks)
	}
	for _, bad := range []string{"1\n", "x 1\n", "1 x\n", "1 6\n"} {
		if _, err := split([]byte("abcde"), bad); err == nil {
			t.Errorf("timing %q was accepted", bad)
		}
	}
}

// TestPlayRedrawsARow writes a row twice, with a character and a sequence cut between chunks.
func TestPlayRedrawsARow(t *testing.T) {
	bar := "\r\x1b[K5% █"
	frames := play([]chunk{
		{1, []byte("\x1b[1mhead\x1b[m\r\n" + bar[:len(bar)-1])},
		{2, []byte(bar[len(bar)-1:] + "\r\x1b")},
		{3, []byte("[Kdone\r\n")},
	})
	var got []string
	for _, f := range frames {
		if f.to == 0 {
			got = append(got, text(f.cells))
		}
	}
	if want := "head|done"; strings.Join(got, "|") != want {
		t.Errorf("at the end the screen shows %q, want %q", got, want)
	}
	if first := frames[0].cells[0]; !first.bold || frames[len(frames)-1].cells[0].bold {
		t.Error("bold does not begin and end with its sequences")
	}
	shown := false
	for _, f := range frames {
		shown = shown || text(f.cells) == "5% █" && f.row == 1 && f.from == 2 && f.to == 3
	}
	if !shown {
		t.Errorf("the second row never shows the bar from 2 to 3: %+v", frames)
	}
}

func TestDrawIsXMLThatLoadsNothing(t *testing.T) {
	svg := string(draw("make <demo>", play([]chunk{{1, []byte("a & b ██░\r\n")}})))
	decoder := xml.NewDecoder(strings.NewReader(svg))
	for {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	for _, loads := range []string{"href", "url(", "@import", "<script"} {
		if strings.Contains(svg, loads) {
			t.Errorf("the picture has %s", loads)
		}
	}
	if !strings.Contains(svg, "a &amp; b") || strings.Count(svg, "<rect") != 3 {
		t.Errorf("the row is not in the picture: %s", svg)
	}
}
