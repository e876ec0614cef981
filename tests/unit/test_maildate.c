/* tests/unit/test_maildate.c */
#include "tests/unit/wire.h"

#include "lib/maildate.h"
#include "lib/trace.h"

static void dates_are_read(void **state)
{
	static const struct {
		const char *text;
		int64_t time;
	} rows[] = {
		{ "Sat, 28 Nov 2026 03:46:12 +0000 (UTC)", 1795837572 },
		{ "Sat, 28 Nov 2026 04:46:12 +0100 (CET)", 1795837572 },
		{ " Fri, 27 Nov 2026 20:16:12 -0730", 1795837572 },
		{ "28 nov 2026 03:46 +0000", 1795837560 },
		{ "Thu,\r\n\t1  Jan 1970 00:00:00 -0000 ", 0 },
		{ "29 Feb 2000 12:00:00 +0000", 951825600 },
		{ "1 Mar 2000 12:00:00 +0000", 951912000 },
		{ "31 Dec 1999 23:59:60 +0000", 946684800 },
	};
	int64_t t;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_true(maildate_parse(span_of(rows[i].text), &t));
		assert_int_equal(t, rows[i].time);
	}
}

static void what_is_no_date_is_not_read(void **state)
{
	static const char *const rows[] = {
		"",
		"Sat",
		"Sat, 28 Nov 2026",
		"28 Nov 2026 03:46:12",
		"28 Nov 2026 03:46:12 UTC",
		"28 Nov 2026 03:46:12 +00",
		"28 Nov 2026 03:46:12 +0000 x",
		"28 Nov 26 03:46:12 +0000",
		"0 Nov 2026 03:46:12 +0000",
		"32 Nov 2026 03:46:12 +0000",
		"28 Nox 2026 03:46:12 +0000",
		"28 Nov 2026 24:46:12 +0000",
		"28 Nov 2026 03:60:12 +0000",
		"28 Nov 2026 03:46:61 +0000",
		"28 Nov 2026 03:46: +0000",
		"28 Nov 99999999999999999999 03:46:12 +0000",
		"2026-11-28T03:46:12Z",
	};
	int64_t t;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_false(maildate_parse(span_of(rows[i]), &t));
}

/* Whatever day it is. */
static void what_is_written_is_read_again(void **state)
{
	(void)state;
	for (int64_t t = 0; t < INT64_C(8000000000); t += 86399) {
		struct buf b = BUF_INIT(64);
		int64_t again;

		trace_put_date(&b, t);
		assert_true(maildate_parse(buf_span(&b), &again));
		assert_int_equal(again, t);
		buf_release(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dates_are_read),
		cmocka_unit_test(what_is_no_date_is_not_read),
		cmocka_unit_test(what_is_written_is_read_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
