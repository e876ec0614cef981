noinst_LIBRARIES += policy/libpolicy.a policy/libjudge.a
dist_man_MANS += policy/mailrow-policy.7

# Pure: facts in, verdict out.
policy_libpolicy_a_SOURCES = policy/account.h \
	policy/authors.c policy/authors.h \
	policy/decisionid.c policy/decisionid.h \
	policy/expand.c policy/expand.h \
	policy/helo.c policy/helo.h \
	policy/facts.h \
	policy/keymap.c policy/keymap.h \
	policy/limit.c policy/limit.h \
	policy/noticetext.c policy/noticetext.h \
	policy/netmap.c policy/netmap.h \
	policy/pattern.c policy/pattern.h \
	policy/predicate.c policy/predicate.def policy/predicate.h
policy_libjudge_a_SOURCES = policy/decisionlog.c policy/decisionlog.h \
	policy/decisionnote.c policy/decisionnote.h \
	policy/underway.c policy/underway.h \
	policy/intake.c policy/intake.h \
	policy/intakecharge.c policy/intakecharge.h \
	policy/intakelog.c policy/intakelog.h \
	policy/judge.c policy/judge.h \
	policy/judge_account.c \
	policy/judge_limits.c \
	policy/judge_lookup.c policy/judge_lookup.h \
	policy/judge_rcpt.c policy/judgeint.h \
	policy/judge_sender.c \
	policy/judge_memory.c policy/judge_memory.h \
	policy/lookup_owns.c policy/lookup_owns.h \
	policy/limits.c policy/limits.h \
	policy/notice.c policy/notice.h \
	policy/notice_hook.c policy/notice_hook.h \
	policy/notice_mail.c policy/notice_mail.h \
	policy/settings.c policy/settings.h

# The policy's tables in memory.
policy_libpolicy_a_SOURCES += \
	policy/snapshot.c policy/snapshot.h policy/snapshotint.h \
	policy/snapshot_make.c policy/snapshot_make.h
policy_libjudge_a_SOURCES += policy/refresh.c policy/refresh.h

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/test_policy tests/unit/test_judge_memory \
	tests/unit/test_expand tests/unit/test_limit \
	tests/unit/test_noticetext
TESTS += tests/unit/test_policy tests/unit/test_judge_memory \
	tests/unit/test_expand tests/unit/test_limit \
	tests/unit/test_noticetext
tests_unit_test_limit_SOURCES = tests/unit/test_limit.c
tests_unit_test_limit_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_limit_LDADD = policy/libpolicy.a $(CORE_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/test_decisionid
TESTS += tests/unit/test_decisionid
tests_unit_test_decisionid_SOURCES = tests/unit/test_decisionid.c
tests_unit_test_decisionid_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_decisionid_LDADD = policy/libpolicy.a $(CORE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_noticetext_SOURCES = tests/unit/test_noticetext.c
tests_unit_test_noticetext_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_noticetext_LDADD = policy/libpolicy.a $(CORE_LIBS) \
	$(CMOCKA_LIBS)
tests_unit_test_expand_SOURCES = tests/unit/test_expand.c \
	tests/unit/expandrows.h tests/unit/nomem.h \
	tests/unit/world.c tests/unit/world.h
tests_unit_test_expand_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_expand_LDFLAGS = $(AM_LDFLAGS) $(UNIT_NOMEM) \
	-Wl,--wrap=reallocarray
tests_unit_test_expand_LDADD = policy/libpolicy.a $(CORE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_policy_SOURCES = tests/unit/test_policy.c
tests_unit_test_policy_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_policy_LDADD = policy/libpolicy.a $(CORE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_judge_memory_SOURCES = tests/unit/test_judge_memory.c
tests_unit_test_judge_memory_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_judge_memory_LDADD = policy/libjudge.a $(CORE_LIBS) \
	$(CMOCKA_LIBS)

UNIT_RECIPIENTS = tests/unit/test_underway
check_PROGRAMS += $(UNIT_RECIPIENTS)
TESTS += $(UNIT_RECIPIENTS)
tests_unit_test_underway_SOURCES = tests/unit/test_underway.c
tests_unit_test_underway_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_underway_LDADD = policy/libjudge.a $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_SENDER = tests/unit/test_authors tests/unit/test_helo
check_PROGRAMS += $(UNIT_SENDER)
TESTS += $(UNIT_SENDER)
tests_unit_test_authors_SOURCES = tests/unit/test_authors.c tests/unit/wire.h
tests_unit_test_authors_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_authors_LDADD = policy/libpolicy.a $(CORE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_helo_SOURCES = tests/unit/test_helo.c tests/unit/wire.h
tests_unit_test_helo_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_helo_LDADD = policy/libpolicy.a $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_SNAPSHOT = tests/unit/test_netmap tests/unit/test_pattern \
	tests/unit/test_snapshot
check_PROGRAMS += $(UNIT_SNAPSHOT)
TESTS += $(UNIT_SNAPSHOT)
tests_unit_test_netmap_SOURCES = tests/unit/test_netmap.c
tests_unit_test_netmap_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_netmap_LDADD = policy/libpolicy.a $(CORE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_pattern_SOURCES = tests/unit/test_pattern.c
tests_unit_test_pattern_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_pattern_LDADD = policy/libpolicy.a $(CORE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_snapshot_SOURCES = tests/unit/test_snapshot.c
tests_unit_test_snapshot_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_snapshot_LDADD = policy/libpolicy.a $(CORE_LIBS) $(CMOCKA_LIBS)
endif
