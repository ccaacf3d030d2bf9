package where_test

import (
	"encoding/json"
	"fmt"

	"fanfare/internal/where"
)

// The platform is in the element, and the country in the profile, which is then asked for.
func ExampleFilter_Match() {
	filter, err := where.Compile(`platform == "ios" && profile.country in ["VN", "TH"]`)
	if err != nil {
		panic(err)
	}
	element := []byte(`{"userId":"u1","platform":"ios"}`)
	for _, country := range []string{`"VN"`, `"DE"`} {
		matches, err := filter.Match(element, map[string]json.RawMessage{"country": json.RawMessage(country)})
		fmt.Println(country, matches, err)
	}
	// Output:
	// "VN" true <nil>
	// "DE" false <nil>
}
