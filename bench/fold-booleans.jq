# SPDX-License-Identifier: LGPL-2.1-or-later
# The least of it, `jq -n -f fold-booleans.jq PROFILE...`: the AND of the facts that are a plain yes or
# no; the feature words, which hold most of the features, are left out.

reduce (inputs | .facts) as $f (null;
	if . == null then $f | map_values(select(type == "boolean"))
	else with_entries(.value = (.value and $f[.key])) end)
