# SPDX-License-Identifier: LGPL-2.1-or-later
# What people do by hand, `jq -n -f fold.jq PROFILE...`: the AND of the facts of all profiles. A yes or
# no holds where it holds everywhere, a feature word keeps the bits that all words have. What some
# profile does not know is null.

def digits: .[2:] | explode | map(if . > 96 then . - 87 else . - 48 end);

# AND of two hexadecimal digits, as a table
[range(16) as $a | [range(16) as $b |
	reduce (1, 2, 4, 8) as $m (0;
		if ($a / $m | floor) % 2 == 1 and ($b / $m | floor) % 2 == 1 then . + $m else . end)]] as $table
| def both($b):
	if type == "boolean" and ($b | type) == "boolean" then . and $b
	elif type == "string" and ($b | type) == "string" then
		digits as $x | ($b | digits) as $y
		| "0x" + ([range($x | length) | "0123456789abcdef"[$table[$x[.]][$y[.]]:][:1]] | add)
	elif . == false or $b == false then false
	else null end;
reduce (inputs | .facts) as $f (null;
	if . == null then $f
	else with_entries(.key as $k | .value |= both($f[$k])) end)
