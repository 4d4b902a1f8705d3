#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The intersection is pure: it opens nothing and asks nothing, and the same input gives the same
# bytes. Nothing with which it could do otherwise is among the symbols that its objects use.
set -u

top_builddir=${top_builddir:-.}
pure='base/version document/baseline document/hosts model/derive model/derive-agree
	model/derive-hosts model/derive-rows model/derive-scope
	model/derive-numbers model/derive-values model/effective model/intersect model/predict
	model/render'
forbidden='open|open64|openat|openat64|creat|fopen|fopen64|freopen|fdopen|opendir|read|pread|write
pwrite|stat|stat64|lstat|lstat64|fstat|access|faccessat|readlink|realpath|glob|scandir|nftw|mmap
socket|connect|ioctl|fcntl|getenv|secure_getenv|popen|system|fork|vfork|execve|execvp|posix_spawn
dlopen|time|clock_gettime|gettimeofday|localtime|gmtime|strftime|rand|random|getrandom|srand|uname
gethostname|getpid|getuid|geteuid|setlocale|strcoll|printf|puts|putchar|stdout|stderr|exit|abort
json_load_file|json_loadf|json_load_callback|json_dump_file|json_dumpf|file_read'
pattern=$(echo "$forbidden" | tr '\n' '|' | sed 's/|$//')
failed=0

for name in $pure; do
	object=$(find "$top_builddir/lib/${name%/*}" -name "*-${name#*/}.o" |
		grep "_la-${name#*/}[.]o$" | head -n 1)
	if [ -z "$object" ]; then
		echo "FAIL: there is no object of lib/$name.c in $top_builddir/lib"
		failed=1
		continue
	fi
	# a version ("@GLIBC…") and the marks of a fortified call do not count
	used=$(nm -u "$object" | awk '{ print $NF }' |
		sed 's/@.*//; s/^__\(.*\)_chk$/\1/; s/^__isoc[0-9]*_//' | sort -u)
	if [ -z "$used" ]; then
		echo "FAIL: nm says nothing of $object"
		failed=1
	fi
	if bad=$(echo "$used" | grep -Ex "$pattern"); then
		echo "FAIL: lib/$name.c uses $(echo "$bad" | tr '\n' ' ')"
		failed=1
	fi
done
exit $failed
