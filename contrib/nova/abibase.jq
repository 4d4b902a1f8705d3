# SPDX-License-Identifier: CC0-1.0
# What "abibase check --json" says, as a provider.yaml of OpenStack Nova: a trait of the compute node for each
# baseline that it satisfies. What it does not satisfy, and what is not known, has no trait.

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
| if map(.host) | unique | length > 1 then error("these are several hosts, and a compute node has a file of its own") else . end
| [group_by(.baseline)[] | select(all(.verdict == "yes")) | .[0].baseline] # one id can stand in several files
| "meta:",
  "  schema_version: '1.0'",
  if length == 0 then
    "providers: []"
  else
    "providers:",
    "  - identification:",
    "      uuid: '$COMPUTE_NODE'",
    "    traits:",
    "      additional:",
    (.[] | "        - 'CUSTOM_ABIBASE_\(ascii_upcase | gsub("-"; "_"))'")
  end
