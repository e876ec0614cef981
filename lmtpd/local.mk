sbin_PROGRAMS += lmtpd/mailrow-lmtpd
noinst_LIBRARIES += lmtpd/liblmtp.a
dist_man_MANS += lmtpd/mailrow-lmtpd.8

# Pure: the protocol.
lmtpd_liblmtp_a_SOURCES = \
	lmtpd/lmtpcmd.def \
	lmtpd/lmtpparse.c lmtpd/lmtpparse.h \
	lmtpd/lmtpstate.c lmtpd/lmtpstate.h

lmtpd_mailrow_lmtpd_SOURCES = \
	lmtpd/endpoint.c lmtpd/endpoint.h \
	lmtpd/finish.c lmtpd/finish.h \
	lmtpd/forward.c lmtpd/forward.h \
	lmtpd/lmtpio.c lmtpd/lmtpio.h \
	lmtpd/main.c \
	lmtpd/message.c lmtpd/message.h \
	lmtpd/rcpt.c lmtpd/rcpt.h \
	lmtpd/say.c lmtpd/say.h \
	lmtpd/serve.c lmtpd/serve.h \
	lmtpd/session.c lmtpd/session.h
lmtpd_mailrow_lmtpd_CFLAGS = $(AM_CFLAGS) $(CURL_CFLAGS)
lmtpd_mailrow_lmtpd_LDADD = lmtpd/liblmtp.a $(JUDGE_LIBS) $(CURL_LIBS)

LMTP_LDADD = lmtpd/liblmtp.a $(CORE_LIBS)
EXTRA_DIST += tests/dialog/lmtp.dialog

if HAVE_CMOCKA
lmtp_tests = \
	tests/unit/test_headersplit \
	tests/unit/test_lmtpendpoint \
	tests/unit/test_lmtpstate
check_PROGRAMS += $(lmtp_tests)
TESTS += $(lmtp_tests)
tests_unit_test_headersplit_SOURCES = tests/unit/test_headersplit.c \
	tests/unit/wire.h
tests_unit_test_headersplit_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_headersplit_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_lmtpendpoint_SOURCES = tests/unit/test_lmtpendpoint.c \
	tests/unit/wire.h lmtpd/endpoint.c lmtpd/endpoint.h
tests_unit_test_lmtpendpoint_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_lmtpendpoint_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_lmtpstate_SOURCES = tests/unit/test_lmtpstate.c \
	tests/unit/wire.h
tests_unit_test_lmtpstate_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_lmtpstate_LDADD = $(LMTP_LDADD) $(CMOCKA_LIBS)
endif
