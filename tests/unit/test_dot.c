/* tests/unit/test_dot.c */
#include "tests/unit/wire.h"

#include "lib/dot.h"

/* What stuffing and its end make of a text. */
static const struct {
	const char *text;
	const char *wire;
} stuffed[] = {
	{ "", ".\r\n" },
	{ "a\r\n", "a\r\n.\r\n" },
	{ "a", "a\r\n.\r\n" },
	{ "a\r", "a\r\r\n.\r\n" },
	{ "a\n", "a\n\r\n.\r\n" },
	{ "\r\n", "\r\n.\r\n" },
	{ ".", "..\r\n.\r\n" },
	{ ".\r\n", "..\r\n.\r\n" },
	{ "..\r\n.a\r\n", "...\r\n..a\r\n.\r\n" },
	{ "a.b.\r\n .\r\n", "a.b.\r\n .\r\n.\r\n" },
	{ "a\r\n.\r\n\r\n.b", "a\r\n..\r\n\r\n..b\r\n.\r\n" },
	{ "a\r.b\r\n", "a\r.b\r\n.\r\n" },
};

static void dots_are_stuffed_wherever_the_text_is_cut(void **state)
{
	struct buf b = BUF_INIT(1000);

	(void)state;
	for (size_t i = 0; i < COUNT(stuffed); i++) {
		struct span s = span_of(stuffed[i].text);

		for (size_t one = 0; one <= s.n; one++) {
			for (size_t two = one; two <= s.n; two++) {
				struct dot_stuffer d = DOT_STUFFER_INIT;

				buf_reset(&b);
				dot_stuff(&d, span_head(s, one), &b);
				dot_stuff(&d, span_skip(span_head(s, two), one),
					  &b);
				dot_stuff(&d, span_skip(s, two), &b);
				dot_finish(&d, &b);
				assert_buf(&b, stuffed[i].wire);
			}
		}
	}
	buf_release(&b);
}

static void a_stuffer_is_as_new_after_its_end(void **state)
{
	struct dot_stuffer d = DOT_STUFFER_INIT;
	struct buf b = BUF_INIT(1000);

	(void)state;
	dot_stuff(&d, SPAN_LIT("half"), &b);
	dot_finish(&d, &b);
	dot_stuff(&d, SPAN_LIT(".\r\n"), &b);
	dot_finish(&d, &b);
	assert_buf(&b, "half\r\n.\r\n..\r\n.\r\n");
	buf_release(&b);
}

#define HEAD "A: 1\r\nB: 2\r\n"

/* How many octets of a mail belong to TOP k. */
static const struct {
	const char *mail;
	uint64_t lines;
	const char *top;
	bool done;
} tops[] = {
	{ HEAD "\r\none\r\ntwo\r\n", 0, HEAD "\r\n", true },
	{ HEAD "\r\none\r\ntwo\r\n", 1, HEAD "\r\none\r\n", true },
	{ HEAD "\r\none\r\ntwo\r\n", 2, HEAD "\r\none\r\ntwo\r\n", true },
	{ HEAD "\r\none\r\ntwo\r\n", 3, HEAD "\r\none\r\ntwo\r\n", false },
	{ HEAD "\r\none\r\ntwo\r\n", UINT64_MAX, HEAD "\r\none\r\ntwo\r\n",
	  false },
	{ HEAD "\r\n\r\n\r\nthree\r\n", 1, HEAD "\r\n\r\n", true },
	{ HEAD "\r\none\r\nhalf", 2, HEAD "\r\none\r\nhalf", false },
	{ HEAD, 0, HEAD, false },
	{ HEAD, 5, HEAD, false },
	{ "A: 1", 0, "A: 1", false },
	{ "", 0, "", false },
	{ "\r\n", 0, "\r\n", true },
	{ "\r\nbody\r\nmore\r\n", 1, "\r\nbody\r\n", true },
	{ "A: 1\n\nbody\n", 0, "A: 1\n\n", true },
	{ "\r\r\nA\r\n\r\nbody\r\n", 0, "\r\r\nA\r\n\r\n", true },
	{ "A\r\n\rB\r\n\r\nbody\r\n", 0, "A\r\n\rB\r\n\r\n", true },
	{ HEAD " \r\n\r\nbody\r\n", 0, HEAD " \r\n\r\n", true },
};

/* Feeds the mail in pieces of step octets. */
static void check_top(size_t i, size_t step)
{
	struct dot_top t = DOT_TOP_INIT(tops[i].lines);
	struct span rest = span_of(tops[i].mail);
	struct buf b = BUF_INIT(1000);

	while (rest.n > 0) {
		struct span piece = span_head(rest, step);
		size_t n = dot_top(&t, piece);

		buf_put_span(&b, span_head(piece, n));
		assert_true(n == piece.n || t.done);
		rest = span_skip(rest, piece.n);
	}
	assert_buf(&b, tops[i].top);
	assert_int_equal(t.done, tops[i].done);
	buf_release(&b);
}

