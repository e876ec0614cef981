dnl Warnings and hardening, each flag probed, so that gcc and clang both build.
AC_DEFUN([MR_TRY_CFLAG], [
AC_MSG_CHECKING([whether $CC takes $1])
mr_saved="$CFLAGS"
CFLAGS="$CFLAGS -Werror $1"
AC_COMPILE_IFELSE([AC_LANG_PROGRAM()],
  [AC_MSG_RESULT([yes]); $2="$$2 $1"], [AC_MSG_RESULT([no])])
CFLAGS="$mr_saved"
])

AC_DEFUN([MR_TRY_LDFLAG], [
AC_MSG_CHECKING([whether the linker takes $1])
mr_saved="$LDFLAGS"
LDFLAGS="$LDFLAGS $1"
AC_LINK_IFELSE([AC_LANG_PROGRAM()],
  [AC_MSG_RESULT([yes]); $2="$$2 $1"], [AC_MSG_RESULT([no])])
LDFLAGS="$mr_saved"
])

AC_DEFUN([MR_COMPILER], [
MR_CFLAGS=
MR_LDFLAGS=
m4_foreach_w([mr_flag], [-std=c11 -Wall -Wextra -Wpedantic -Wshadow
  -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wvla
  -Walloca -Wwrite-strings -Wpointer-arith -Wcast-qual -Wconversion
  -Wsign-conversion -Wformat=2 -Wundef -Wswitch-enum -Wnull-dereference
  -Wduplicated-cond -Wduplicated-branches -Wlogical-op -Wjump-misses-init
  -Warith-conversion -Wcast-align=strict -Wimplicit-fallthrough],
  [MR_TRY_CFLAG(mr_flag, [MR_CFLAGS])])
dnl Sanitizers make frames of their own size.
AS_IF([test "x$with_sanitizer" = xno], [
  MR_TRY_CFLAG([-Wstack-usage=16384], [MR_CFLAGS])
  m4_foreach_w([mr_flag], [-fstack-protector-strong -fstack-clash-protection
    -fcf-protection -fPIE], [MR_TRY_CFLAG(mr_flag, [MR_CFLAGS])])
  MR_TRY_CFLAG([-D_FORTIFY_SOURCE=3 -O2], [MR_CFLAGS])
  MR_TRY_LDFLAG([-pie], [MR_LDFLAGS])
  MR_TRY_LDFLAG([-Wl,-z,relro], [MR_LDFLAGS])
  MR_TRY_LDFLAG([-Wl,-z,now], [MR_LDFLAGS])
], [
  MR_CFLAGS="$MR_CFLAGS -fsanitize=$with_sanitizer -fno-omit-frame-pointer -fno-sanitize-recover=all"
  MR_LDFLAGS="-fsanitize=$with_sanitizer"
])
AS_IF([test "x$enable_coverage" = xyes], [
  MR_CFLAGS="$MR_CFLAGS -O0 --coverage"
  MR_LDFLAGS="$MR_LDFLAGS --coverage"
])
AS_IF([test "x$enable_werror" = xyes], [MR_CFLAGS="$MR_CFLAGS -Werror"])
AC_SUBST([MR_CFLAGS])
AC_SUBST([MR_LDFLAGS])
])
