# SPDX-License-Identifier: CC0-1.0
# What "abibase check --json" says, as metrics for the textfile collector of Prometheus' node exporter.

# Each baseline with the hosts that were held against it: of this host, or of those that were named
def verdicts:
  if .schema == "abibase-here/1" then
    .host as $host | .baselines[] | {host: $host, baseline, machine, verdict, guests}
  elif .schema == "abibase-check/1" then
    . as $c | .hosts[] | {host, baseline: $c.baseline, machine: $c.machine, verdict}
  else
    error("not a document of abibase check: \(.schema)")
  end
  | select(.baseline);

def escaped: gsub("\\\\"; "\\\\") | gsub("\""; "\\\"") | gsub("\n"; "\\n");
def series($name): # of {labels, value}
  "\($name){\(.labels | to_entries | map("\(.key)=\"\(.value | escaped)\"") | join(","))} \(.value)";
# A metric, where it has a series; one of the same labels is there once.
def metric($name; $help; values):
  [values] | unique_by(.labels)
  | if length > 0 then "# HELP \($name) \($help)", "# TYPE \($name) gauge", (.[] | series($name)) else empty end;

[inputs] | if . == [] then error("not a document of abibase check: it is empty") else . end
| . as $documents
| [.[] | verdicts] as $verdicts
| [$documents[] | select(.schema == "abibase-here/1")] as $here
| metric("abibase_baseline_verdict"; "Does the host provide what the baseline promises? 1 at the verdict that holds.";
    # one id can stand in several files
    $verdicts | group_by([.host, .baseline])[]
    | (map(.verdict) | if index("no") then "no" elif index("unknown") then "unknown" else "yes" end) as $is
    | .[0] | ("yes", "no", "unknown") as $verdict
    | {labels: {host, baseline, machine, verdict: $verdict}, value: (if $is == $verdict then 1 else 0 end)}),
  metric("abibase_baseline_guests"; "Guests that run under the baseline.";
    $verdicts[] | select(.guests) | {labels: {host, baseline, machine}, value: .guests}),
  metric("abibase_guests"; "Guests that run, by how their baseline is known.";
    $here[] | . as $h | ("environment", "command-line", "none", "unknown") as $by
    | {labels: {host: $h.host, by: $by}, value: ([$h.guests[] | select(.by == $by)] | length)}),
  metric("abibase_record_current"; "Is the record of the host of this boot and of the QEMUs that are there?";
    $here[] | {labels: {host}, value: (if .record.state == "current" then 1 else 0 end)}),
  metric("abibase_record_age_seconds"; "Seconds since the record of the host was written.";
    $here[] | select(.record.age) | {labels: {host}, value: .record.age}),
  metric("abibase_findings"; "What was found of the host beside its baselines.";
    $here[] | . as $h | ("conflict", "unknown", "note") as $kind
    | {labels: {host: $h.host, kind: $kind}, value: ([$h.findings[] | select(.kind == $kind)] | length)})
