#!/bin/sh
# Runs the named test programs one after the other; tells which failed.
set -u
failed=
for test in "$@"; do
	echo "== $test"
	"./$test" || failed="$failed $test"
done
test -z "$failed" || { echo "failed:$failed" >&2; exit 1; }
