# SPDX-License-Identifier: CC0-1.0
# What "abibase check --json" says, as a features file of Kubernetes' Node Feature Discovery: a label for each
# baseline that this node satisfies. What it does not satisfy, and what is not known, has no label.

def verdicts:
  if .schema == "abibase-here/1" then
    .host as $host | .baselines[] | {host: $host, baseline, verdict}
  elif .schema == "abibase-check/1" then
    .baseline as $id | .hosts[] | {host, baseline: $id, verdict}
  else
    error("not a document of abibase check: \(.schema)")
  end
  | select(.baseline)
  | if .baseline | test("\\Ab1-[0-9a-f]{32}\\z") then . else error("not the id of a baseline: \(.baseline | tojson)") end;

[inputs] | if . == [] then error("not a document of abibase check: it is empty") else . end
| [.[] | verdicts]
| if map(.host) | unique | length > 1 then error("these are several hosts, and a node has a file of its own") else . end
| group_by(.baseline)[]
# one id can stand in several files
| select(all(.verdict == "yes"))
| "abibase.\(.[0].baseline)=true"
