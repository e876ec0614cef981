# Load generators and comparisons: `make bench-tools`, then tests/bench/accept
# and tests/bench/pop3 (root), which print ratios to peers run beside us.
EXTRA_PROGRAMS += tests/bench/smtpload tests/bench/pop3bench \
	tests/bench/discard-milter tests/bench/mdtool
tests_bench_smtpload_SOURCES = tests/bench/smtpload.c tests/bench/util.h
tests_bench_smtpload_LDADD = -lpthread
tests_bench_pop3bench_SOURCES = tests/bench/pop3bench.c tests/bench/util.h
tests_bench_pop3bench_LDADD = -lssl $(CRYPTO_LIBS) -lpthread
tests_bench_discard_milter_SOURCES = tests/bench/discard-milter.c
tests_bench_discard_milter_LDADD = $(MILTER_LIBS) -lpthread

tests_bench_mdtool_SOURCES = tests/bench/mdtool.c tests/bench/util.h

# Tools of their own kind: none of the product's flags and bans.
tests_bench_smtpload_CPPFLAGS = -DLOAD_GENERATOR
tests_bench_smtpload_CFLAGS = -Wall -Wextra
tests_bench_pop3bench_CPPFLAGS = -DLOAD_GENERATOR
tests_bench_pop3bench_CFLAGS = -Wall -Wextra
tests_bench_mdtool_CPPFLAGS = -DLOAD_GENERATOR
tests_bench_mdtool_CFLAGS = -Wall -Wextra
tests_bench_discard_milter_CPPFLAGS = -DLOAD_GENERATOR
tests_bench_discard_milter_CFLAGS = -Wall -Wextra $(MILTER_CFLAGS)

tests/bench/popa3d-limits.so: tests/bench/popa3d-limits.c
	$(AM_V_CC)$(CC) -O2 -Wall -shared -fPIC -o $@ \
		$(srcdir)/tests/bench/popa3d-limits.c

bench-tools: tests/bench/smtpload tests/bench/pop3bench \
	tests/bench/discard-milter tests/bench/mdtool \
	tests/bench/popa3d-limits.so
.PHONY: bench-tools

CLEANFILES += tests/bench/popa3d-limits.so
EXTRA_DIST += tests/bench/popa3d-limits.c tests/bench/accept tests/bench/auth tests/bench/auth-poll \
	tests/bench/auth-timing \
	tests/bench/benchlib.py tests/bench/pop3 tests/bench/pop3peers.py \
	tests/bench/README.md
