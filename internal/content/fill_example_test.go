package content_test

import (
	"encoding/json"
	"fmt"

	"fanfare/internal/content"
	"fanfare/internal/notification"
)

// The recipient's vars come first, then the profile, then the default of the placeholder.
func ExampleContent() {
	template, err := content.Compile(notification.Message(
		`{"notification":{"title":"Hello {{name|there}}","body":"Your order {{order}} goes to {{address.city}}"}}`))
	if err != nil {
		panic(err)
	}
	vars := map[string]json.RawMessage{"order": json.RawMessage(`4711`)}
	profile := map[string]json.RawMessage{"address": json.RawMessage(`{"city":"Hué"}`)}
	message, err := template.Fill(vars, profile)
	fmt.Println(string(message.Text()), err)
	_, err = template.Fill(nil, profile)
	fmt.Println(err)
	// Output:
	// {"notification":{"title":"Hello there","body":"Your order 4711 goes to Hué"}} <nil>
	// placeholder {{order}} has no value and no default
}
