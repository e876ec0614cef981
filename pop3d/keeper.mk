# The keeper, the only part of mailrow-pop3d with database connections.
noinst_LIBRARIES += pop3d/libkeeper.a
pop3d_libkeeper_a_SOURCES = \
	pop3d/grudge.c pop3d/grudge.h \
	pop3d/keeper.c pop3d/keeper.h \
	pop3d/keeperauth.c pop3d/keeperauth.h \
	pop3d/keepercheck.c pop3d/keepercheck.h \
	pop3d/keeperchannel.c pop3d/keeperchannel.h \
	pop3d/keeperconf.c pop3d/keeperconf.h \
	pop3d/keeperconsole.c pop3d/keeperconsole.h \
	pop3d/keeperframes.c pop3d/keeperframes.h \
	pop3d/keeperjob.c pop3d/keeperjob.h \
	pop3d/keeperleasejob.c pop3d/keeperleasejob.h \
	pop3d/keeperlease.c pop3d/keeperlease.h \
	pop3d/keeperlimits.c pop3d/keeperlimits.h \
	pop3d/keeperlog.c pop3d/keeperlog.h \
	pop3d/keeperloop.c pop3d/keeperloop.h \
	pop3d/keeperstate.c pop3d/keeperstate.h \
	pop3d/keepersession.c pop3d/keepersession.h \
	pop3d/keeperstop.c pop3d/keeperstop.h \
	pop3d/keeperworkers.c pop3d/keeperworkers.h \
	pop3d/logindelay.c pop3d/logindelay.h

if HAVE_CMOCKA
KEEPER_TESTS = \
	tests/unit/test_keeperauth \
	tests/unit/test_keeperchannel \
	tests/unit/test_keepercheck \
	tests/unit/test_keeperframes \
	tests/unit/test_keeperjob \
	tests/unit/test_keeperlease \
	tests/unit/test_keeperlimits \
	tests/unit/test_keeperlog \
	tests/unit/test_keepersession \
	tests/unit/test_logindelay
KEEPER_TEST_LDADD = pop3d/libkeeper.a pop3d/libpop.a $(SYS_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += $(KEEPER_TESTS)
TESTS += $(KEEPER_TESTS)

tests_unit_test_keeperauth_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_keeperauth_SOURCES = tests/unit/test_keeperauth.c tests/unit/wire.h
tests_unit_test_keeperauth_LDADD = $(KEEPER_TEST_LDADD)

tests_unit_test_keeperchannel_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_keeperchannel_SOURCES = tests/unit/test_keeperchannel.c \
	tests/unit/wire.h
tests_unit_test_keeperchannel_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=clock_ms \
	-Wl,--wrap=keeperworkers_put -Wl,--wrap=metric_add_time
tests_unit_test_keeperchannel_LDADD = pop3d/libkeeper.a pop3d/libpop.a \
	$(SQL_LIBS) $(CMOCKA_LIBS)

tests_unit_test_keepercheck_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_keepercheck_SOURCES = tests/unit/test_keepercheck.c tests/unit/wire.h
tests_unit_test_keepercheck_LDADD = $(KEEPER_TEST_LDADD)

tests_unit_test_keeperframes_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_keeperframes_SOURCES = tests/unit/test_keeperframes.c tests/unit/wire.h
tests_unit_test_keeperframes_LDADD = $(KEEPER_TEST_LDADD)

tests_unit_test_keeperjob_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_keeperjob_SOURCES = tests/unit/test_keeperjob.c \
	tests/unit/keeperdrop.c tests/unit/keeperdrop.h tests/unit/wire.h
tests_unit_test_keeperjob_LDADD = $(KEEPER_TEST_LDADD)

tests_unit_test_keeperlease_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_keeperlease_SOURCES = tests/unit/test_keeperlease.c tests/unit/wire.h
tests_unit_test_keeperlease_LDADD = pop3d/libkeeper.a pop3d/libpop.a \
	$(SQL_LIBS) $(CMOCKA_LIBS)

tests_unit_test_keeperlimits_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_keeperlimits_SOURCES = tests/unit/test_keeperlimits.c tests/unit/wire.h
tests_unit_test_keeperlimits_LDADD = $(KEEPER_TEST_LDADD)

tests_unit_test_keeperlog_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_keeperlog_SOURCES = tests/unit/test_keeperlog.c tests/unit/wire.h
tests_unit_test_keeperlog_LDADD = $(KEEPER_TEST_LDADD)

tests_unit_test_keepersession_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_keepersession_SOURCES = tests/unit/test_keepersession.c tests/unit/wire.h
tests_unit_test_keepersession_LDADD = $(KEEPER_TEST_LDADD)

tests_unit_test_logindelay_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_logindelay_SOURCES = tests/unit/test_logindelay.c tests/unit/wire.h
tests_unit_test_logindelay_LDADD = $(KEEPER_TEST_LDADD)
endif

# The keeper alone between a database and sessions that
# tests/system/test_keeper.py plays.
check_PROGRAMS += tests/system/keeperrun
tests_system_keeperrun_SOURCES = tests/system/keeperrun.c
tests_system_keeperrun_LDADD = pop3d/libkeeper.a pop3d/libpop.a $(SQL_LIBS)
