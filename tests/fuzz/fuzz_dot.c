/* tests/fuzz/fuzz_dot.c: what is stuffed and unstuffed again is the text,
 * however it is cut; TOP says the same of any cut; line ends become CRLF. First
 * octets: where the text is cut, how many lines TOP wants. */
#include "tests/fuzz/fuzz.h"

#include "lib/dot.h"

static void stuff(struct span s, size_t cut, struct buf *b)
{
	struct dot_stuffer d = DOT_STUFFER_INIT;

	dot_stuff(&d, span_head(s, cut), b);
	dot_stuff(&d, span_skip(s, cut), b);
	dot_finish(&d, b);
}

/* A client: octet by octet, up to the line that is a dot alone. */
static void unstuff(struct span wire, struct buf *text)
{
	while (wire.n > 0) {
		size_t n = span_find(wire, '\n');
		struct span line = span_head(wire, n + 1);

		wire = span_skip(wire, n + 1);
		if (span_eq(line, SPAN_LIT(".\r\n"))) {
			MUST(wire.n == 0);
			return;
		}
		if (line.p[0] == '.')
			line = span_skip(line, 1);
		buf_put_span(text, line);
	}
	fuzz_fail("the text has no end");
}

static void check_stuffing(struct span s, size_t cut, struct buf *wire,
			   struct buf *text)
{
	bool ended = s.n == 0 ||
		     (s.n > 1 && s.p[s.n - 2] == '\r' && s.p[s.n - 1] == '\n');

	stuff(s, cut, wire);
	unstuff(buf_span(wire), text);
	if (!ended) {
		MUST(text->n == s.n + 2);
		text->n -= 2;
	}
	MUST(span_eq(buf_span(text), s));
}

static size_t top(struct span s, size_t cut, uint64_t lines, bool *done_r)
{
	struct dot_top t = DOT_TOP_INIT(lines);
	size_t n = dot_top(&t, span_head(s, cut));

	MUST(n <= s.n && (n == span_head(s, cut).n || t.done));
	n += dot_top(&t, span_skip(s, cut));
	*done_r = t.done;
	return n;
}

/* TOP by whole lines. */
static size_t simple_top(struct span s, uint64_t lines, bool *done_r)
{
	struct span rest = s, line;
	bool body = false;

	*done_r = false;
	while (span_cut(rest, '\n', &line, &rest)) {
		if (body)
			lines--;
		else if (line.n == 0 || span_is(line, "\r"))
			body = true;
		*done_r = body && lines == 0;
		if (*done_r)
			return s.n - rest.n;
	}
	return s.n;
}

static void check_crlf(struct span s, size_t cut, struct buf *b)
{
	struct dot_crlf c = { .cr = false };
	size_t k = 0;

	dot_crlf(&c, span_head(s, cut), b);
	dot_crlf(&c, span_skip(s, cut), b);
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\n' && (i == 0 || s.p[i - 1] != '\r'))
			MUST(b->p[k++] == '\r');
		MUST(b->p[k++] == s.p[i]);
	}
	MUST(k == b->n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf one = BUF_INIT(SIZE_MAX / 2), two = BUF_INIT(SIZE_MAX / 2);
	struct span s = fuzz_input(data, size);
	uint64_t lines = fuzz_octet(&s) % 8;
	size_t cut = fuzz_octet(&s);
	bool done, want_done;
	size_t n = top(s, cut, lines, &done);

	MUST(simple_top(s, lines, &want_done) == n && want_done == done);
	check_stuffing(s, cut, &one, &two);
	buf_reset(&one);
	check_crlf(s, cut, &one);
	MUST(buf_ok(&one) && buf_ok(&two));
	buf_release(&one);
	buf_release(&two);
	return 0;
}
