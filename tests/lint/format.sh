#!/bin/bash
# Layout is clang-format's; tables (.def) are aligned by hand.
set -eu
: "${top_srcdir:?is set by make check}"
cd "$top_srcdir"
if ! command -v clang-format >/dev/null; then
	echo "format: clang-format is not installed"
	exit 1
fi
# shellcheck disable=SC2046
clang-format --dry-run -Werror $(find lib sql policy milter auth pop3d ctl \
	tests \( -name '*.c' -o -name '*.h' \) -type f | sort)
echo "format: ok"
