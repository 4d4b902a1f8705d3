// SPDX-License-Identifier: LGPL-2.1-or-later

// Print the id of the baseline of all the hosts that are named, which can be a label of theirs, and what
// guests do without, because of whom. The answer is that of abibase intersect --json, which is in $PATH.
//
//	go run offers.go [-M MACHINE] PROFILE...
//
// The exit status is the verdict. The list for QEMU is what abibase intersect prints without --json.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

const trouble = 2 // no verdict: a file, memory, usage

// What is used here of an abibase-baseline/1 document, which has more members; see abibase-baseline(5).
type baseline struct {
	ID, Verdict string
	Outputs     []struct {
		Values []struct {
			Feature string
			Value   any // "on", "off", or a number
			Why     []struct {
				Cohorts        []string
				Layer, Missing string
			}
		}
	}
}

// Ask abibase. A document comes with each verdict, and with trouble none.
func intersect(operands []string) (*baseline, int, error) {
	var status *exec.ExitError

	command := exec.Command("abibase", append([]string{"intersect", "--json"}, operands...)...)
	command.Stderr = os.Stderr
	out, err := command.Output()
	if err != nil && !(errors.As(err, &status) && status.ExitCode() != trouble) {
		return nil, trouble, err
	}
	b := new(baseline)
	return b, command.ProcessState.ExitCode(), json.Unmarshal(out, b)
}

func main() {
	b, status, err := intersect(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "offers:", err)
		os.Exit(trouble)
	}
	if b.Verdict == "yes" {
		fmt.Println(b.ID)
	}
	for _, output := range b.Outputs {
		for _, v := range output.Values {
			for _, why := range v.Why {
				if v.Value == "off" && why.Missing != "" {
					fmt.Printf("%s: %s, on %s\n", v.Feature, why.Missing,
						strings.Join(why.Cohorts, ", "))
				}
			}
		}
	}
	os.Exit(status)
}
