/* tests/unit/test_line.c */
#include "tests/unit/wire.h"

#include "lib/line.h"

enum { SIZE = 12 }; /* lines of at most 10 octets */

static struct line_buf make(char *array)
{
	return (struct line_buf){ .p = array, .size = SIZE };
}

/* Takes all lines that are there; writes "[line]", "L" for a long one, "0"
 * for one with NUL. */
static void take_all(struct line_buf *l, struct buf *out)
{
	struct span line;
	enum line_status s;

	while ((s = line_take(l, &line)) != LINE_MORE) {
		if (s == LINE_LONG) {
			buf_putc(out, 'L');
			continue;
		}
		if (s == LINE_NUL) {
			buf_putc(out, '0');
			continue;
		}
		buf_putc(out, '[');
		buf_put_span(out, line);
		buf_putc(out, ']');
	}
}

/* Feeds s as a reader does: as much as there is room for, at most step. */
static void feed(struct line_buf *l, struct span s, size_t step,
		 struct buf *out)
{
	while (s.n > 0) {
		struct line_room room = line_room(l);
		size_t n = s.n < step ? s.n : step;

		assert_true(room.n > 0);
		n = n < room.n ? n : room.n;
		memcpy(room.p, s.p, n);
		line_added(l, n);
		s = span_skip(s, n);
		take_all(l, out);
	}
}

#define S(s)                                                                   \
	{                                                                      \
		"" s, sizeof(s) - 1                                            \
	}

static const struct {
	struct span in;
	const char *out;
} streams[] = {
	{ S(""), "" },
	{ S("a"), "" },
	{ S("\n"), "[]" },
	{ S("\r\n\r\n"), "[][]" },
	{ S("USER a\r\nPASS b\nx"), "[USER a][PASS b]" },
	{ S("a\rb\r\n"), "[a\rb]" },
	{ S("a\r\r\n"), "[a\r]" },
	{ S(" a \r\n"), "[ a ]" },
	{ S("0123456789\r\n"), "[0123456789]" },
	{ S("0123456789\n"), "[0123456789]" },
	{ S("0123456789a\n"), "L" },
	{ S("0123456789a\r\n"), "L" },
	{ S("0123456789\r\r\n"), "L" },
	{ S("0123456789abcdefghijklmnopqrstuvwxyz\r\nok\r\n"), "L[ok]" },
	{ S("0123456789abcdefghijk"), "" },
	{ S("a\0b\r\nok\r\n"), "0[ok]" },
	{ S("\0\n\0\n[\n"), "00[[]" },
	{ S("0123456789abcdef\0\nok\n"), "L[ok]" },
};

static void lines_are_the_same_however_the_stream_is_cut(void **state)
{
	struct buf out = BUF_INIT(1000);
	char array[SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(streams); i++) {
		for (size_t step = 1; step <= SIZE; step++) {
			struct line_buf l = make(array);

			buf_reset(&out);
			feed(&l, streams[i].in, step, &out);
			assert_buf(&out, streams[i].out);
		}
	}
	buf_release(&out);
}

static void lines_are_the_same_cut_in_two_anywhere(void **state)
{
	struct buf out = BUF_INIT(1000);
	char array[SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(streams); i++) {
		for (size_t at = 0; at <= streams[i].in.n; at++) {
			struct line_buf l = make(array);

			buf_reset(&out);
			feed(&l, span_head(streams[i].in, at), SIZE, &out);
			feed(&l, span_skip(streams[i].in, at), SIZE, &out);
			assert_buf(&out, streams[i].out);
		}
	}
	buf_release(&out);
}

static void what_waits_is_counted_and_views_hold_meanwhile(void **state)
{
	char array[SIZE];
	struct line_buf l = make(array);
	struct span first, second;

	(void)state;
	memcpy(line_room(&l).p, "a\nbc\nx", 6);
	line_added(&l, 6);
	assert_int_equal(line_pending(&l), 6);
	assert_int_equal(line_take(&l, &first), LINE_OK);
	assert_int_equal(line_pending(&l), 4);
	assert_int_equal(line_take(&l, &second), LINE_OK);
	assert_text(first, SPAN_LIT("a"));
	assert_text(second, SPAN_LIT("bc"));
	assert_int_equal(line_take(&l, &first), LINE_MORE);
	assert_int_equal(line_pending(&l), 1);
	assert_int_equal(line_room(&l).n, SIZE - 1);
}

static void wiping_leaves_no_octet_and_a_usable_buffer(void **state)
{
	static const char zero[SIZE];
	struct buf out = BUF_INIT(100);
	char array[SIZE];
	struct line_buf l = make(array);

	(void)state;
	feed(&l, SPAN_LIT("PASS secretsecretsecret"), SIZE, &out);
	memcpy(line_room(&l).p, "rest", 4);
	line_added(&l, 4);
	line_wipe(&l);
	assert_memory_equal(array, zero, SIZE);
	assert_int_equal(line_pending(&l), 0);
	feed(&l, SPAN_LIT("NOOP\r\n"), SIZE, &out);
	assert_buf(&out, "[NOOP]");
	buf_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_the_same_however_the_stream_is_cut),
		cmocka_unit_test(lines_are_the_same_cut_in_two_anywhere),
		cmocka_unit_test(
			what_waits_is_counted_and_views_hold_meanwhile),
		cmocka_unit_test(wiping_leaves_no_octet_and_a_usable_buffer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
