package judges

import (
	"bytes"
	"encoding/json"
	"flag"
	"log/slog"
	"reflect"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"fanfare/fcmsim"
	"fanfare/internal/content"
	"fanfare/internal/fcm"
	"fanfare/internal/notification"
	"fanfare/internal/redact"
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

// A campaign's message goes out as the SDK for Node.js sends it. The simulator received both.
func TestNodeSendsTheSameMessage(t *testing.T) {
	const messages = 300
	s := startSimulator(t, fcmsim.Options{RequireAuth: true, Project: "demo", Ledger: fcmsim.LedgerMessages, Speed: speed})
	sender, err := fcm.New(t.Context(), fcm.Options{
		Endpoint: s.server.URLs.TLS, RootCAs: s.server.CAFile, Credentials: redact.Secret(s.account), Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sender.Close() }()
	var orders []map[string]any
	draw := rapid.Custom(anyMessage)
	for i := 0; len(orders) < messages; i++ {
		g, token := draw.Example(i), strconv.Itoa(len(orders))
		if text, err := json.Marshal(g.sdk); err != nil || len(text) > content.MaxSize {
			continue
		}
		body := bytes.Replace(compiled(t, g.fcm), []byte(`{`), []byte(`{"message":{"token":"own-`+token+`",`), 1)
		body = append(bytes.Replace(body, []byte(`,}`), []byte(`}`), 1), '}')
		if a := sender.Send(t.Context(), body, notification.ParseToken("own-"+token)); a.Class != fcm.Sent {
			t.Fatalf("ours: %+v\n%s", a, body)
		}
		g.node["token"] = "node-" + token
		orders = append(orders, g.node)
	}
	reports := s.runNode(t, []map[string]any{{"method": "send", "messages": orders}}, 1)
	for i, r := range reports[0] {
		r.check(t, "send "+strconv.Itoa(i), "")
		own, node := s.EntriesOf("own-"+strconv.Itoa(i)), s.EntriesOf("node-"+strconv.Itoa(i))
		if len(own) != 1 || len(node) != 1 {
			t.Fatalf("message %d arrived %d and %d times", i, len(own), len(node))
		}
		if !isSameJSON(t, withoutTarget(t, own[0].Message), withoutTarget(t, node[0].Message)) {
			t.Fatalf("ours %s\nNode %s", own[0].Message, node[0].Message)
		}
	}
}

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
