#!/bin/bash
# Each of the four mistakes that the fault matrix must find (negative control)
# still applies to the code as it is.
set -eu
: "${top_srcdir:?is set by make check}"
patches=$(cd "$top_srcdir" && pwd)/tests/faults/sabotage
for p in "$patches"/*.patch; do
	patch -d "$top_srcdir" -p1 -F0 -s -f --dry-run -i "$p" || {
		echo "$p:1: does not apply: make it again"
		exit 1
	}
done
echo "sabotage: ok"
