# Tests of the system side of lib/ and of mailrow-authd.
if HAVE_CMOCKA
sys_tests = \
	tests/unit/test_attackers \
	tests/unit/test_metric \
	tests/unit/test_authmemory \
	tests/unit/test_daemon \
	tests/unit/test_doors \
	tests/unit/test_pending \
	tests/unit/test_log \
	tests/unit/test_mech \
	tests/unit/test_net \
	tests/unit/test_pwhash \
	tests/unit/test_saslwire \
	tests/unit/test_secret \
	tests/unit/test_syscalls \
	tests/unit/test_tick \
	tests/unit/test_spool
if FAULT_POINTS
sys_tests += tests/unit/test_fault
endif
check_PROGRAMS += $(sys_tests)
TESTS += $(sys_tests)

tests_unit_test_attackers_SOURCES = tests/unit/test_attackers.c \
	auth/attackers.c auth/attackers.h
tests_unit_test_attackers_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_attackers_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)

tests_unit_test_pending_SOURCES = tests/unit/test_pending.c \
	auth/pending.c auth/pending.h
tests_unit_test_pending_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_pending_LDADD = $(CMOCKA_LIBS)

tests_unit_test_authmemory_SOURCES = tests/unit/test_authmemory.c \
	auth/memory.c auth/memory.h auth/weak.c auth/weak.h
tests_unit_test_authmemory_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_authmemory_LDADD = $(SQL_LIBS) $(CMOCKA_LIBS)

tests_unit_test_doors_SOURCES = tests/unit/test_doors.c auth/doors.c \
	auth/doors.h
tests_unit_test_doors_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_doors_LDADD = $(SQL_LIBS) $(CMOCKA_LIBS)

tests_unit_test_daemon_SOURCES = tests/unit/test_daemon.c
tests_unit_test_daemon_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_daemon_LDADD = $(SYS_LIBS) $(CMOCKA_LIBS)

tests_unit_test_fault_SOURCES = tests/unit/test_fault.c
tests_unit_test_fault_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_fault_LDADD = $(SYS_LIBS) $(CMOCKA_LIBS)

tests_unit_test_syscalls_SOURCES = tests/unit/test_syscalls.c
tests_unit_test_syscalls_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_syscalls_LDADD = $(SYS_LIBS) $(CMOCKA_LIBS)

tests_unit_test_metric_SOURCES = tests/unit/test_metric.c
tests_unit_test_metric_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_metric_LDADD = $(SYS_LIBS) $(CMOCKA_LIBS)

# It includes lib/log.c, to give it a syslog of its own.
tests_unit_test_log_SOURCES = tests/unit/test_log.c
tests_unit_test_log_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_log_LDADD = $(SYS_LIBS) $(CMOCKA_LIBS)

tests_unit_test_mech_SOURCES = tests/unit/test_mech.c auth/digest.c \
	auth/digest.h auth/mech.c auth/mech.h
tests_unit_test_mech_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_mech_LDADD = $(SYS_LIBS) $(CMOCKA_LIBS)

tests_unit_test_net_SOURCES = tests/unit/test_net.c
tests_unit_test_net_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_net_LDADD = $(SYS_LIBS) $(CMOCKA_LIBS)

tests_unit_test_pwhash_SOURCES = tests/unit/test_pwhash.c
tests_unit_test_pwhash_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_pwhash_LDADD = $(SYS_LIBS) $(CMOCKA_LIBS)

tests_unit_test_saslwire_SOURCES = tests/unit/test_saslwire.c \
	auth/saslwire.c auth/saslwire.h
tests_unit_test_saslwire_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_saslwire_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)

tests_unit_test_secret_SOURCES = tests/unit/test_secret.c
tests_unit_test_secret_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_secret_LDADD = $(SYS_LIBS) $(CMOCKA_LIBS)

tests_unit_test_tick_SOURCES = tests/unit/test_tick.c auth/tick.c auth/tick.h
tests_unit_test_tick_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_tick_LDADD = $(CMOCKA_LIBS)

tests_unit_test_spool_SOURCES = tests/unit/test_spool.c
tests_unit_test_spool_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_spool_LDADD = $(SYS_LIBS) $(CMOCKA_LIBS)
endif
