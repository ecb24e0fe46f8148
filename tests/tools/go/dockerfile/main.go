// Reads a Dockerfile with BuildKit's own parser, which knows the instructions of `docker build`, and applies its lint.
// Prints each warning, and exits with 1 if there is any, or if the parser refuses the file.
package main

import (
	"bytes"
	"fmt"
	"os"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

func main() {
	warned := false
	source, err := os.ReadFile(os.Args[1])
	if err == nil {
		var result *parser.Result
		if result, err = parser.Parse(bytes.NewReader(source)); err == nil {
			lint := linter.New(&linter.Config{
				Warn: func(rule, _, _, message string, location []parser.Range) {
					warned = true
					fmt.Fprintf(os.Stderr, "line %d: %s: %s\n", location[0].Start.Line, rule, message)
				},
			})
			_, _, err = instructions.Parse(result.AST, lint)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	if err != nil || warned {
		os.Exit(1)
	}
}
