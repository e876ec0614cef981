# Values, texts and the configuration.
if HAVE_CMOCKA
unit_base = \
	tests/unit/test_apppass \
	tests/unit/test_buf \
	tests/unit/test_conf \
	tests/unit/test_confload \
	tests/unit/test_esc \
	tests/unit/test_network \
	tests/unit/test_reply \
	tests/unit/test_span \
	tests/unit/test_tlsname \
	tests/unit/test_tlsticket
check_PROGRAMS += $(unit_base)
TESTS += $(unit_base)
endif

# The allocators can be told to fail (nomem.h).
UNIT_NOMEM = -Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=strdup

tests_unit_test_apppass_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_apppass_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_buf_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_buf_LDFLAGS = $(AM_LDFLAGS) $(UNIT_NOMEM)
tests_unit_test_buf_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_buf_SOURCES = tests/unit/test_buf.c tests/unit/nomem.h
tests_unit_test_conf_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_conf_LDFLAGS = $(AM_LDFLAGS) $(UNIT_NOMEM)
tests_unit_test_conf_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_conf_SOURCES = tests/unit/test_conf.c tests/unit/nomem.h
tests_unit_test_confload_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_confload_LDFLAGS = $(AM_LDFLAGS) $(UNIT_NOMEM)
tests_unit_test_confload_LDADD = $(SYS_LIBS) $(CMOCKA_LIBS)
tests_unit_test_confload_SOURCES = tests/unit/test_confload.c \
	tests/unit/nomem.h
tests_unit_test_esc_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_esc_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_network_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_network_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_reply_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_reply_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_span_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_span_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_tlsname_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_tlsname_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_tlsname_SOURCES = tests/unit/test_tlsname.c
tests_unit_test_tlsticket_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_tlsticket_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_tlsticket_SOURCES = tests/unit/test_tlsticket.c
