/* tests/unit/test_headersplit.c */
#include "tests/unit/wire.h"

#include "lib/headersplit.h"

/* What was told, as "[name|value]" and "{body}". */
struct told {
	struct buf text;
	bool in_body;
};

static void take_field(void *arg, struct span name, struct span value)
{
	struct told *t = arg;

	assert_false(t->in_body);
	buf_putc(&t->text, '[');
	buf_put_span(&t->text, name);
	buf_putc(&t->text, '|');
	buf_put_span(&t->text, value);
	buf_putc(&t->text, ']');
}

static void take_body(void *arg, struct span piece)
{
	struct told *t = arg;

	if (!t->in_body)
		buf_putc(&t->text, '{');
	t->in_body = true;
	buf_put_span(&t->text, piece);
}

static const struct {
	const char *mail;
	const char *told;
	uint64_t header_octets;
} mails[] = {
	{ "A: 1\r\nB: 2\r\n\r\nbody\r\n", "[A| 1][B| 2]{body\r\n", 14 },
	{ "A: 1\r\n\t2\r\n 3\r\n\r\n", "[A| 1\r\n\t2\r\n 3]", 16 },
	{ "A: 1\r\n\r\n\r\nx\r\n", "[A| 1]{\r\nx\r\n", 8 },
	{ "A : 1\r\n\r\n", "[A| 1]", 9 },
	{ "A:\r\n\r\n", "[A|]", 6 },
	{ "A: 1\r\n", "[A| 1]", 6 },
	{ "A: 1", "[A| 1]", 4 },
	{ "", "", 0 },
	{ "\r\nA: 1\r\n", "{A: 1\r\n", 2 },
	/* what is no header is body, and so is all behind it */
	{ "hello\r\nA: 1\r\n\r\n", "{hello\r\nA: 1\r\n\r\n", 0 },
	{ "A: 1\r\nno field\r\nB: 2\r\n", "[A| 1]{no field\r\nB: 2\r\n", 6 },
	{ " A: 1\r\n\r\n", "{ A: 1\r\n\r\n", 0 },
	{ "A B: 1\r\n\r\n", "{A B: 1\r\n\r\n", 0 },
	{ ": 1\r\n\r\n", "{: 1\r\n\r\n", 0 },
	{ "A: 1\r\nhalf", "[A| 1]{half", 6 },
	/* a blank line is a continuation (RFC 5322 s.4.2) */
	{ "A: 1\r\n \r\n\r\nb\r\n", "[A| 1\r\n ]{b\r\n", 11 },
	{ "A: \r\r\n\r\nb\r\n", "[A| \r]{b\r\n", 8 },
};

static void check(size_t i, size_t step)
{
	struct headersplit h = HEADERSPLIT_INIT;
	struct told t = { .text = BUF_INIT(1000) };
	const struct headersplit_to to = { take_field, take_body, &t };
	struct span rest = span_of(mails[i].mail);

	while (rest.n > 0) {
		headersplit_feed(&h, span_head(rest, step), &to);
		rest = span_skip(rest, step);
	}
	headersplit_end(&h, &to);
	assert_true(h.done);
	assert_false(h.failed);
	assert_buf(&t.text, mails[i].told);
	assert_int_equal(h.octets, mails[i].header_octets);
	headersplit_release(&h);
	buf_release(&t.text);
}

static void fields_and_body_are_told_however_they_are_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(mails); i++)
		for (size_t step = 1; step <= strlen(mails[i].mail) + 1; step++)
			check(i, step);
}

/* name, then as many x, then CRLF CRLF and a body */
static void feed_long(const char *begin, size_t n, struct headersplit *h,
		      struct told *t)
{
	const struct headersplit_to to = { take_field, take_body, t };
	char *x = malloc(n);

	assert_non_null(x);
	memset(x, 'x', n);
	headersplit_feed(h, span_of(begin), &to);
	headersplit_feed(h, span_make(x, n), &to);
	headersplit_feed(h, SPAN_LIT("\r\nB: 2\r\n\r\nbody"), &to);
	headersplit_end(h, &to);
	free(x);
}

static void of_an_overlong_field_the_rest_is_left_out(void **state)
{
	struct headersplit h = HEADERSPLIT_INIT;
	struct told t = { .text = BUF_INIT(1 << 20) };
	const size_t n = HEADERSPLIT_MAX + 1000;

	(void)state;
	feed_long("A: ", n, &h, &t);
	assert_int_equal(t.text.n,
			 HEADERSPLIT_MAX + strlen("[|][B| 2]{body") - 1);
	assert_int_equal(h.octets, n + strlen("A: \r\nB: 2\r\n\r\n"));
	assert_text(span_skip(buf_span(&t.text), t.text.n - 11),
		    SPAN_LIT("[B| 2]{body"));
	headersplit_release(&h);
	buf_release(&t.text);
}

static void an_overlong_line_that_is_no_field_is_body_whole(void **state)
{
	struct headersplit h = HEADERSPLIT_INIT;
	struct told t = { .text = BUF_INIT(1 << 20) };
	const size_t n = HEADERSPLIT_MAX + 1000;

	(void)state;
	feed_long("", n, &h, &t);
	assert_int_equal(h.octets, 0);
	assert_int_equal(t.text.n, 1 + n + strlen("\r\nB: 2\r\n\r\nbody"));
	headersplit_release(&h);
	buf_release(&t.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_and_body_are_told_however_they_are_cut),
		cmocka_unit_test(of_an_overlong_field_the_rest_is_left_out),
		cmocka_unit_test(
			an_overlong_line_that_is_no_field_is_body_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
