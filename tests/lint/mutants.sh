#!/bin/bash
# Each of the mutants (tests/mutate) still applies to the code as it is.
set -eu
: "${top_srcdir:?is set by make check}"
"$top_srcdir/tests/mutate" --list "$top_srcdir/tests/dialog/mutants" --dry-run
echo "mutants: ok"
