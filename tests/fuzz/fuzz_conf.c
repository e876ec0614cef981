/* tests/fuzz/fuzz_conf.c: whatever parses is shown as text that parses to the
 * same; whatever does not has told why. */
#include "tests/fuzz/fuzz.h"

#include "lib/conf.h"

enum { SHOWN_MAX = 1 << 24 };

/* False, with lines in problems, when the text is wrong. */
static bool show(struct span text, struct buf *problems, struct buf *out)
{
	struct conf_source src = { "fuzz", text };
	struct conf *c = conf_parse(&src, 1, problems);

	MUST((c != NULL) == (problems->n == 0));
	if (!c)
		return false;
	conf_show(c, PROG_ALL, false, out);
	MUST(buf_ok(out));
	conf_unref(&c);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf problems = BUF_INIT(SHOWN_MAX);
	struct buf first = BUF_INIT(SHOWN_MAX), second = BUF_INIT(SHOWN_MAX);

	if (show(fuzz_input(data, size), &problems, &first)) {
		MUST(show(buf_span(&first), &problems, &second));
		MUST(span_eq(buf_span(&first), buf_span(&second)));
	}
	buf_release(&problems);
	buf_release(&first);
	buf_release(&second);
	return 0;
}
