noinst_LIBRARIES += pop3d/libpop.a
sbin_PROGRAMS += pop3d/mailrow-pop3d
dist_man_MANS += pop3d/mailrow-pop3d.8

# Pure: the protocol, the list of a mailbox, the table of clients.
pop3d_libpop_a_SOURCES = \
	pop3d/clients.c pop3d/clients.h \
	pop3d/popbox.c pop3d/popbox.h \
	pop3d/popcapa.c \
	pop3d/popcmd.c pop3d/popcmd.def pop3d/popcmd.h \
	pop3d/popevent.h \
	pop3d/poplist.c pop3d/poplist.h \
	pop3d/poplogin.c pop3d/poplogin.h \
	pop3d/popread.c pop3d/popread.h \
	pop3d/popstate.c pop3d/popstate.h \
	pop3d/poptls.c pop3d/poptls.h \
	pop3d/popxclient.c pop3d/popxclient.h

pop3d_mailrow_pop3d_SOURCES = \
	pop3d/chanclient.c pop3d/chanclient.h \
	pop3d/main.c \
	pop3d/parent.c pop3d/parent.h \
	pop3d/parent_accept.c \
	pop3d/parent_exec.c \
	pop3d/parent_keeper.c \
	pop3d/parent_listen.c \
	pop3d/parent_tls.c \
	pop3d/popio.c pop3d/popio.h \
	pop3d/popproxy.c pop3d/popproxy.h \
	pop3d/probe.c pop3d/probe.h \
	pop3d/session.c pop3d/session.h
pop3d_mailrow_pop3d_LDADD = pop3d/libkeeper.a pop3d/libpop.a $(SQL_LIBS) \
	$(SSL_LIBS)

if HAVE_CMOCKA
POP_TESTS = \
	tests/unit/test_clients \
	tests/unit/test_parenttls \
	tests/unit/test_popcmd \
	tests/unit/test_poplist \
	tests/unit/test_poplogin \
	tests/unit/test_popread \
	tests/unit/test_poprules \
	tests/unit/test_popstate \
	tests/unit/test_poptls \
	tests/unit/test_popxclient \
	tests/unit/test_session
POP_LDADD = pop3d/libpop.a $(CORE_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += $(POP_TESTS)
TESTS += $(POP_TESTS)

tests_unit_test_clients_SOURCES = tests/unit/test_clients.c
tests_unit_test_clients_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_clients_LDADD = $(POP_LDADD)

# Its clock is the test's.
tests_unit_test_parenttls_SOURCES = tests/unit/test_parenttls.c \
	pop3d/parent_tls.c
tests_unit_test_parenttls_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_parenttls_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=clock_gettime
tests_unit_test_parenttls_LDADD = $(SYS_LIBS) $(SSL_LIBS) $(CMOCKA_LIBS)

tests_unit_test_popcmd_SOURCES = tests/unit/test_popcmd.c
tests_unit_test_popcmd_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_popcmd_LDADD = $(POP_LDADD)

tests_unit_test_poplist_SOURCES = tests/unit/test_poplist.c
tests_unit_test_poplist_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_poplist_LDADD = $(POP_LDADD)

POP_RIG = tests/unit/poprig.c tests/unit/poprig.h tests/unit/poptest.h

tests_unit_test_poplogin_SOURCES = tests/unit/test_poplogin.c $(POP_RIG)
tests_unit_test_poplogin_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_poplogin_LDADD = $(POP_LDADD)

tests_unit_test_popread_SOURCES = tests/unit/test_popread.c $(POP_RIG)
tests_unit_test_popread_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_popread_LDADD = $(POP_LDADD)

tests_unit_test_poprules_SOURCES = tests/unit/test_poprules.c \
	tests/unit/poptalk.c tests/unit/poptalk.h $(POP_RIG)
tests_unit_test_poprules_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_poprules_LDADD = $(POP_LDADD)

tests_unit_test_poptls_SOURCES = tests/unit/test_poptls.c $(POP_RIG)
tests_unit_test_poptls_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_poptls_LDADD = $(POP_LDADD)

tests_unit_test_popstate_SOURCES = tests/unit/test_popstate.c $(POP_RIG)
tests_unit_test_popstate_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_popstate_LDADD = $(POP_LDADD)

tests_unit_test_popxclient_SOURCES = tests/unit/test_popxclient.c $(POP_RIG)
tests_unit_test_popxclient_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_popxclient_LDADD = $(POP_LDADD)

# A real session process; its clock and how it waits are the test's.
tests_unit_test_session_SOURCES = tests/unit/test_session.c \
	tests/unit/wire.h pop3d/chanclient.c pop3d/popio.c \
	pop3d/popproxy.c pop3d/probe.c pop3d/session.c
tests_unit_test_session_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_session_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=clock_gettime \
	-Wl,--wrap=ppoll
tests_unit_test_session_LDADD = pop3d/libpop.a $(SYS_LIBS) $(SSL_LIBS) \
	$(CMOCKA_LIBS)
endif

include pop3d/keeper.mk

EXTRA_DIST += \
	tests/dialog/pop3-capa.dialog \
	tests/dialog/pop3-long.dialog \
	tests/dialog/pop3-quit.dialog \
	tests/dialog/pop3-top.dialog \
	tests/dialog/pop3-transcript.dialog