static void top_is_header_empty_line_and_k_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(tops); i++)
		for (size_t step = 1; step <= strlen(tops[i].mail) + 1; step++)
			check_top(i, step);
}

static void nothing_belongs_to_a_top_that_is_done(void **state)
{
	struct dot_top t = DOT_TOP_INIT(0);

	(void)state;
	assert_int_equal(dot_top(&t, SPAN_LIT("\r\nrest")), 2);
	assert_true(t.done);
	assert_int_equal(dot_top(&t, SPAN_LIT("rest")), 0);
}

static const struct {
	const char *in;
	const char *out;
} ends[] = {
	{ "", "" },
	{ "a\nb\n", "a\r\nb\r\n" },
	{ "a\r\nb\r\n", "a\r\nb\r\n" },
	{ "\n\n\r\n\n", "\r\n\r\n\r\n\r\n" },
	{ "a\rb\r", "a\rb\r" },
	{ "\r\r\n\n", "\r\r\n\r\n" },
	{ "half", "half" },
};

static void rule_07_bare_line_feeds_gain_their_cr_wherever_cut(void **state)
{
	struct buf b = BUF_INIT(1000);

	(void)state;
	for (size_t i = 0; i < COUNT(ends); i++) {
		struct span s = span_of(ends[i].in);

		for (size_t at = 0; at <= s.n; at++) {
			struct dot_crlf c = { .cr = false };

			buf_reset(&b);
			dot_crlf(&c, span_head(s, at), &b);
			dot_crlf(&c, SPAN_EMPTY, &b);
			dot_crlf(&c, span_skip(s, at), &b);
			assert_buf(&b, ends[i].out);
		}
	}
	buf_release(&b);
}

/* What DATA brings, and how much of it is the message. */
static const struct {
	const char *wire;
	const char *text;
	size_t taken; /* SIZE_MAX: it has not ended */
} wires[] = {
	{ ".\r\n", "", 3 },
	{ "a\r\n.\r\n", "a\r\n", 6 },
	{ "..\r\n.x\r\n.\r\nQUIT\r\n", ".\r\nx\r\n", 11 },
	{ "a\r\n..\r\n.\r\n", "a\r\n.\r\n", 10 },
	{ "a\r\n...\r\n.\r\n", "a\r\n..\r\n", 11 },
	/* no other line end than CRLF ends a line, nor a message */
	{ "a\n.\nb\r\n.\r\n", "a\n.\nb\r\n", 10 },
	{ "a\n.\r\nb\r\n.\r\n", "a\n.\r\nb\r\n", 11 },
	{ "a\r.\r\nb\r\n.\r\n", "a\r.\r\nb\r\n", 11 },
	{ "a\r\n.\nb\r\n.\r\n", "a\r\n\nb\r\n", 11 },
	{ "a\r\n.\rb\r\n.\r\n", "a\r\n\rb\r\n", 11 },
	{ "a\r\n.\r\rb\r\n.\r\n", "a\r\n\r\rb\r\n", 12 },
	{ "a\r\r\n.\r\n", "a\r\r\n", 7 },
	{ "a\r\n.\r\r\n.\r\n", "a\r\n\r\r\n", 10 },
	{ "a\r\n.", "a\r\n", SIZE_MAX },
	{ "a\r\n.\r", "a\r\n", SIZE_MAX },
	{ "a.\r\n", "a.\r\n", SIZE_MAX },
	{ "", "", SIZE_MAX },
};

static void check_data(size_t i, size_t step)
{
	struct span rest = span_of(wires[i].wire);
	struct dot_reader d = { .place = DOT_LINE };
	struct buf b = BUF_INIT(1000);
	size_t taken = 0;
	bool end = false;

	while (!end && rest.n > 0) {
		struct span piece = span_head(rest, step);
		size_t n = dot_unstuff(&d, piece, &b, &end);

		assert_true(end || n == piece.n);
		taken += n;
		rest = span_skip(rest, n);
	}
	assert_buf(&b, wires[i].text);
	assert_int_equal(end, wires[i].taken != SIZE_MAX);
	if (end)
		assert_int_equal(taken, wires[i].taken);
	buf_release(&b);
}

static void only_a_dot_between_crlfs_ends_data(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(wires); i++)
		for (size_t step = 1; step <= strlen(wires[i].wire) + 1; step++)
			check_data(i, step);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dots_are_stuffed_wherever_the_text_is_cut),
		cmocka_unit_test(a_stuffer_is_as_new_after_its_end),
		cmocka_unit_test(top_is_header_empty_line_and_k_lines),
		cmocka_unit_test(nothing_belongs_to_a_top_that_is_done),
		cmocka_unit_test(
			rule_07_bare_line_feeds_gain_their_cr_wherever_cut),
		cmocka_unit_test(only_a_dot_between_crlfs_ends_data),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
