#!/bin/bash
# Every script is clean for shellcheck.
set -eu
: "${top_srcdir:?is set by make check}"
cd "$top_srcdir"
if ! command -v shellcheck >/dev/null; then
	echo "shell: shellcheck is not installed"
	exit 1
fi
scripts=$(find quickstart runtests .ci packaging tests sql -type f \
	! -path '*/corpus/*' ! -path '*/__pycache__/*' | sort | while read -r f; do
	if head -n 1 "$f" | grep -aqE '^#!.*\b(ba)?sh$'; then
		printf '%s\n' "$f"
	fi
done)
# sandbox.d is sourced by packaging/sandbox and has no first line of its own
# shellcheck disable=SC2086
shellcheck -x -P SCRIPTDIR $scripts
echo "shell: ok"
