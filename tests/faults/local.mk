# Traffic through a sandbox while something fails; root. FAULTS="--all --rounds 3"
# is the whole matrix, FAULTS="--only 'milter*'" a part.
EXTRA_DIST += tests/faults/README.md tests/faults/run \
	tests/faults/between.py tests/faults/clients.py tests/faults/inject.py \
	tests/faults/ledger.py tests/faults/mails.py tests/faults/oracle.py \
	tests/faults/powercut.c tests/faults/powercut.py \
	tests/faults/proxy.py tests/faults/rows.py \
	tests/faults/rows_control.py tests/faults/rows_db.py \
	tests/faults/rows_env.py tests/faults/rows_kill.py \
	tests/faults/rows_mta.py tests/faults/rows_points.py \
	tests/faults/rows_power.py tests/faults/rows_tls.py \
	tests/faults/rows_proxy.py tests/faults/table.py \
	tests/faults/sabotage/blind-retry.patch \
	tests/faults/sabotage/no-receipts.patch \
	tests/faults/sabotage/ok-before-commit.patch \
	tests/faults/sabotage/reply-before-commit.patch \
	tests/faults/traffic.py tests/faults/world.py

# Preloaded into MariaDB: knows what it has not flushed yet.
tests/faults/powercut.so: tests/faults/powercut.c
	$(AM_V_CC)$(MKDIR_P) tests/faults && $(CC) -O2 -Wall -D_GNU_SOURCE \
		-shared -fPIC -o $@ $(srcdir)/tests/faults/powercut.c -ldl
CLEANFILES += tests/faults/powercut.so

check-faults: all tests/faults/powercut.so
	MAILROW_BUILD='$(abs_top_builddir)' top_srcdir='$(abs_top_srcdir)' \
		PYTHONDONTWRITEBYTECODE=1 \
		$(PYTHON3) $(srcdir)/tests/faults/run $(FAULTS)
.PHONY: check-faults

# All there is: the matrix three times, each single failure of an allocation, a
# mail of 200 MB.
check-faults-whole:
	$(MAKE) check-faults FAULTS='--all --rounds 3'
	$(MAKE) check-nomem MAILROW_NOMEM_ALL=1
	$(MAKE) check-sys SYS=test_bigmail MAILROW_BIG_MAIL=200
.PHONY: check-faults-whole

# One allocation fails: a shim that is preloaded, and what drives it.
# NOMEM="test_nomem.Mail" runs a part, MAILROW_NOMEM_ALL=1 every single failure.
EXTRA_DIST += tests/faults/nomem.c tests/faults/nomem.py \
	tests/faults/test_nomem.py
CLEANFILES += tests/faults/nomem.so

tests/faults/nomem.so: $(srcdir)/tests/faults/nomem.c config.h
	$(AM_V_CCLD)$(MKDIR_P) tests/faults && \
	$(CC) -I. -include config.h -O2 -g -fPIC -shared -o $@ \
		$(srcdir)/tests/faults/nomem.c

check-nomem: all tests/faults/nomem.so
	MAILROW_BUILD='$(abs_top_builddir)' top_srcdir='$(abs_top_srcdir)' \
		PYTHONDONTWRITEBYTECODE=1 \
		PYTHONPATH='$(abs_top_srcdir)/tests/faults' \
		$(PYTHON3) $(srcdir)/tests/system/run.py $(NOMEM)
NOMEM = test_nomem.Mail test_nomem.Fetching test_nomem.Login test_nomem.Relay
.PHONY: check-nomem
