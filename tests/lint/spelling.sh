#!/bin/bash
# Documents, manual pages and comments for codespell.
set -eu
: "${top_srcdir:?is set by make check}"
cd "$top_srcdir"
if ! command -v codespell >/dev/null; then
	echo "spelling: codespell is not installed"
	exit 1
fi
# shellcheck disable=SC2046
codespell --ignore-words tests/lint/words \
	$(find ./*.md quickstart runtests lib sql policy milter lmtpd auth pop3d ctl \
		packaging tests -type f ! -path '*/corpus/*' ! -path '*/__pycache__/*' \
		\( -name '*.md' -o -name '*.[chsq1-8]' -o -name '*.def' \
		-o -name '*.sh' -o -name '*.py' -o -name '*.sql' \
		-o -name sandbox -o -name quickstart -o -name runtests \) | sort)
echo "spelling: ok"
