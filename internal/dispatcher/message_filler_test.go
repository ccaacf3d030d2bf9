package dispatcher

import (
	"encoding/json"
	"testing"

	"fanfare/internal/content"
	"fanfare/internal/notification"
)

// deviceOf makes the delivery of a device, with vars of its own that show who was read.
func deviceOf(c *content.Content, g *deviceGroup, vars string) *delivery {
	dl := &delivery{lease: &lease{camp: &activeCampaign{id: "42", content: c}}, recipient: notification.Recipient{UserID: "u1"}}
	if g != nil {
		dl.device = &deviceDelivery{group: g}
	}
	if err := json.Unmarshal([]byte(vars), &dl.recipient.Vars); err != nil {
		panic(err)
	}
	return dl
}

// The objects of an element are decoded for the first device of a user, and the others share them.
// No one gets the values of another user.
func TestDevicesShareTheValues(t *testing.T) {
	t.Parallel()
	c, err := content.Compile([]byte(`{"data":{"k":"{{a.b}}"}}`))
	if err != nil {
		t.Fatal(err)
	}
	first, second := new(deviceGroup), new(deviceGroup)
	find := findValues()
	for _, each := range []struct {
		group      *deviceGroup
		vars, want string
	}{
		{nil, `{"a":{"b":"alone"}}`, "alone"}, {nil, `{"a":{"b":"alone too"}}`, "alone too"},
		{first, `{"a":{"b":"first"}}`, "first"}, {first, `{"a":{"b":"never read"}}`, "first"},
		{second, `{"a":{"b":"second"}}`, "second"}, {second, `{"a":{"b":"never read"}}`, "second"},
		{nil, `{"a":{"b":"last"}}`, "last"},
	} {
		dl := deviceOf(c, each.group, each.vars)
		if find(dl) {
			t.Error("the profile is needed")
		}
		if end := dl.fill(nil); end != nil {
			t.Fatalf("%+v", end)
		}
		if got := string(dl.message.Text()); got != `{"data":{"k":"`+each.want+`"}}` {
			t.Errorf("%s became %s, want %s", each.vars, got, each.want)
		}
	}
}

// BenchmarkDottedDevices fills in 100 placeholders of one object for three devices of a user.
func BenchmarkDottedDevices(b *testing.B) {
	var text, vars = `{"data":{"k":"`, `{"o":{"x":"y"`
	for i := range 100 {
		name := string(rune('a'+i%26)) + string(rune('a'+i/26))
		text += "{{o." + name + "}}"
		vars += `,"` + name + `":"1"`
	}
	c, err := content.Compile([]byte(text + `"}}`))
	if err != nil {
		b.Fatal(err)
	}
	g := new(deviceGroup)
	devices := []*delivery{deviceOf(c, g, vars+`}}`), deviceOf(c, g, vars+`}}`), deviceOf(c, g, vars+`}}`)}
	b.ReportAllocs()
	for b.Loop() {
		find := findValues()
		for _, dl := range devices {
			find(dl)
			if end := dl.fill(nil); end != nil {
				b.Fatal(end)
			}
		}
	}
}
