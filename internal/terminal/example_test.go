package terminal_test

import (
	"fmt"
	"os"

	"fanfare/internal/terminal"
)

func ExampleOutput() {
	out := terminal.New(os.Stdout)
	fmt.Fprintln(out, "campaign \x1b[31m42")
	fmt.Println(out.Err())
	// Output:
	// campaign \x1b[31m42
	// <nil>
}

func ExamplePrintable() {
	fmt.Println(terminal.Printable("42"), terminal.Printable("4\n2"))
	// Output: 42 "4\n2"
}
