package content_test

import (
	"slices"
	"testing"

	"fanfare/internal/content"
)

// Placeholders of other systems are found in what people read, each once, and with what to write.
func TestFindUnknownPlaceholders(t *testing.T) {
	t.Parallel()
	for message, want := range map[string][]string{
		`{"notification":{"title":"Hi ${ first_name }","body":"<%= @city %> and %user.name%, <%=city%>"}}`: {
			`message.notification.body has "<%= @city %>", which is not filled in: devices show it as it is; write {{city}}`,
			`message.notification.body has "<%=city%>", which is not filled in: devices show it as it is; write {{city}}`,
			`message.notification.body has "%user.name%", which is not filled in: devices show it as it is; write {{user.name}}`,
			`message.notification.title has "${ first_name }", which is not filled in: devices show it as it is; write {{first_name}}`,
		},
		`{"message":{"notification":{"title":"${a}"},"apns":{"payload":{"aps":{"alert":"${a} %b%"}}}},"locales":{"pt":{"notification":{"body":"%c%"}}}}`: {
			`locales.pt.notification.body has "%c%", which is not filled in: devices show it as it is; write {{c}}`,
			`message.apns.payload.aps.alert has "${a}", which is not filled in: devices show it as it is; write {{a}}`,
			`message.apns.payload.aps.alert has "%b%", which is not filled in: devices show it as it is; write {{b}}`,
		},
		`{"notification":{"title":"50% off, 20% more","body":"$5 {name} {{name|there}} 100%"},"data":{"pattern":"%name%"}}`: nil,
		`{"message":"${a}"}`: nil,
		`[]`:                 nil,
		`no JSON ${a}`:       nil,
	} {
		var got []string
		for _, each := range content.FindUnknownPlaceholders([]byte(message)) {
			got = append(got, each.String())
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s has\n%q, want\n%q", message, got, want)
		}
	}
}
