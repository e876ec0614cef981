# Tests of what goes over wires: lib/ files without any system call.
if HAVE_CMOCKA
WIRE_TESTS = \
	tests/unit/test_addr \
	tests/unit/test_addrlist \
	tests/unit/test_authproto \
	tests/unit/test_base64 \
	tests/unit/test_chan \
	tests/unit/test_dot \
	tests/unit/test_header \
	tests/unit/test_line \
	tests/unit/test_proxyproto \
	tests/unit/test_maildate \
	tests/unit/test_receipt \
	tests/unit/test_trace \
	tests/unit/test_uidl
WIRE_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += $(WIRE_TESTS)
TESTS += $(WIRE_TESTS)

tests_unit_test_addr_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_addr_SOURCES = tests/unit/test_addr.c tests/unit/wire.h
tests_unit_test_addr_LDADD = $(WIRE_LDADD)

tests_unit_test_addrlist_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_addrlist_SOURCES = tests/unit/test_addrlist.c \
	tests/unit/wire.h
tests_unit_test_addrlist_LDADD = $(WIRE_LDADD)

tests_unit_test_authproto_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_authproto_SOURCES = tests/unit/test_authproto.c tests/unit/wire.h
tests_unit_test_authproto_LDADD = $(WIRE_LDADD)

tests_unit_test_base64_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_base64_SOURCES = tests/unit/test_base64.c tests/unit/wire.h
tests_unit_test_base64_LDADD = $(WIRE_LDADD)

tests_unit_test_chan_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_chan_SOURCES = tests/unit/test_chan.c tests/unit/wire.h
tests_unit_test_chan_LDADD = $(WIRE_LDADD)

tests_unit_test_dot_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_dot_SOURCES = tests/unit/test_dot.c tests/unit/wire.h
tests_unit_test_dot_LDADD = $(WIRE_LDADD)

tests_unit_test_header_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_header_SOURCES = tests/unit/test_header.c tests/unit/wire.h
tests_unit_test_header_LDADD = $(WIRE_LDADD)

tests_unit_test_line_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_line_SOURCES = tests/unit/test_line.c tests/unit/wire.h
tests_unit_test_line_LDADD = $(WIRE_LDADD)

tests_unit_test_proxyproto_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_proxyproto_SOURCES = tests/unit/test_proxyproto.c tests/unit/wire.h
tests_unit_test_proxyproto_LDADD = $(WIRE_LDADD)

tests_unit_test_maildate_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_maildate_SOURCES = tests/unit/test_maildate.c tests/unit/wire.h
tests_unit_test_maildate_LDADD = $(WIRE_LDADD)

tests_unit_test_receipt_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_receipt_SOURCES = tests/unit/test_receipt.c tests/unit/wire.h
tests_unit_test_receipt_LDADD = $(WIRE_LDADD)

tests_unit_test_trace_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_trace_SOURCES = tests/unit/test_trace.c tests/unit/wire.h
tests_unit_test_trace_LDADD = $(WIRE_LDADD)

tests_unit_test_uidl_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_uidl_SOURCES = tests/unit/test_uidl.c tests/unit/wire.h
tests_unit_test_uidl_LDADD = $(WIRE_LDADD)
endif
