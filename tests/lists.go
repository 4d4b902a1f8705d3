// SPDX-License-Identifier: LGPL-2.1-or-later

// The words of standard input as Incus splits raw.qemu, one a line.
package main

import (
	"fmt"
	"io"
	"os"

	"github.com/kballard/go-shellquote"
)

func main() {
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		panic(err)
	}
	words, err := shellquote.Split(string(text))
	if err != nil {
		panic(err)
	}
	for _, word := range words {
		fmt.Println(word)
	}
}
