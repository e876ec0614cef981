/* lib/span.c: see span.h. */
#include "lib/span.h"

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool span_eq_nocase(struct span a, struct span b)
{
	return a.n == b.n && span_starts_nocase(a, b);
}

bool span_starts_nocase(struct span s, struct span prefix)
{
	if (s.n < prefix.n)
		return false;
	for (size_t i = 0; i < prefix.n; i++) {
		if (lower(s.p[i]) != lower(prefix.p[i]))
			return false;
	}
	return true;
}

size_t span_find(struct span s, char c)
{
	const char *at = s.n ? memchr(s.p, c, s.n) : NULL;

	return at ? (size_t)(at - s.p) : s.n;
}

bool span_cut(struct span s, char sep, struct span *head_r, struct span *tail_r)
{
	size_t at = span_find(s, sep);

	*head_r = span_head(s, at);
	*tail_r = at < s.n ? span_skip(s, at + 1) : SPAN_EMPTY;
	return at < s.n;
}

static bool splits(char c)
{
	return c == ',' || c == ' ' || (c >= '\t' && c <= '\r');
}

struct span span_next_word(struct span *list)
{
	struct span word;
	size_t n = 0;

	while (list->n > 0 && splits(*list->p))
		*list = span_skip(*list, 1);
	while (n < list->n && !splits(list->p[n]))
		n++;
	word = span_head(*list, n);
	*list = span_skip(*list, n);
	return word;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct span span_trim(struct span s)
{
	while (s.n && is_blank(s.p[0]))
		s = span_skip(s, 1);
	while (s.n && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

bool span_u64(struct span s, uint64_t *value_r)
{
	uint64_t v = 0;

	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9' ||
		    __builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v))
			return false;
	}
	*value_r = v;
	return true;
}

/* Octets that follow a lead octet, and the bounds of the first of them, which
 * shut out overlong forms, surrogates and what lies beyond U+10FFFF
 * (RFC 3629 s.4). */
struct utf8_lead {
	unsigned char from, to;
	unsigned char more;
	unsigned char first_min, first_max;
};

static const struct utf8_lead utf8_leads[] = {
	{ 0x00, 0x7f, 0, 0x00, 0x00 }, { 0xc2, 0xdf, 1, 0x80, 0xbf },
	{ 0xe0, 0xe0, 2, 0xa0, 0xbf }, { 0xe1, 0xec, 2, 0x80, 0xbf },
	{ 0xed, 0xed, 2, 0x80, 0x9f }, { 0xee, 0xef, 2, 0x80, 0xbf },
	{ 0xf0, 0xf0, 3, 0x90, 0xbf }, { 0xf1, 0xf3, 3, 0x80, 0xbf },
	{ 0xf4, 0xf4, 3, 0x80, 0x8f },
};

static const struct utf8_lead *utf8_lead(unsigned char c)
{
	for (size_t i = 0; i < sizeof(utf8_leads) / sizeof(*utf8_leads); i++) {
		if (c >= utf8_leads[i].from && c <= utf8_leads[i].to)
			return &utf8_leads[i];
	}
	return NULL;
}

size_t span_utf8_length(struct span s)
{
	const unsigned char *u = (const unsigned char *)s.p;
	const struct utf8_lead *l = utf8_lead(u[0]);

	if (!l || s.n < 1 + (size_t)l->more)
		return 0;
	if (l->more && (u[1] < l->first_min || u[1] > l->first_max))
		return 0;
	for (size_t i = 2; i <= l->more; i++) {
		if ((u[i] & 0xc0) != 0x80)
			return 0;
	}
	return 1 + (size_t)l->more;
}

bool span_is_utf8(struct span s)
{
	while (s.n) {
		size_t n = span_utf8_length(s);

		if (n == 0)
			return false;
		s = span_skip(s, n);
	}
	return true;
}
