dnl libseccomp may be left out: then the daemons do without a filter of system
dnl calls, and say so. A sanitizer's or gcov's run-time makes calls of its own.
AC_DEFUN([MR_SECCOMP], [
AC_ARG_WITH([seccomp],
  [AS_HELP_STRING([--without-seccomp], [do not filter the daemons' system calls])],
  [], [with_seccomp=auto])
have_seccomp=no
AS_IF([test "x$with_seccomp" != xno], [
  PKG_CHECK_MODULES([SECCOMP], [libseccomp >= 2.5], [have_seccomp=yes], [
    AS_IF([test "x$with_seccomp" = xyes],
      [AC_MSG_ERROR([libseccomp is not there (Debian: libseccomp-dev)])])])
])
AS_IF([test "x$with_sanitizer" != xno || test "x$enable_coverage" = xyes],
  [have_seccomp=no SECCOMP_LIBS=])
AM_CONDITIONAL([HAVE_SECCOMP], [test "x$have_seccomp" = xyes])
])
