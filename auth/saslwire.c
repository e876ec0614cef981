#include "auth/saslwire.h"

static enum saslwire_status word_cut(struct span *octets, size_t max,
				     struct span *word_r)
{
	const unsigned char *p = (const unsigned char *)octets->p;
	size_t n;

	if (octets->n < 2)
		return SASLWIRE_MORE;
	n = (size_t)p[0] << 8 | p[1];
	if (n > max)
		return SASLWIRE_BAD;
	if (octets->n < n + 2)
		return SASLWIRE_MORE;
	*word_r = span_head(span_skip(*octets, 2), n);
	*octets = span_skip(*octets, n + 2);
	return SASLWIRE_OK;
}

enum saslwire_status saslwire_parse(struct span octets,
				    struct saslwire_request *r)
{
	const struct {
		struct span *word;
		size_t max;
	} row[] = { { &r->login, AUTHPROTO_NAME_MAX },
		    { &r->password, AUTHPROTO_SECRET_MAX },
		    { &r->service, SASLWIRE_WORD_MAX },
		    { &r->realm, SASLWIRE_WORD_MAX } };

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		enum saslwire_status s =
			word_cut(&octets, row[i].max, row[i].word);

		if (s != SASLWIRE_OK)
			return s;
	}
	return octets.n == 0 ? SASLWIRE_OK : SASLWIRE_BAD;
}

void saslwire_put_login(struct buf *b, const struct saslwire_request *r)
{
	buf_put_span(b, r->login);
	if (r->realm.n == 0 || span_find(r->login, '@') < r->login.n)
		return;
	buf_putc(b, '@');
	buf_put_span(b, r->realm);
}

void saslwire_put_answer(struct buf *b, struct span text)
{
	buf_putc(b, (char)(text.n >> 8));
	buf_putc(b, (char)(text.n & 0xff));
	buf_put_span(b, text);
}
