sbin_PROGRAMS += milter/mailrow-milter
dist_man_MANS += milter/mailrow-milter.8

milter_mailrow_milter_SOURCES = \
	milter/callbacks.c milter/callbacks.h \
	milter/drain.c milter/drain.h \
	milter/endpoint.c milter/endpoint.h \
	milter/finish.c milter/finish.h \
	milter/main.c \
	milter/message.c milter/message.h \
	milter/mf.c milter/mf.h \
	milter/milteraccept.c milter/milteraccept.h \
	milter/protocol.c milter/protocol.h \
	milter/say.c milter/say.h \
	milter/session.c milter/session.h
milter_mailrow_milter_CFLAGS = $(AM_CFLAGS) $(MILTER_CFLAGS)
milter_mailrow_milter_LDADD = $(JUDGE_LIBS) $(MILTER_LIBS)

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/test_endpoint
TESTS += tests/unit/test_endpoint
tests_unit_test_endpoint_SOURCES = tests/unit/test_endpoint.c \
	milter/endpoint.c milter/endpoint.h
tests_unit_test_endpoint_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_endpoint_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
endif
