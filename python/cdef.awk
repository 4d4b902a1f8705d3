# SPDX-License-Identifier: LGPL-2.1-or-later
# The declarations of the public header, as a module of Python: what cffi's cdef() takes of C.

{ text = text $0 "\n" }
END {
	gsub(/\\\n/, "", text)
	while ((i = index(text, "/*"))) {
		rest = substr(text, i + 2)
		text = substr(text, 1, i - 1) substr(rest, index(rest, "*/") + 2)
	}
	gsub(/#ifdef __cplusplus\n[^#]*#endif\n/, "", text)
	gsub(/#[^\n]*\n/, "", text)
	gsub(/ABIBASE_(MUST_CHECK|NONNULL\([0-9, ]*\))/, "", text)
	gsub(/[ \t\n]+;/, ";", text)
	gsub(/\n\n+/, "\n", text)
	printf "# Made of abibase.h.\nDECLARATIONS = \"\"\"%svoid free(void *);\n\"\"\"\n", text
}
