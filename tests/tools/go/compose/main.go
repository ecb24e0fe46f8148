// Loads a Compose file with Compose's own library, which validates it against the specification and resolves its
// variables, and prints the result as JSON. Exit 1, with the reason, if the library refuses the file.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

func main() {
	options, err := cli.NewProjectOptions(os.Args[1:], cli.WithName("tertulia"))
	if err == nil {
		var project *types.Project
		if project, err = options.LoadProject(context.Background()); err == nil {
			var resolved []byte
			if resolved, err = project.MarshalJSON(); err == nil {
				fmt.Println(string(resolved))
				return
			}
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
