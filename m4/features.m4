dnl What the builder may choose. Two lines each: the switch, what it sets.
AC_DEFUN([MR_FEATURES], [
AC_ARG_ENABLE([werror],
  [AS_HELP_STRING([--enable-werror], [treat warnings as errors (developers and CI; releases build without)])],
  [], [enable_werror=no])
AC_ARG_WITH([sanitizer],
  [AS_HELP_STRING([--with-sanitizer=LIST], [build with -fsanitize=LIST, e.g. address,undefined or thread])],
  [], [with_sanitizer=no])
AC_ARG_ENABLE([coverage],
  [AS_HELP_STRING([--enable-coverage], [instrument for gcov])],
  [], [enable_coverage=no])
AC_ARG_ENABLE([fault-points],
  [AS_HELP_STRING([--enable-fault-points], [compile in the named fault points of the tests; never in a release])],
  [], [enable_fault_points=no])
AS_IF([test "x$enable_fault_points" = xyes],
  [AC_DEFINE([WITH_FAULT_POINTS], [1], [Define to compile in the named fault points.])])
AM_CONDITIONAL([FAULT_POINTS], [test "x$enable_fault_points" = xyes])
AM_CONDITIONAL([SANITIZED], [test "x$with_sanitizer" != xno])
])
