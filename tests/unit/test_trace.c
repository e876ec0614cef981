/* tests/unit/test_trace.c */
#include "tests/unit/wire.h"

#include <stdlib.h>

#include "lib/trace.h"

static const struct trace_facts usual = {
	.sender = { "eve@a.test", 10 },
	.recipient = { "bob@d.test", 10 },
	.original = { "info@d.test", 11 },
	.helo = { "mail.a.test", 11 },
	.client_name = { "mx1.a.test", 10 },
	.client_addr = { "192.0.2.1", 9 },
	.by = { "mx.d.test", 9 },
	.with = { "ESMTPS", 6 },
	.tls = { "TLSv1.3 TLS_AES_256_GCM_SHA384", 30 },
	.queue_id = { "4F1B2C3D4E", 10 },
	.time = 1795410911,
};

static void assert_trace(const struct trace_facts *f, const char *want)
{
	struct buf b = BUF_INIT(8192);

	trace_put(&b, f);
	assert_buf(&b, want);
	buf_release(&b);
}

static void the_trace_of_a_usual_mail(void **state)
{
	(void)state;
	assert_trace(
		&usual,
		"Return-Path: <eve@a.test>\r\n"
		"Delivered-To: bob@d.test\r\n"
		"X-Original-To: info@d.test\r\n"
		"Received: from mail.a.test (mx1.a.test [192.0.2.1])\r\n"
		"\t(using TLSv1.3 TLS_AES_256_GCM_SHA384)\r\n"
		"\tby mx.d.test (Mailrow) with ESMTPS id 4F1B2C3D4E\r\n"
		"\tfor <info@d.test>; Mon, 23 Nov 2026 05:15:11 +0000\r\n");
}

static void what_is_not_known_is_left_out(void **state)
{
	struct trace_facts f = usual;

	(void)state;
	f.sender = SPAN_EMPTY;
	f.original = f.recipient;
	f.client_name = SPAN_EMPTY;
	f.client_addr = SPAN_LIT("2001:db8::1");
	f.tls = SPAN_EMPTY;
	f.queue_id = SPAN_EMPTY;
	f.time = 0;
	assert_trace(
		&f,
		"Return-Path: <>\r\n"
		"Delivered-To: bob@d.test\r\n"
		"Received: from mail.a.test (unknown [IPv6:2001:db8::1])\r\n"
		"\tby mx.d.test (Mailrow) with ESMTPS\r\n"
		"\tfor <bob@d.test>; Thu, 01 Jan 1970 00:00:00 +0000\r\n");
}

static void a_mail_from_nowhere_has_a_received_line_too(void **state)
{
	struct trace_facts f = { .sender = SPAN_EMPTY,
				 .recipient = SPAN_LIT("bob@d.test"),
				 .original = SPAN_EMPTY,
				 .helo = SPAN_EMPTY,
				 .client_name = SPAN_EMPTY,
				 .client_addr = SPAN_EMPTY,
				 .by = SPAN_EMPTY,
				 .with = SPAN_EMPTY,
				 .tls = SPAN_EMPTY,
				 .queue_id = SPAN_EMPTY };

	(void)state;
	assert_trace(&f, "Return-Path: <>\r\n"
			 "Delivered-To: bob@d.test\r\n"
			 "Received: by unknown (Mailrow) with SMTP; "
			 "Thu, 01 Jan 1970 00:00:00 +0000\r\n");
	f.helo = SPAN_LIT("box");
	assert_trace(&f, "Return-Path: <>\r\n"
			 "Delivered-To: bob@d.test\r\n"
			 "Received: from box\r\n"
			 "\tby unknown (Mailrow) with SMTP; "
			 "Thu, 01 Jan 1970 00:00:00 +0000\r\n");
}

static void no_peer_ends_a_line_a_word_or_a_comment(void **state)
{
	struct trace_facts f = usual;

	(void)state;
	f.sender = SPAN_LIT("a>\r\nBcc: x@y (z;\xff\xc3\xa4\xc2\x85@b");
	f.original = SPAN_LIT("\"a>b;(\\\"\n\"@d.test");
	f.helo = SPAN_LIT("a b;(c)\\\"\r\n\0\x80\xc3\xa4[1.2.3.4]");
	f.client_name = SPAN_LIT("a)b\\c(\n");
	f.client_addr = SPAN_LIT("1]) by x");
	f.tls = SPAN_LIT("x) evil (");
	f.queue_id = SPAN_LIT("4F; x");
	assert_trace(&f, "Return-Path: <a???Bcc:?x@y??z??\xc3\xa4??@b>\r\n"
			 "Delivered-To: bob@d.test\r\n"
			 "X-Original-To: \"a>b;(\\\"?\"@d.test\r\n"
			 "Received: from a?b??c???????\xc3\xa4[1.2.3.4]"
			 " (a\\)b\\\\c\\(? [1]??by?x])\r\n"
			 "\t(using x\\) evil \\()\r\n"
			 "\tby mx.d.test (Mailrow) with ESMTPS id 4F??x\r\n"
			 "\tfor <\"a>b;(\\\"?\"@d.test>;"
			 " Mon, 23 Nov 2026 05:15:11 +0000\r\n");
}

