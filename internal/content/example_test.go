package content_test

import (
	"fmt"

	"fanfare/internal/content"
	"fanfare/internal/notification"
)

func ExampleCompile() {
	ready, err := content.Compile(notification.Message(`{"notification":{"title":"Hello {{name}}"}}`))
	if err != nil {
		panic(err)
	}
	fmt.Println(ready.IsPersonal(), ready.Names())

	_, err = content.Compile(notification.Message(`{"notification":{"title":"Hello {{name"},"android":{"priority":"urgent"}}`))
	for _, fault := range notification.FaultsOf(err) {
		fmt.Println(fault)
	}
	// Output:
	// true [name]
	// message.notification.title: a placeholder is not closed: "{{name"
	// message.android.priority: must be one of normal, high, is "urgent"
}
