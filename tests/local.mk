EXTRA_DIST += tests/mutate tests/dialog/mutants

# Breaks the program in a private copy, one edit after the other. PART=2/3
# makes every third from the second on, MUTANTS names some.
PART = 1/1
check-mutants: all
	top_builddir='$(abs_top_builddir)' $(PYTHON3) $(srcdir)/tests/mutate \
		--list $(srcdir)/tests/dialog/mutants --part $(PART) $(MUTANTS)
.PHONY: check-mutants

include tests/unit/base.mk
include tests/unit/wire.mk
include tests/unit/sys.mk
include tests/fuzz/local.mk
include tests/lint/local.mk
include tests/sql/local.mk
include tests/system/local.mk
include tests/faults/local.mk
include tests/bench/local.mk
