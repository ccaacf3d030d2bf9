package audience_test

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"fanfare/internal/audience"
)

// A reader finds out the format. A line that cannot be used is an error of its own, behind which
// the rest can be read.
func ExampleOpen() {
	const text = "userId;locale;city\nu1;de;Ulm\n;de;Ulm\nu2;fr;Lyon\n"
	rows, err := audience.Open(strings.NewReader(text), audience.Options{})
	if err != nil {
		panic(err)
	}
	for {
		element, err := rows.Next(nil)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Printf("%s\n", element)
	}
	// Output:
	// {"userId":"u1","vars":{"city":"Ulm"},"locale":"de"}
	// line 3: userId is empty
	// {"userId":"u2","vars":{"city":"Lyon"},"locale":"fr"}
}
