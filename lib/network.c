/* lib/network.c: see network.h. */
#include "lib/network.h"

#include <arpa/inet.h>

static const uint8_t v4_prefix[12] = { [10] = 0xff, [11] = 0xff };

/* inet_pton() wants a string; a span with a NUL inside is no address. */
static bool parse_family(int family, struct span text, void *octets)
{
	char s[IPADDR_TEXT_MAX];

	if (text.n >= sizeof(s) || span_find(text, '\0') < text.n)
		return false;
	memcpy(s, text.p, text.n);
	s[text.n] = '\0';
	return inet_pton(family, s, octets) == 1;
}

static bool parse_v4(struct span text, struct ipaddr *a_r)
{
	memcpy(a_r->octet, v4_prefix, sizeof(v4_prefix));
	return parse_family(AF_INET, text, a_r->octet + sizeof(v4_prefix));
}

bool ipaddr_parse(struct span text, struct ipaddr *a_r)
{
	const struct span tag = SPAN_LIT("IPv6:");

	if (text.n >= 2 && text.p[0] == '[' && text.p[text.n - 1] == ']')
		text = span_skip(span_head(text, text.n - 1), 1);
	if (span_starts_nocase(text, tag))
		return parse_family(AF_INET6, span_skip(text, tag.n),
				    a_r->octet);
	return parse_v4(text, a_r) || parse_family(AF_INET6, text, a_r->octet);
}

bool ipaddr_is_v4(const struct ipaddr *a)
{
	return memcmp(a->octet, v4_prefix, sizeof(v4_prefix)) == 0;
}

bool ipaddr_is_loopback(const struct ipaddr *a)
{
	static const struct ipaddr v6 = { { [15] = 1 } };

	if (ipaddr_is_v4(a))
		return a->octet[sizeof(v4_prefix)] == 127;
	return memcmp(a->octet, v6.octet, sizeof(v6.octet)) == 0;
}

const char *ipaddr_text(const struct ipaddr *a, char out[IPADDR_TEXT_MAX])
{
	const char *text;

	if (ipaddr_is_v4(a))
		text = inet_ntop(AF_INET, a->octet + sizeof(v4_prefix), out,
				 IPADDR_TEXT_MAX);
	else
		text = inet_ntop(AF_INET6, a->octet, out, IPADDR_TEXT_MAX);
	return text ? text : "";
}

void ipaddr_put(struct buf *b, const struct ipaddr *a)
{
	char text[IPADDR_TEXT_MAX];

	buf_puts(b, ipaddr_text(a, text));
}

static bool rest_is_zero(const struct network *n)
{
	for (unsigned i = n->bits; i < 128; i++) {
		if (n->base.octet[i / 8] & (0x80u >> (i % 8)))
			return false;
	}
	return true;
}

static bool parse_any(struct span text, struct network *n_r)
{
	struct span addr, prefix;
	bool has_prefix = span_cut(text, '/', &addr, &prefix);
	unsigned skipped;
	uint64_t bits;

	if (!ipaddr_parse(addr, &n_r->base))
		return false;
	/* "::ffff:192.0.2.0/120" counts from the left of all 16 octets. */
	skipped = span_find(addr, ':') == addr.n ? 96 : 0;
	n_r->bits = 128;
	if (!has_prefix)
		return true;
	if (!span_u64(prefix, &bits) || bits > 128 - skipped)
		return false;
	n_r->bits = (unsigned)bits + skipped;
	return true;
}

bool network_parse(struct span text, struct network *n_r)
{
	return parse_any(text, n_r) && rest_is_zero(n_r);
}

void network_put(struct buf *b, const struct network *n)
{
	ipaddr_put(b, &n->base);
	if (n->bits < 128)
		buf_printf(b, "/%u",
			   ipaddr_is_v4(&n->base) ? n->bits - 96 : n->bits);
}

bool network_has(const struct network *n, const struct ipaddr *a)
{
	unsigned whole = n->bits / 8;
	unsigned mask = 0xff00u >> (n->bits % 8);

	return memcmp(n->base.octet, a->octet, whole) == 0 &&
	       (whole == 16 ||
		((n->base.octet[whole] ^ a->octet[whole]) & mask & 0xff) == 0);
}

bool network_set_has(const struct network_set *s, const struct ipaddr *a)
{
	for (size_t i = 0; i < s->n; i++) {
		if (network_has(&s->net[i], a))
			return true;
	}
	return false;
}

void network_around(const struct ipaddr *a, struct network *n_r)
{
	n_r->base = *a;
	n_r->bits = ipaddr_is_v4(a) ? 96 + 24 : 64;
	memset(n_r->base.octet + n_r->bits / 8, 0, 16 - n_r->bits / 8);
}

bool network_list_has(struct span list, const struct ipaddr *a,
		      struct span *bad_r)
{
	bool has = list.n == 0;
	struct span all = list, word = span_next_word(&list);
	struct network net;

	*bad_r = word.n > 0 ? SPAN_EMPTY : all;
	for (; word.n > 0; word = span_next_word(&list)) {
		if (!parse_any(word, &net))
			*bad_r = word;
		else if (network_has(&net, a))
			has = true;
	}
	return has;
}

struct span network_list_bad(struct span list)
{
	struct span all = list, word = span_next_word(&list);
	struct network net;

	if (word.n == 0)
		return all;
	for (; word.n > 0; word = span_next_word(&list))
		if (!network_parse(word, &net))
			return word;
	return SPAN_EMPTY;
}
