# SPDX-License-Identifier: LGPL-2.1-or-later
# The functions of the public header, for libabibase(3): a list item for each "/* ---- TITLE */".

/^\/\* -+ [^-]* \*\/$/ {
	gsub(/^\/\* -+ | \*\/$/, "")
	title = toupper(substr($0, 1, 1)) substr($0, 2)
	next
}
/^\/\*\*/ { comment = 1 }
!comment && !/^typedef|^[ \t#]|^static / && match($0, /abibase_[a-z0-9_]*\(/) {
	name[++n] = substr($0, RSTART, RLENGTH - 1)
	of[n] = title
}
/\*\/$/ { comment = 0 }
END {
	print ".Bl -tag -width Ds"
	for (i = 1; i <= n; i++) {
		if (of[i] != of[i - 1])
			print ".It " of[i]
		print ".Fn " name[i] " " (i < n && of[i + 1] == of[i] ? "," : ".")
	}
	print ".El"
}
