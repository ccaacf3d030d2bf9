package judges

import (
	"bytes"
	"encoding/json"
	"flag"
	"reflect"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fanfare/fcmsim"
	"fanfare/internal/content"
	"fanfare/internal/notification"
)

// compiled returns what we send of a message, without a target.
func compiled(t rapid.TB, message map[string]any) notification.Message {
	t.Helper()
	text, err := json.Marshal(message)
	if err != nil {
		t.Fatal(err)
	}
	c, err := content.Compile(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return c.Shared().Text()
}

// isSameJSON compares with every digit.
func isSameJSON(t rapid.TB, a, b []byte) bool {
	t.Helper()
	return reflect.DeepEqual(decodeJSON(t, a), decodeJSON(t, b))
}

func decodeJSON(t rapid.TB, text []byte) any {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return v
}

// A campaign's message goes out as the SDK for Go would send it.
func TestGoSendsTheSameMessage(t *testing.T) {
	checks := "10000"
	if testing.Short() {
		checks = "1000"
	}
	before := flag.Lookup("rapid.checks").Value.String()
	t.Cleanup(func() { _ = flag.Set("rapid.checks", before) })
	if err := flag.Set("rapid.checks", checks); err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		g := anyMessage(t)
		want, err := json.Marshal(g.sdk)
		if err != nil {
			t.Fatal(err)
		}
		if len(want) > content.MaxSize {
			t.Skip("too large")
		}
		if got := compiled(t, g.fcm); !isSameJSON(t, got, want) {
			t.Fatalf("ours %s\nSDK  %s", got, want)
		}
	})
}

// A campaign's message goes out as the SDK for Node.js sends it. One process sends all messages in
// batches, and the simulator received them. TestNodeTellsTheAnswersApart sends one by one.
func TestNodeSendsTheSameMessage(t *testing.T) {
	began := time.Now()
	messages := 10_000
	if testing.Short() {
		messages = 1_000
	}
	s := startSimulator(t, fcmsim.Options{RequireAuth: true, Project: "demo", Ledger: fcmsim.LedgerMessages, Speed: speed})
	var own []notification.Message
	var batches []map[string]any
	draw := rapid.Custom(anyMessage)
	for i := 0; len(own) < messages; i++ {
		g := draw.Example(i)
		if text, err := json.Marshal(g.sdk); err != nil || len(text) > content.MaxSize {
			continue
		}
		g.node["token"] = "node-" + strconv.Itoa(len(own))
		if len(own)%nodeBatch == 0 {
			batches = append(batches, map[string]any{"method": "sendEach", "messages": []map[string]any{}})
		}
		last := batches[len(batches)-1]
		last["messages"] = append(last["messages"].([]map[string]any), g.node) //nolint:forcetypeassert // see above
		own = append(own, compiled(t, g.fcm))
	}
	drawn := time.Since(began)
	all := s.runNode(t, batches, len(batches))
	sent := time.Since(began) - drawn
	for n, reports := range all {
		for i, r := range reports {
			r.check(t, "send "+strconv.Itoa(n*nodeBatch+i), "")
		}
	}
	for i, message := range own {
		node := s.EntriesOf("node-" + strconv.Itoa(i))
		if len(node) != 1 {
			t.Fatalf("message %d arrived %d times", i, len(node))
		}
		if !isSameJSON(t, content.Canonical(message), withoutTarget(t, node[0].Message)) {
			t.Fatalf("ours %s\nNode %s", message, node[0].Message)
		}
	}
	t.Logf("%d messages compared in %.1f s: %.1f s to draw and compile them, %.1f s in Node.js", messages, time.Since(began).Seconds(), drawn.Seconds(), sent.Seconds())
}

// nodeBatch is how many messages the SDK takes in one call.
const nodeBatch = 500

func withoutTarget(t *testing.T, message []byte) []byte {
	t.Helper()
	var members map[string]json.RawMessage
	if err := json.Unmarshal(message, &members); err != nil {
		t.Fatal(err)
	}
	delete(members, "token")
	text, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	return content.Canonical(text) // Node writes some names in camel case, and times with milliseconds
}
