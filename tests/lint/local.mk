# Lints: each prints file:line and what is wrong.
LINTS = \
	tests/lint/calls.py \
	tests/lint/faults.py \
	tests/lint/format.sh \
	tests/lint/functions.py \
	tests/lint/man.sh \
	tests/lint/marks.py \
	tests/lint/mutants.sh \
	tests/lint/policy.py \
	tests/lint/poprules.py \
	tests/lint/promises.py \
	tests/lint/purity.sh \
	tests/lint/replies.py \
	tests/lint/sabotage.sh \
	tests/lint/shell.sh \
	tests/lint/spelling.sh \
	tests/lint/sql.py \
	tests/lint/walls.py

TESTS += $(LINTS)
EXTRA_DIST += $(LINTS) tests/lint/lintlib.py tests/lint/pure-symbols \
	tests/lint/words

lint: all
	$(MAKE) $(AM_MAKEFLAGS) check-TESTS TESTS='$(LINTS)'
.PHONY: lint
