# SPDX-License-Identifier: LGPL-2.1-or-later

# ABIBASE_LINKS(FLAGS, [IF-YES], [IF-NO])
# Does the linker make a program with FLAGS?
AC_DEFUN([ABIBASE_LINKS], [
	abibase_save_CFLAGS=$CFLAGS
	CFLAGS="$CFLAGS $1"
	AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])], [abibase_links=yes], [abibase_links=no])
	CFLAGS=$abibase_save_CFLAGS
	AS_IF([test "$abibase_links" = yes], [$2], [$3])
])

# ABIBASE_CC_FLAGS(VARIABLE, FLAGS)
# Put those of FLAGS that the compiler knows into VARIABLE. -Werror, because clang only warns
# of a warning option that it does not know.
AC_DEFUN([ABIBASE_CC_FLAGS], [
	$1=
	for abibase_flag in m4_normalize([$2]); do
		AC_MSG_CHECKING([whether $CC accepts $abibase_flag])
		abibase_save_CFLAGS=$CFLAGS
		CFLAGS="$CFLAGS -Werror $abibase_flag"
		AC_COMPILE_IFELSE([AC_LANG_SOURCE([int x;])],
			[AC_MSG_RESULT([yes])
			 $1="$$1 $abibase_flag"],
			[AC_MSG_RESULT([no])])
		CFLAGS=$abibase_save_CFLAGS
	done
	AC_SUBST([$1])
])

# ABIBASE_DEFINE_DIR(NAME, DIRECTORY, DESCRIPTION)
# Define NAME as DIRECTORY, expanded. In config.h and not on the command line of the compiler: a build that
# is configured again with other directories is then compiled again.
AC_DEFUN([ABIBASE_DEFINE_DIR], [
	abibase_dir=$(
		test "$prefix" != NONE || prefix=$ac_default_prefix
		test "$exec_prefix" != NONE || exec_prefix=$prefix
		eval "dir=\"$2\""
		eval "dir=\"$dir\""
		eval "echo \"$dir\""
	)
	AC_DEFINE_UNQUOTED([$1], ["$abibase_dir"], [$3])
])

# ABIBASE_LD_FLAGS
# Set HAVE_VSCRIPT when the linker takes a version script, and LIB_LDFLAGS to the checks that it can
# make of a shared library: no undefined symbol (not with sanitizers, whose runtime is in the
# program), and no symbol in the version script that the library does not have.
AC_DEFUN([ABIBASE_LD_FLAGS], [
	printf '%s\n' 'ABIBASE_TEST { global: main; local: *; };' > conftest.map
	AC_MSG_CHECKING([whether the linker takes a version script])
	ABIBASE_LINKS([-Wl,--version-script=conftest.map],
		[abibase_vscript=yes], [abibase_vscript=no])
	AC_MSG_RESULT([$abibase_vscript])
	AM_CONDITIONAL([HAVE_VSCRIPT], [test "$abibase_vscript" = yes])

	LIB_LDFLAGS=
	abibase_candidates=-Wl,--no-undefined-version
	AS_IF([test -z "$SANITIZE_CFLAGS"],
		[abibase_candidates="$abibase_candidates -Wl,-z,defs -Wl,--as-needed"])
	for abibase_flag in $abibase_candidates; do
		AC_MSG_CHECKING([whether the linker takes $abibase_flag])
		ABIBASE_LINKS([$abibase_flag],
			[AC_MSG_RESULT([yes])
			 LIB_LDFLAGS="$LIB_LDFLAGS $abibase_flag"],
			[AC_MSG_RESULT([no])])
	done
	AC_SUBST([LIB_LDFLAGS])
	rm -f conftest.map
])
