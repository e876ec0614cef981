#!/bin/bash
# Every manual page is clean for mandoc, and every program has one. The tool's
# tells each exit code, the configuration's each program's option file.
set -eu
: "${top_srcdir:?is set by make check}" "${top_builddir:?is too}"
cd "$top_srcdir"
if ! command -v mandoc >/dev/null; then
	echo "man: mandoc is not installed"
	exit 1
fi
bad=0
for page in {lib,sql,policy,milter,lmtpd,auth,pop3d,ctl}/*.[1-8] \
	"$top_builddir"/lib/*.[1-8]; do
	[ -f "$page" ] || continue
	mandoc -Tlint -W warning "$page" || bad=1
done
for program in milter/mailrow-milter.8 lmtpd/mailrow-lmtpd.8 auth/mailrow-authd.8 \
	pop3d/mailrow-pop3d.8 ctl/mailrow.1; do
	if [ ! -f "$program" ]; then
		echo "$program: missing"
		bad=1
	fi
done
while read -r name; do
	code=$(awk -v "n=$name" '$1 == "#define" && $2 == n { print $3 }' \
		/usr/include/sysexits.h)
	if ! sed -n '/^\.Sh EXIT STATUS/,/^\.Sh EXAMPLES/p' ctl/mailrow.1 |
		grep -qw -- "${code:-no such code}"; then
		echo "ctl/mailrow.1: EXIT STATUS lacks $name, $code"
		bad=1
	fi
done < <(grep -ohw 'EX_[A-Z]*' ctl/*.c | sort -u)
for file in milter lmtpd authd pop3d purge admin; do
	if ! grep -q "^\.Pa mailrow-$file\.cnf" lib/mailrow.conf.5.in; then
		echo "lib/mailrow.conf.5.in: names no mailrow-$file.cnf"
		bad=1
	fi
done
[ "$bad" = 0 ] && echo "man: ok"
exit "$bad"
