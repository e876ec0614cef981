/* lib/addr.c: see addr.h. */
#include "lib/addr.h"

#include <stdlib.h>

#include <idn2.h>

#include "lib/network.h"

enum {
	PATH_MAX_OCTETS = 1024, /* source route, quotes and all */
	LABEL_MAX = 63,         /* RFC 1035 s.2.3.4 */
	QUOTES = 2
};

const char *addr_status_text(enum addr_status s)
{
	switch (s) {
	case ADDR_OK:
		return "ok";
	case ADDR_NULL:
		return "null address";
	case ADDR_SYNTAX:
		return "bad address syntax";
	case ADDR_LONG:
		return "address too long";
	case ADDR_UTF8:
		return "address is not valid UTF-8";
	case ADDR_DOMAIN:
		return "bad domain name";
	}
	return "unknown";
}

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9');
}

static bool is_8bit(char c)
{
	return ((unsigned char)c & 0x80) != 0;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

/* RFC 5322 s.3.2.3 atext and the dot; RFC 6531 s.3.3 adds UTF-8. Where the
 * dots stand is not looked at: "a..b@" and "a.@" live at large providers. */
static bool is_dot_atext(char c)
{
	return is_alnum(c) || is_8bit(c) ||
	       (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~.", c) != NULL);
}

static bool is_control(unsigned char c)
{
	return c < 0x20 || c == 0x7f;
}

/* C0, DEL, and C1 in its UTF-8 form (0xc2 0x80 to 0xc2 0x9f). */
static bool has_control(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		unsigned char next =
			i + 1 < s.n ? (unsigned char)s.p[i + 1] : 0;

		if (is_control(c) || (c == 0xc2 && next >= 0x80 && next < 0xa0))
			return true;
	}
	return false;
}

static bool has_8bit(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (is_8bit(s.p[i]))
			return true;
	return false;
}

static enum addr_status check_octets(struct span s)
{
	if (s.n > PATH_MAX_OCTETS)
		return ADDR_LONG;
	if (has_control(s))
		return ADDR_SYNTAX;
	return span_is_utf8(s) ? ADDR_OK : ADDR_UTF8;
}

/* Domains. */

/* Letters, digits, inner hyphens (RFC 5321 s.4.1.2), and the underscore that
 * is seen in the wild. */
static bool label_valid(struct span label)
{
	if (label.n == 0 || label.n > LABEL_MAX)
		return false;
	for (size_t i = 0; i < label.n; i++)
		if (!is_alnum(label.p[i]) && label.p[i] != '-' &&
		    label.p[i] != '_')
			return false;
	return label.p[0] != '-' && label.p[label.n - 1] != '-';
}

static enum addr_status put_ascii_domain(struct span domain, char *out,
					 size_t *n_r)
{
	struct span label, rest = domain;
	bool more = true;

	if (domain.n > ADDR_DOMAIN_MAX)
		return ADDR_LONG;
	while (more) {
		more = span_cut(rest, '.', &label, &rest);
		if (!label_valid(label))
			return ADDR_SYNTAX;
	}
	for (size_t i = 0; i < domain.n; i++)
		out[i] = lower(domain.p[i]);
	out[domain.n] = '\0';
	*n_r = domain.n;
	return ADDR_OK;
}

/* The library wants a C string and gives one that we free. What it answers
 * goes through the same check as any ASCII domain, so that the canonical form
 * of a canonical form is itself. */
static enum addr_status put_idn_domain(struct span domain, char *out,
				       size_t *n_r)
{
	uint8_t text[PATH_MAX_OCTETS + 1];
	uint8_t *ascii = NULL;
	enum addr_status s = ADDR_DOMAIN;

	if (domain.n > PATH_MAX_OCTETS)
		return ADDR_LONG;
	memcpy(text, domain.p, domain.n);
	text[domain.n] = '\0';
	if (idn2_lookup_u8(text, &ascii,
			   IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) == IDN2_OK &&
	    put_ascii_domain(span_of((const char *)ascii), out, n_r) == ADDR_OK)
		s = ADDR_OK;
	idn2_free(ascii);
	return s;
}

/* "[192.0.2.1]" and "[IPv6:2001:db8::1]" (RFC 5321 s.4.1.3), the address in
 * its shortest form. */
static enum addr_status put_literal(struct span literal, char *out, size_t *n_r)
{
	static const char tag[] = "[ipv6:";
	struct span inner = { literal.p + 1, literal.n - 2 };
	char text[IPADDR_TEXT_MAX];
	struct ipaddr a;
	bool v6 = span_starts_nocase(inner, SPAN_LIT("IPv6:"));
	bool colon = span_find(inner, ':') != inner.n;
	size_t head, n;

	if (v6 != colon || inner.n == 0 || inner.p[0] == '[' ||
	    !ipaddr_parse(inner, &a))
		return ADDR_DOMAIN;
	head = ipaddr_is_v4(&a) ? 1 : sizeof(tag) - 1;
	n = strlen(ipaddr_text(&a, text));
	memcpy(out, tag, head);
	memcpy(out + head, text, n);
	memcpy(out + head + n, "]", 2);
	*n_r = head + n + 1;
	return ADDR_OK;
}

enum addr_status addr_domain_parse(struct span domain, char *out, size_t *n_r)
{
	enum addr_status s = check_octets(domain);

	if (s != ADDR_OK)
		return s;
	if (domain.n == 0)
		return ADDR_SYNTAX;
	if (domain.n >= 2 && domain.p[0] == '[' &&
	    domain.p[domain.n - 1] == ']')
		return put_literal(domain, out, n_r);
	return has_8bit(domain) ? put_idn_domain(domain, out, n_r)
				: put_ascii_domain(domain, out, n_r);
}

/* Local parts. They are taken into plain octets first, then put back with
 * quotes only if they need them, so that one mailbox has one spelling. */
struct local {
	char text[ADDR_LOCAL_MAX];
	size_t n;
};

static bool local_add(struct local *l, char c, bool fold)
{
	if (l->n == ADDR_LOCAL_MAX)
		return false;
	l->text[l->n++] = fold ? lower(c) : c;
	return true;
}

static enum addr_status take_atoms(struct span *s, bool fold, struct local *l)
{
	while (s->n > 0 && is_dot_atext(s->p[0])) {
		if (!local_add(l, s->p[0], fold))
			return ADDR_LONG;
		*s = span_skip(*s, 1);
	}
	return l->n > 0 ? ADDR_OK : ADDR_SYNTAX;
}

/* RFC 5321 s.4.1.2 Quoted-string; a quoted pair holds printable ASCII. */
static enum addr_status take_quoted(struct span *s, bool fold, struct local *l)
{
	*s = span_skip(*s, 1);
	while (s->n > 0 && s->p[0] != '"') {
		if (s->p[0] == '\\') {
			*s = span_skip(*s, 1);
			if (s->n == 0 || is_8bit(s->p[0]))
				return ADDR_SYNTAX;
		}
		if (!local_add(l, s->p[0], fold))
			return ADDR_LONG;
		*s = span_skip(*s, 1);
	}
	if (s->n == 0)
		return ADDR_SYNTAX;
	*s = span_skip(*s, 1);
	return ADDR_OK;
}

static bool needs_quotes(const struct local *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (!is_dot_atext(l->text[i]))
			return true;
	return l->n == 0;
}

/* Writes into out, of 2 * ADDR_LOCAL_MAX + QUOTES octets. */
static size_t put_local(const struct local *l, char *out)
{
	bool quote = needs_quotes(l);
	size_t n = 0;

	if (quote)
		out[n++] = '"';
	for (size_t i = 0; i < l->n; i++) {
		if (l->text[i] == '"' || l->text[i] == '\\')
			out[n++] = '\\';
		out[n++] = l->text[i];
	}
	if (quote)
		out[n++] = '"';
	return n;
}

/* Paths. */

/* One "@domain" of a source route; a literal may hold colons. */
static size_t hop_length(struct span s)
{
	size_t n = 1;

	if (s.n > 1 && s.p[1] == '[')
		while (n < s.n && s.p[n] != ']')
			n++;
	while (n < s.n && s.p[n] != ',' && s.p[n] != ':')
		n++;
	return n;
}

/* Drops "@a,@b:" (RFC 5321 s.4.1.2 A-d-l), which SHOULD be ignored. */
static bool drop_route(struct span *s)
{
	char domain[ADDR_DOMAIN_MAX + 1];
	size_t n, unused;

	if (s->n == 0 || s->p[0] != '@')
		return true;
	for (;;) {
		if (s->n == 0 || s->p[0] != '@')
			return false;
		n = hop_length(*s);
		if (n == s->n ||
		    addr_domain_parse((struct span){ s->p + 1, n - 1 }, domain,
				      &unused) != ADDR_OK)
			return false;
		*s = span_skip(*s, n + 1);
		if (s->p[-1] == ':')
			return true;
	}
}

static bool drop_brackets(struct span *s)
{
	if (s->n == 0 || s->p[0] != '<')
		return true;
	if (s->n < 2 || s->p[s->n - 1] != '>')
		return false;
	*s = (struct span){ s->p + 1, s->n - 2 };
	return true;
}

static enum addr_status join(const struct local *l, struct span domain,
			     struct addr *a_r)
{
	char name[ADDR_DOMAIN_MAX + 1];
	char local[2 * ADDR_LOCAL_MAX + QUOTES];
	size_t local_n = put_local(l, local);
	size_t n;
	enum addr_status s = addr_domain_parse(domain, name, &n);

	if (s != ADDR_OK)
		return s;
	if (local_n + 1 + n > ADDR_MAX)
		return ADDR_LONG;
	memcpy(a_r->text, local, local_n);
	a_r->text[local_n] = '@';
	memcpy(a_r->text + local_n + 1, name, n + 1);
	a_r->at = (uint16_t)local_n;
	a_r->n = (uint16_t)(local_n + 1 + n);
	return ADDR_OK;
}

enum addr_status addr_parse(struct span path, bool fold_local, struct addr *a_r)
{
	struct local l = { .n = 0 };
	enum addr_status s = check_octets(path);

	if (s != ADDR_OK)
		return s;
	if (path.n == 0 || span_eq(path, SPAN_LIT("<>")))
		return ADDR_NULL;
	if (!drop_brackets(&path) || !drop_route(&path) || path.n == 0)
		return ADDR_SYNTAX;
	s = path.p[0] == '"' ? take_quoted(&path, fold_local, &l)
			     : take_atoms(&path, fold_local, &l);
	if (s != ADDR_OK)
		return s;
	if (path.n == 0 || path.p[0] != '@')
		return ADDR_SYNTAX;
	return join(&l, span_skip(path, 1), a_r);
}

/* Offset of the first delimiter in the local part; 0 when there is none. */
static size_t find_delimiter(struct span local, struct span delimiters)
{
	if (local.n == 0 || local.p[0] == '"')
		return 0;
	for (size_t i = 0; i < local.n; i++)
		if (span_find(delimiters, local.p[i]) != delimiters.n)
			return i;
	return 0;
}

bool addr_strip_extension(const struct addr *a, struct span delimiters,
			  struct addr *base_r, struct span *extension_r)
{
	size_t at = find_delimiter(addr_local(a), delimiters);
	size_t tail = (size_t)(a->n - a->at);

	if (at == 0)
		return false;
	*extension_r = (struct span){ a->text + at, a->at - at };
	memcpy(base_r->text, a->text, at);
	memcpy(base_r->text + at, a->text + a->at, tail + 1);
	base_r->at = (uint16_t)at;
	base_r->n = (uint16_t)(at + tail);
	return true;
}
