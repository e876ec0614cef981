dnl libsystemd may be left out: then nobody is told that a daemon is ready, and
dnl the units' Type=notify must become Type=exec. The directories are those that
dnl systemd searches under /usr and /usr/local alike.
AC_DEFUN([MR_SYSTEMD], [
AC_ARG_WITH([systemd],
  [AS_HELP_STRING([--without-systemd], [do not tell systemd when a daemon is ready])],
  [], [with_systemd=auto])
have_systemd=no
AS_IF([test "x$with_systemd" != xno], [
  PKG_CHECK_MODULES([SYSTEMD], [libsystemd], [have_systemd=yes], [
    AS_IF([test "x$with_systemd" = xyes],
      [AC_MSG_ERROR([libsystemd is not there (Debian: libsystemd-dev)])])])
])
AM_CONDITIONAL([HAVE_SYSTEMD], [test "x$have_systemd" = xyes])
AS_IF([test "x$have_systemd" = xyes],
  [UNIT_TYPE=notify], [UNIT_TYPE=exec])
AC_SUBST([UNIT_TYPE])
AC_ARG_WITH([systemdsystemunitdir],
  [AS_HELP_STRING([--with-systemdsystemunitdir=DIR], [units (default: PREFIX/lib/systemd/system)])],
  [], [with_systemdsystemunitdir='${prefix}/lib/systemd/system'])
AC_SUBST([systemdsystemunitdir], [$with_systemdsystemunitdir])
AC_SUBST([sysusersdir], ['${prefix}/lib/sysusers.d'])
AC_SUBST([tmpfilesdir], ['${prefix}/lib/tmpfiles.d'])
])
