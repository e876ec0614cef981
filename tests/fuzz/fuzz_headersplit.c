/* tests/fuzz/fuzz_headersplit.c: header and body are told the same however the
 * message is cut; nothing is lost of the body; fields come before it. First
 * octet: where it is cut. */
#include "tests/fuzz/fuzz.h"

#include "lib/dot.h"
#include "lib/headersplit.h"

struct told {
	struct buf text;
	uint64_t body;
};

static void take_field(void *arg, struct span name, struct span value)
{
	struct told *t = arg;

	MUST(t->body == 0 && name.n > 0);
	MUST(span_find(name, '\n') == name.n && span_find(name, ':') == name.n);
	buf_put_span(&t->text, name);
	buf_putc(&t->text, ':');
	buf_put_span(&t->text, value);
	buf_puts(&t->text, "\r\n");
}

static void take_body(void *arg, struct span piece)
{
	struct told *t = arg;

	t->body += piece.n;
	buf_put_span(&t->text, piece);
}

static void split(struct span s, size_t cut, struct told *t)
{
	struct headersplit h = HEADERSPLIT_INIT;
	const struct headersplit_to to = { take_field, take_body, t };

	buf_init(&t->text, SIZE_MAX / 2);
	t->body = 0;
	headersplit_feed(&h, span_head(s, cut), &to);
	headersplit_feed(&h, span_skip(s, cut), &to);
	headersplit_end(&h, &to);
	MUST(h.done && !h.failed && h.octets + t->body == s.n);
	headersplit_release(&h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span s = fuzz_input(data, size);
	size_t cut = fuzz_octet(&s);
	struct buf text = BUF_INIT(SIZE_MAX / 2);
	struct dot_crlf crlf = { .cr = false };
	struct told one, two;

	dot_crlf(&crlf, s, &text);
	split(buf_span(&text), 0, &one);
	split(buf_span(&text), cut, &two);
	MUST(span_eq(buf_span(&one.text), buf_span(&two.text)));
	buf_release(&one.text);
	buf_release(&two.text);
	buf_release(&text);
	return 0;
}
