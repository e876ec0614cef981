/* tests/unit/test_header.c */
#include "tests/unit/wire.h"

#include "lib/header.h"

static void a_header_is_put_in_its_own_octets(void **state)
{
	static const struct {
		const char *value;
		const char *want;
	} rows[] = {
		{ " hello", "Subject: hello\r\n" },
		{ "", "Subject:\r\n" },
		{ "\t two  blanks ", "Subject:\t two  blanks \r\n" },
		{ " a\n\tb\n c", "Subject: a\r\n\tb\r\n c\r\n" },
		{ " a\r\n b", "Subject: a\r\n b\r\n" },
		{ " a\n \n b", "Subject: a\r\n \r\n b\r\n" },
		{ " a\rb\r", "Subject: a\rb\r\r\n" },
		{ " \xff\xc3\xa4", "Subject: \xff\xc3\xa4\r\n" },
		/* nothing that a value holds ends the header */
		{ " a\n", "Subject: a\r\n" },
		{ " a\r\n\r\n\n", "Subject: a\r\n" },
		{ " a\nBcc: x", "Subject: a\r\n\tBcc: x\r\n" },
		{ " a\n\nbody", "Subject: a\r\n\t\r\n\tbody\r\n" },
	};
	struct buf b = BUF_INIT(1000);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		buf_reset(&b);
		header_put(&b, SPAN_LIT("Subject"), span_of(rows[i].value));
		assert_buf(&b, rows[i].want);
	}
	buf_release(&b);
}

static void unfolding_drops_line_ends_and_outer_blanks(void **state)
{
	static const struct {
		const char *value;
		const char *want;
	} rows[] = {
		{ "", "" },
		{ " \t\n ", "" },
		{ " <a@b>\n", "<a@b>" },
		{ " a\n\tb\r\n c ", "a\tb c" },
		{ "a  b", "a  b" },
	};
	struct buf b = BUF_INIT(1000);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		buf_reset(&b);
		header_unfold(span_of(rows[i].value), &b);
		assert_buf(&b, rows[i].want);
	}
	buf_release(&b);
}

static void the_by_host_of_a_received_value_is_found(void **state)
{
	static const struct {
		const char *value;
		const char *by;
	} rows[] = {
		{ " from a.test (a.test [192.0.2.1])\n\tby mx.test (Postfix)"
		  " with ESMTP id 4F; Mon, 23 Nov 2026 05:15:11 +0000",
		  "mx.test" },
		{ " by mx.test; Mon", "mx.test" },
		{ " BY mx.test(x)", "mx.test" },
		{ " from a by\n\tmx.test", "mx.test" },
		{ " (from bob@localhost)\n\tby [192.0.2.9] id 4F",
		  "[192.0.2.9]" },
		{ " (qmail 1 invoked by uid 5); 23 Nov 2026", "" },
		{ " from by (by evil.test) by mx.test", "mx.test" },
		{ " from a (x \\) by evil.test) by mx.test", "mx.test" },
		{ " from a ((by b.test) by c.test) by mx.test", "mx.test" },
		{ " from a (by unended", "" },
		{ " from a; by late.test", "" },
		{ " from by", "" },
		{ " from a by", "" },
		{ " from a by ; Mon", "" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_text(header_received_by(span_of(rows[i].value)),
			    span_of(rows[i].by));
}

static void the_id_of_a_received_value_is_found(void **state)
{
	static const struct {
		const char *value;
		const char *id;
	} rows[] = {
		{ " from a.test (a.test [192.0.2.1])\n\tby mx.test (Postfix)"
		  " with ESMTP id 4F1B;\n\tMon, 23 Nov 2026 05:15:11 +0000",
		  "4F1B" },
		{ " by mx.test (Postfix, from userid 0)\n\tid 4F1B; Mon",
		  "4F1B" },
		{ " from id by mx.test id 4F1B; Mon", "4F1B" },
		{ " by id with id id 4F1B; Mon", "4F1B" },
		{ " by mx.test (id evil) with ESMTP; Mon", "" },
		{ " by mx.test with ESMTP; id late", "" },
		{ " by mx.test id", "" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_text(header_received_id(span_of(rows[i].value)),
			    span_of(rows[i].id));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_header_is_put_in_its_own_octets),
		cmocka_unit_test(unfolding_drops_line_ends_and_outer_blanks),
		cmocka_unit_test(the_by_host_of_a_received_value_is_found),
		cmocka_unit_test(the_id_of_a_received_value_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
