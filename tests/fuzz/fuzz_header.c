/* tests/fuzz/fuzz_header.c: a header that is put is one header, whatever its
 * value holds, and a well-formed value keeps its octets. */
#include "tests/fuzz/fuzz.h"

#include "lib/header.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Every line but the first begins with a blank; all end in CRLF. */
static void must_be_one_header(struct span s)
{
	struct span line;
	bool first = true;

	MUST(s.n > 1 && s.p[s.n - 1] == '\n');
	while (s.n > 0) {
		MUST(span_cut(s, '\n', &line, &s));
		MUST(line.n > 0 && line.p[line.n - 1] == '\r');
		MUST(first || is_blank(line.p[0]));
		first = false;
	}
}

/* Whether a milter may be given this: bare LF, a blank behind each. */
static bool is_well_formed(struct span value)
{
	for (size_t i = 0; i < value.n; i++) {
		if (value.p[i] != '\n')
			continue;
		if (i + 1 == value.n || !is_blank(value.p[i + 1]))
			return false;
		if (i > 0 && value.p[i - 1] == '\r')
			return false;
	}
	return true;
}

/* Takes the CR of each line end away again. */
static void must_be_kept(struct span value, struct span put)
{
	size_t k = 0;

	for (size_t i = 0; i < put.n; i++) {
		if (put.p[i] == '\r' && i + 1 < put.n && put.p[i + 1] == '\n')
			continue;
		if (k == value.n) {
			MUST(i == put.n - 1 && put.p[i] == '\n');
			return;
		}
		MUST(put.p[i] == value.p[k++]);
	}
	fuzz_fail("the header has no end");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span value = fuzz_input(data, size);
	struct buf b = BUF_INIT(SIZE_MAX / 2);
	struct span by = header_received_by(value);

	header_put(&b, SPAN_LIT("X"), value);
	MUST(buf_ok(&b));
	must_be_one_header(buf_span(&b));
	if (is_well_formed(value))
		must_be_kept(value, span_skip(buf_span(&b), 2));
	buf_reset(&b);
	header_unfold(value, &b);
	MUST(b.n <= value.n);
	MUST(span_find(buf_span(&b), '\n') == b.n);
	MUST(span_find(buf_span(&b), '\r') == b.n);
	MUST(by.n == 0 ||
	     (by.p >= value.p && by.p + by.n <= value.p + value.n));
	for (size_t i = 0; i < by.n; i++)
		MUST(!is_blank(by.p[i]) && by.p[i] != '\n');
	buf_release(&b);
	return 0;
}
