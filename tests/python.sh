#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The Python package: its questions and errors, threads, types, its examples; and under valgrind that nothing
# of the library is lost. PYTHON is one that has cffi, and mypy as a program; by default Debian's own.
# shellcheck source=tests/begin.sh
. "${0%/*}/begin.sh"

[ -e "$build/lib/libabibase.la" ] || {
	echo "this build has no shared library"
	exit 77
}
[ -z "${SANITIZE_CFLAGS:-}" ] || {
	echo "the library of this build wants its sanitizer loaded first"
	exit 77
}
python=${PYTHON:-/usr/bin/python3}
"$python" -c 'import cffi' || skip "needs $python with cffi: python3-cffi"
need mypy
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM

# The package as it is installed, but for where
env -u MAKEFLAGS -u MFLAGS -u MAKEOVERRIDES make -s -C "$build" python/abibase/_cdef.py || exit 1
mkdir "$dir/abibase" || exit 99
cp "$src"/python/abibase/*.py "$src/python/abibase/py.typed" "$build/python/abibase/_cdef.py" "$dir/abibase/"
export ABIBASE=$abibase PYTHONPATH=$dir LD_LIBRARY_PATH=$build/lib/.libs MYPYPATH=$dir

"$python" "$src/tests/python.py" || fail "tests/python.py"
mypy --strict --no-error-summary --cache-dir="$dir/types" --python-executable="$python" "$dir/abibase" \
	"$src"/examples/*.py || fail "mypy"

# A slice: VALGRIND_TESTS="Questions Errors Threads" takes a minute
need valgrind
some=${VALGRIND_TESTS:-Questions.test_answers Questions.test_no_list Errors.test_each_kind}
# shellcheck disable=SC2086
PYTHONMALLOC=malloc timeout 600 valgrind -q --leak-check=full --show-leak-kinds=definite \
	--errors-for-leak-kinds=definite --error-exitcode=66 --num-callers=20 \
	"$python" "$src/tests/python.py" $some > "$dir/said" 2>&1 || fail "valgrind: $(tail -n 60 "$dir/said")"

[ "$failures" = 0 ] || exit 1
echo "the package asks, answers and gives back"
