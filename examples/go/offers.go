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
	"fmt"
	"os"
	"os/exec"
	"sort"
	"strings"
)

const trouble = 2 // no verdict: a file, memory, usage

// What is used here of an abibase-baseline/1 document, which has more members; see abibase-baseline(5).
type baseline struct {
	ID, Verdict string
	Inputs      []struct{ Hosts map[string]string } // cohorts: hosts that answer alike
	Outputs     []struct {
		Values []struct {
			Feature string
			Value   any // "on", "off", or a number
			Why     []struct {
				Cohorts []string // each by its first host
				Missing string
			}
		}
	}
}

// All hosts of these cohorts.
func (b *baseline) hosts(cohorts []string) (names []string) {
	for _, cohort := range cohorts {
		for _, input := range b.Inputs {
			for name := range input.Hosts {
				if input.Hosts[cohort] != "" {
					names = append(names, name)
				}
			}
		}
	}
	sort.Strings(names)
	return names
}

func main() {
	command := exec.Command("abibase", append([]string{"intersect", "--json"}, os.Args[1:]...)...)
	command.Stderr = os.Stderr
	out, err := command.Output()
	status, b := command.ProcessState.ExitCode(), new(baseline)
	// a document comes with each verdict, and with trouble none
	if status >= 0 && status != trouble {
		err = json.Unmarshal(out, b)
	}
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
						strings.Join(b.hosts(why.Cohorts), ", "))
				}
			}
		}
	}
	os.Exit(status)
}
