dnl Every library by pkg-config, with the names other systems use.
AC_DEFUN([MR_LIBRARIES], [
PKG_CHECK_MODULES([CRYPTO], [libcrypto >= 3.0])
PKG_CHECK_MODULES([SSL], [libssl >= 3.0])
PKG_CHECK_MODULES([IDN2], [libidn2])
PKG_CHECK_MODULES([ARGON2], [libargon2])
PKG_CHECK_MODULES([CRYPT], [libcrypt],, [
  AC_CHECK_LIB([crypt], [crypt_ra], [CRYPT_LIBS=-lcrypt],
    [AC_MSG_ERROR([libxcrypt is needed (Debian: libcrypt-dev)])])])
PKG_CHECK_MODULES([DBCLIENT], [libmariadb],, [
  PKG_CHECK_MODULES([DBCLIENT], [mysqlclient],,
    [AC_MSG_ERROR([libmariadb or libmysqlclient is needed (Debian: libmariadb-dev)])])])
PKG_CHECK_MODULES([SMARTCOLS], [smartcols])
PKG_CHECK_MODULES([CURL], [libcurl >= 7.85])
PKG_CHECK_MODULES([CMOCKA], [cmocka], [have_cmocka=yes], [have_cmocka=no])
AM_CONDITIONAL([HAVE_CMOCKA], [test "x$have_cmocka" = xyes])
PKG_CHECK_MODULES([MILTER], [milter],, [
  AC_CHECK_LIB([milter], [smfi_register], [MILTER_LIBS=-lmilter],
    [AC_MSG_ERROR([libmilter is needed (Debian: libmilter-dev)])], [-lpthread])])
AC_SEARCH_LIBS([pthread_create], [pthread])
MR_MILTER_POLL
])

dnl A libmilter that was built for select() aborts the daemon when a descriptor
dnl of 1024 or more turns up, so such a build is not taken.
AC_DEFUN([MR_MILTER_POLL], [
AC_CACHE_CHECK([whether libmilter is the poll build], [mr_cv_milter_poll], [
  mr_saved_LIBS="$LIBS"; mr_saved_CFLAGS="$CFLAGS"
  LIBS="$MILTER_LIBS $LIBS"; CFLAGS="$CFLAGS $MILTER_CFLAGS"
  AC_LINK_IFELSE([AC_LANG_PROGRAM([[int mi_pool_controller_init(void);]],
    [[return mi_pool_controller_init();]])],
    [mr_cv_milter_poll=yes], [mr_cv_milter_poll=no])
  LIBS="$mr_saved_LIBS"; CFLAGS="$mr_saved_CFLAGS"
])
AS_IF([test "$mr_cv_milter_poll" = no],
  [AC_MSG_ERROR([this libmilter uses select(); build it with SM_CONF_POLL=1])])
])
