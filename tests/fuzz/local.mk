# Fuzz targets. Each is one file tests/fuzz/fuzz_NAME.c that defines
# LLVMFuzzerTestOneInput() and a folder tests/fuzz/corpus/fuzz_NAME/ of inputs.
# To add one, add a word to FUZZERS. Sources outside lib/libcore.a that a
# target needs go to tests_fuzz_fuzz_NAME_SOURCES (with the target's own), and
# into FUZZ_FILES for `make fuzz`.
#
# `make check` builds each with replay.c as main() and runs it over its corpus.
# `make fuzz` builds them with clang's libFuzzer and sanitizers into fuzz-bin/
# and lets each search for FUZZ_SECONDS, from the corpus; what it finds stays
# in fuzz-bin/found/fuzz_NAME/, a crash as fuzz-bin/fuzz_NAME-crash-*:
#     make fuzz FUZZ_SECONDS=600 FUZZ_TARGETS='fuzz_addr fuzz_chan'
# To keep what was found: fuzz-bin/fuzz_NAME -merge=1 CORPUS FOUND.
FUZZERS = \
	tests/fuzz/fuzz_addr \
	tests/fuzz/fuzz_addrlist \
	tests/fuzz/fuzz_attackers \
	tests/fuzz/fuzz_authproto \
	tests/fuzz/fuzz_base64 \
	tests/fuzz/fuzz_chan \
	tests/fuzz/fuzz_conf \
	tests/fuzz/fuzz_dot \
	tests/fuzz/fuzz_expand \
	tests/fuzz/fuzz_header \
	tests/fuzz/fuzz_headersplit \
	tests/fuzz/fuzz_limit \
	tests/fuzz/fuzz_line \
	tests/fuzz/fuzz_lmtp \
	tests/fuzz/fuzz_popline \
	tests/fuzz/fuzz_popstate \
	tests/fuzz/fuzz_proxyproto \
	tests/fuzz/fuzz_mech \
	tests/fuzz/fuzz_receipt \
	tests/fuzz/fuzz_saslwire \
	tests/fuzz/fuzz_snapshot \
	tests/fuzz/fuzz_trace

check_PROGRAMS += $(FUZZERS)
TESTS += $(FUZZERS)
check_LIBRARIES = tests/fuzz/libreplay.a
tests_fuzz_libreplay_a_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_attackers_SOURCES = tests/fuzz/fuzz_attackers.c \
	auth/attackers.c auth/attackers.h
tests_fuzz_fuzz_mech_SOURCES = tests/fuzz/fuzz_mech.c auth/mech.c auth/mech.h
tests_fuzz_fuzz_saslwire_SOURCES = tests/fuzz/fuzz_saslwire.c auth/saslwire.c \
	auth/saslwire.h
# Of every program without an LDADD of its own: these targets.
LDADD = tests/fuzz/libreplay.a $(CORE_LIBS)
tests_fuzz_fuzz_lmtp_SOURCES = tests/fuzz/fuzz_lmtp.c
tests_fuzz_fuzz_lmtp_LDADD = lmtpd/liblmtp.a tests/fuzz/libreplay.a \
	$(CORE_LIBS)
FUZZ_POP = pop3d/libpop.a tests/fuzz/libreplay.a $(CORE_LIBS)
tests_fuzz_fuzz_popline_SOURCES = tests/fuzz/fuzz_popline.c
tests_fuzz_fuzz_popline_LDADD = $(FUZZ_POP)
tests_fuzz_fuzz_popstate_SOURCES = tests/fuzz/fuzz_popstate.c \
	tests/unit/poprig.c tests/unit/poprig.h \
	tests/unit/poptalk.c tests/unit/poptalk.h
tests_fuzz_fuzz_popstate_LDADD = $(FUZZ_POP)
tests_fuzz_fuzz_expand_SOURCES = tests/fuzz/fuzz_expand.c \
	tests/unit/world.c tests/unit/world.h
tests_fuzz_fuzz_expand_LDADD = policy/libpolicy.a tests/fuzz/libreplay.a \
	$(CORE_LIBS)
tests_fuzz_fuzz_limit_SOURCES = tests/fuzz/fuzz_limit.c
tests_fuzz_fuzz_limit_LDADD = policy/libpolicy.a tests/fuzz/libreplay.a \
	$(CORE_LIBS)
tests_fuzz_fuzz_snapshot_SOURCES = tests/fuzz/fuzz_snapshot.c
tests_fuzz_fuzz_snapshot_LDADD = policy/libpolicy.a tests/fuzz/libreplay.a \
	$(CORE_LIBS)
EXTRA_DIST += tests/fuzz/corpus

FUZZ_CC = clang
FUZZ_SECONDS = 60
FUZZ_TARGETS = $(FUZZERS)
FUZZ_FILES = $(lib_libcore_a_SOURCES) $(pop3d_libpop_a_SOURCES) \
	$(lmtpd_liblmtp_a_SOURCES) \
	policy/expand.c policy/keymap.c policy/limit.c policy/netmap.c \
	policy/pattern.c \
	policy/predicate.c policy/snapshot.c policy/snapshot_make.c \
	tests/unit/poprig.c tests/unit/poptalk.c \
	tests/unit/world.c auth/attackers.c auth/mech.c \
	auth/saslwire.c
FUZZ_COMPILE = $(FUZZ_CC) $(DEFS) $(DEFAULT_INCLUDES) $(AM_CPPFLAGS) \
	$(CPPFLAGS) -std=c11 -g -O1 $(CRYPTO_CFLAGS) $(IDN2_CFLAGS) \
	-fsanitize=address,undefined -fno-sanitize-recover=all

# The objects are few and always made anew: no dependency to get wrong.
fuzz: $(BUILT_SOURCES)
	@rm -rf fuzz-bin/obj
	@$(MKDIR_P) fuzz-bin/obj
	@for s in $(FUZZ_FILES); do \
		case $$s in *.c) ;; *) continue ;; esac; \
		o=fuzz-bin/obj/`echo $$s | tr / _`.o; \
		echo "  FUZZ-CC  $$s"; \
		$(FUZZ_COMPILE) -fsanitize=fuzzer-no-link \
			-c -o $$o $(srcdir)/$$s || exit 1; \
	done
	@for t in $(FUZZ_TARGETS); do \
		t=$${t##*/}; \
		echo "  FUZZ-LD  $$t"; \
		$(FUZZ_COMPILE) -fsanitize=fuzzer -o fuzz-bin/$$t \
			$(srcdir)/tests/fuzz/$$t.c fuzz-bin/obj/*.o \
			$(CRYPTO_LIBS) $(IDN2_LIBS) || exit 1; \
	done
	@for t in $(FUZZ_TARGETS); do \
		t=$${t##*/}; \
		echo "  FUZZ     $$t ($(FUZZ_SECONDS) s)"; \
		$(MKDIR_P) fuzz-bin/found/$$t; \
		fuzz-bin/$$t -max_total_time=$(FUZZ_SECONDS) -timeout=10 \
			-print_final_stats=0 -verbosity=0 \
			-artifact_prefix=fuzz-bin/$$t- fuzz-bin/found/$$t \
			$(srcdir)/tests/fuzz/corpus/$$t || exit 1; \
	done

clean-local:
	rm -rf fuzz-bin

.PHONY: fuzz
