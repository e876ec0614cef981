/* tests/fuzz/fuzz_receipt.c: a mail has one key, however its body is cut and
 * whichever line ends it has. Input: headers "name:value" up to an empty line,
 * then the body; first octets: two cuts. */
#include "tests/fuzz/fuzz.h"

#include "lib/receipt.h"

static bool own_host(void *arg, struct span host)
{
	(void)arg;
	return span_is(host, "o");
}

/* The rest behind the headers. */
static struct span give_headers(struct receipt *r, struct span s)
{
	struct span line, name, value;

	while (span_cut(s, '\n', &line, &s) && line.n > 0) {
		span_cut(line, ':', &name, &value);
		receipt_header(r, name, value);
	}
	return s;
}

static bool key_of(struct span s, size_t cut, uint8_t key[RECEIPT_KEY_SIZE])
{
	struct receipt *r = receipt_new(own_host, NULL);
	struct span body;
	bool ok;

	MUST(r != NULL);
	body = give_headers(r, s);
	receipt_body(r, span_head(body, cut));
	receipt_body(r, span_skip(body, cut));
	ok = receipt_finish(r, SPAN_LIT("q"), key);
	receipt_free(&r);
	return ok;
}

/* The body without its last line end, unless all of it is empty lines: the
 * line end that is missing counts as there, but nothing is not a line. */
static struct span drop_last_end(struct span body)
{
	size_t n = body.n;

	if (n > 0 && body.p[n - 1] == '\n')
		n--;
	if (n < body.n && n > 0 && body.p[n - 1] == '\r')
		n--;
	return n > 0 && body.p[n - 1] != '\n' ? span_head(body, n) : body;
}

/* Whether octet i is the CR of a CRLF that can be written as a bare LF: after
 * another CR it cannot, the two would make a CRLF. */
static bool is_needless_cr(struct span s, size_t i)
{
	return s.p[i] == '\r' && i + 1 < s.n && s.p[i + 1] == '\n' &&
	       (i == 0 || s.p[i - 1] != '\r');
}

/* The same mail with bare LF for CRLF, given octet by octet. */
static bool bare_key_of(struct span s, uint8_t key[RECEIPT_KEY_SIZE])
{
	struct receipt *r = receipt_new(own_host, NULL);
	struct span body;
	bool ok;

	MUST(r != NULL);
	body = drop_last_end(give_headers(r, s));
	for (size_t i = 0; i < body.n; i++)
		if (!is_needless_cr(body, i))
			receipt_body(r, span_make(body.p + i, 1));
	ok = receipt_finish(r, SPAN_LIT("q"), key);
	receipt_free(&r);
	return ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span s = fuzz_input(data, size);
	size_t one = fuzz_octet(&s), two = fuzz_octet(&s);
	uint8_t a[RECEIPT_KEY_SIZE], b[RECEIPT_KEY_SIZE], c[RECEIPT_KEY_SIZE];
	bool ok = key_of(s, one, a);

	MUST(key_of(s, two, b) == ok);
	MUST(bare_key_of(s, c) == ok);
	MUST(memcmp(a, b, sizeof(a)) == 0);
	MUST(memcmp(a, c, sizeof(a)) == 0);
	return 0;
}