static void a_quoted_local_part_is_always_closed(void **state)
{
	static const struct {
		const char *sender;
		const char *line;
	} rows[] = {
		{ "\"a b\"@d", "Return-Path: <\"a b\"@d>\r\n" },
		{ "\"a b", "Return-Path: <\"a b\">\r\n" },
		{ "\"a\\", "Return-Path: <\"a?\">\r\n" },
		{ "\"a\\\\\"@d", "Return-Path: <\"a\\\\\"@d>\r\n" },
		{ "\"", "Return-Path: <\"\">\r\n" },
		{ "\"a\"b\">c\"@d", "Return-Path: <\"a\"b??c?@d>\r\n" },
	};
	struct trace_facts f = usual;
	struct buf b = BUF_INIT(8192);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		buf_reset(&b);
		f.sender = span_of(rows[i].sender);
		trace_put(&b, &f);
		assert_text(span_head(buf_span(&b), strlen(rows[i].line)),
			    span_of(rows[i].line));
	}
	buf_release(&b);
}

/* Lines end in CRLF, hold no other control character than the TAB at their
 * start, and are not too long. */
static void assert_well_formed(struct span s)
{
	struct span line;

	assert_true(s.n > 0 && s.p[s.n - 1] == '\n');
	while (s.n > 0) {
		span_cut(s, '\n', &line, &s);
		assert_true(line.n > 1 && line.n <= 999);
		assert_int_equal(line.p[line.n - 1], '\r');
		for (size_t i = 0; i + 1 < line.n; i++)
			assert_true((unsigned char)line.p[i] >= 0x20 ||
				    (i == 0 && line.p[i] == '\t'));
	}
}

static void values_of_any_length_keep_lines_and_column_short(void **state)
{
	static const char fill[] = { 'a', '(', '\\', '\n', '"', '\x80' };
	const size_t n = 20000;
	char *big = malloc(n);
	struct buf b = BUF_INIT(8192);

	(void)state;
	assert_non_null(big);
	for (size_t i = 0; i < COUNT(fill); i++) {
		struct span s = { big, n };
		const struct trace_facts f = { s, s, s, s, s,        s,
					       s, s, s, s, INT64_MAX };

		memset(big, fill[i], n);
		buf_reset(&b);
		trace_put(&b, &f);
		assert_true(buf_ok(&b));
		assert_well_formed(buf_span(&b));
	}
	buf_release(&b);
	free(big);
}

static void dates_are_those_of_the_calendar(void **state)
{
	static const struct {
		int64_t time;
		const char *text;
	} rows[] = {
		{ 0, "Thu, 01 Jan 1970 00:00:00 +0000" },
		{ -1, "Thu, 01 Jan 1970 00:00:00 +0000" },
		{ 86399, "Thu, 01 Jan 1970 23:59:59 +0000" },
		{ 951782400, "Tue, 29 Feb 2000 00:00:00 +0000" },
		{ 951868800, "Wed, 01 Mar 2000 00:00:00 +0000" },
		{ 1709164800, "Thu, 29 Feb 2024 00:00:00 +0000" },
		{ 1735689599, "Tue, 31 Dec 2024 23:59:59 +0000" },
		{ 4107542400, "Mon, 01 Mar 2100 00:00:00 +0000" },
		{ 4107542399, "Sun, 28 Feb 2100 23:59:59 +0000" },
		{ INT64_MAX, "Fri, 31 Dec 9999 23:59:59 +0000" },
	};
	struct buf b = BUF_INIT(100);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		buf_reset(&b);
		trace_put_date(&b, rows[i].time);
		assert_buf(&b, rows[i].text);
	}
	buf_release(&b);
}

/* The C library is the witness, for each day up to 2200. */
static void dates_agree_with_the_c_library(void **state)
{
	static const char format[] = "%a, %d %b %Y %H:%M:%S +0000";
	struct buf b = BUF_INIT(100);
	char want[64];

	(void)state;
	for (time_t t = 7; t < 7258118400; t += 86400 + 1) {
		struct tm tm;

		assert_non_null(gmtime_r(&t, &tm));
		assert_true(strftime(want, sizeof(want), format, &tm) > 0);
		buf_reset(&b);
		trace_put_date(&b, t);
		assert_buf(&b, want);
	}
	buf_release(&b);
}

static void the_with_keyword_tells_tls_and_auth(void **state)
{
	(void)state;
	assert_string_equal(trace_with(false, false, false, false), "SMTP");
	assert_string_equal(trace_with(true, false, false, false), "ESMTP");
	assert_string_equal(trace_with(true, true, false, false), "ESMTPS");
	assert_string_equal(trace_with(true, false, true, false), "ESMTPA");
	assert_string_equal(trace_with(true, true, true, false), "ESMTPSA");
	assert_string_equal(trace_with(true, false, false, true), "UTF8SMTP");
	assert_string_equal(trace_with(true, true, true, true), "UTF8SMTPSA");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_trace_of_a_usual_mail),
		cmocka_unit_test(what_is_not_known_is_left_out),
		cmocka_unit_test(a_mail_from_nowhere_has_a_received_line_too),
		cmocka_unit_test(no_peer_ends_a_line_a_word_or_a_comment),
		cmocka_unit_test(a_quoted_local_part_is_always_closed),
		cmocka_unit_test(
			values_of_any_length_keep_lines_and_column_short),
		cmocka_unit_test(dates_are_those_of_the_calendar),
		cmocka_unit_test(dates_agree_with_the_c_library),
		cmocka_unit_test(the_with_keyword_tells_tls_and_auth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
