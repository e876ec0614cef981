/* lib/esc.c: see esc.h. */
#include "lib/esc.h"

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c <= 0x7e && c != '\\' && c != '<' && c != '>' &&
	       c != '"';
}

/* At most 4 octets. */
static size_t put_octet(char *to, char c)
{
	static const char hex[] = "0123456789abcdef";
	unsigned char u = (unsigned char)c;

	if (is_plain(u)) {
		to[0] = c;
		return 1;
	}
	to[0] = '\\';
	to[1] = 'x';
	to[2] = hex[u >> 4];
	to[3] = hex[u & 15];
	return 4;
}

void esc_put(struct buf *b, struct span s, size_t max)
{
	struct span head = span_head(s, max);
	char out[4];

	for (size_t i = 0; i < head.n; i++)
		buf_put(b, out, put_octet(out, head.p[i]));
	if (head.n < s.n)
		buf_puts(b, "...");
}

const char *esc_text(struct esc_text *t, struct span s)
{
	struct span head = span_head(s, ESC_MAX);
	size_t n = 0;

	for (size_t i = 0; i < head.n; i++)
		n += put_octet(t->s + n, head.p[i]);
	if (head.n < s.n) {
		memcpy(t->s + n, "...", 3);
		n += 3;
	}
	t->s[n] = '\0';
	return t->s;
}
