/* lib/addrlist.c: see addrlist.h. What stands before a ',', '<', ':' or ';' is
 * collected in a struct spec, which can become an address as long as nothing
 * in it forbids that; the sign that follows tells whether it has to be one or
 * was a name. */
#include "lib/addrlist.h"

#include "lib/addrscan.h"

enum { DOMAIN_TEXT_MAX = 1024 };

/* An address that is put together; obsolete syntax (RFC 5322 s.4.4) lets
 * blanks and comments stand between its parts. */
struct spec {
	char local[ADDR_LOCAL_MAX]; /* without quotes */
	size_t local_n;
	char domain[DOMAIN_TEXT_MAX];
	size_t domain_n;
	bool any;      /* a part was there */
	bool at;       /* and an '@' */
	bool quoted;   /* one of its parts was */
	bool joins;    /* the next part may follow without a dot */
	bool mistaken; /* it is no address */
};

struct reader {
	struct span rest;
	struct addrlist *l;
	bool fold;
	bool in_group;
};

static void put_entry(struct addrlist *l, const struct addr *a, bool shown)
{
	struct addrlist_entry *e = l->entry;

	while (e < l->entry + l->n &&
	       !span_eq(addr_span(&e->addr), addr_span(a)))
		e++;
	if (e < l->entry + l->n) {
		e->shown &= shown;
	} else if (l->n == ADDRLIST_MAX) {
		l->broken = l->overflow = true;
	} else {
		*e = (struct addrlist_entry){ .addr = *a, .shown = shown };
		l->n++;
	}
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* RFC 5322 s.3.2.3 atext, the dot, and what is not ASCII. */
static bool is_atom(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || ((unsigned char)c & 0x80) != 0 ||
	       (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~.", c) != NULL);
}

/* A line end is one within a fold, or ends it all. */
static bool octets_valid(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == '\r' && (i + 1 == s.n || s.p[i + 1] != '\n'))
			return false;
		if (c == '\n' && i + 1 < s.n && s.p[i + 1] != ' ' &&
		    s.p[i + 1] != '\t')
			return false;
		if ((c < 0x20 && !is_blank((char)c)) || c == 0x7f)
			return false;
	}
	return true;
}

/* Blanks and comments (RFC 5322 s.3.2.2). */

/* False: it does not end, or they are too many in one another. */
static bool skip_comment(struct span *s)
{
	size_t depth = 0;

	while (s->n > 0) {
		char c = s->p[0];

		*s = span_skip(*s, c == '\\' ? 2 : 1);
		if (c == '(' && ++depth > ADDRLIST_COMMENTS_MAX)
			return false;
		if (c == ')' && --depth == 0)
			return true;
	}
	return false;
}

static bool skip_cfws(struct span *s)
{
	while (s->n > 0 && (s->p[0] == '(' || is_blank(s->p[0]))) {
		if (s->p[0] == '(') {
			if (!skip_comment(s))
				return false;
		} else {
			*s = span_skip(*s, 1);
		}
	}
	return true;
}

/* The parts of an address, or of a name. */

static void put_octet(struct spec *p, char c)
{
	char *to = p->at ? p->domain : p->local;
	size_t *n = p->at ? &p->domain_n : &p->local_n;
	size_t size = p->at ? sizeof(p->domain) : sizeof(p->local);

	if (*n == size)
		p->mistaken = true;
	else
		to[(*n)++] = c;
}

/* Two words without a dot between them are a name. */
static void begin_part(struct spec *p, char first)
{
	p->mistaken |= !p->joins && first != '.';
	p->any = true;
}

static void take_atom(struct span *s, struct spec *p)
{
	begin_part(p, s->p[0]);
	while (s->n > 0 && is_atom(s->p[0])) {
		put_octet(p, s->p[0]);
		p->joins = s->p[0] == '.';
		*s = span_skip(*s, 1);
	}
}

/* False: it does not end. */
static bool take_quoted(struct span *s, struct spec *p)
{
	begin_part(p, '"');
	p->quoted = true;
	p->joins = false;
	p->mistaken |= p->at; /* no domain has quotes */
	for (*s = span_skip(*s, 1); s->n > 0; *s = span_skip(*s, 1)) {
		if (s->p[0] == '"') {
			*s = span_skip(*s, 1);
			return true;
		}
		if (s->p[0] == '\\')
			*s = span_skip(*s, 1);
		if (s->n > 0 && s->p[0] != '\r' && s->p[0] != '\n')
			put_octet(p, s->p[0]);
	}
	return false;
}

/* "[192.0.2.1]" is a whole domain; elsewhere brackets belong to a name. */
static void take_bracket(struct span *s, struct spec *p)
{
	bool whole = p->at && p->domain_n == 0;
	size_t n = whole ? span_find(*s, ']') + 1 : 1;

	begin_part(p, s->p[0]);
	p->joins = false;
	p->mistaken |= !whole || n > s->n;
	n = n > s->n ? 1 : n;
	for (size_t i = 0; i < n; i++)
		put_octet(p, s->p[i]);
	*s = span_skip(*s, n);
}

static void take_at(struct span *s, struct spec *p)
{
	p->mistaken |= p->at || !p->any;
	p->any = p->at = true;
	p->joins = true;
	*s = span_skip(*s, 1);
}

/* Up to a sign that it does not know, or the end. False: that has no end. */
static bool take_spec(struct span *s, struct spec *p_r)
{
	*p_r = (struct spec){ .joins = true };
	for (;;) {
		if (!skip_cfws(s))
			return false;
		if (s->n == 0)
			return true;
		if (s->p[0] == '"') {
			if (!take_quoted(s, p_r))
				return false;
		} else if (s->p[0] == '[' || s->p[0] == ']') {
			take_bracket(s, p_r);
		} else if (s->p[0] == '@') {
			take_at(s, p_r);
		} else if (is_atom(s->p[0])) {
			take_atom(s, p_r);
		} else {
			return true;
		}
	}
}

/* With quotes throughout: addr_parse() takes the needless ones off. */
static bool spec_address(const struct spec *p, bool fold, struct addr *a_r)
{
	char text[2 * ADDR_LOCAL_MAX + sizeof("\"\"@") + DOMAIN_TEXT_MAX];
	size_t n = 0;

	if (p->mistaken || !p->at)
		return false;
	text[n++] = '"';
	for (size_t i = 0; i < p->local_n; i++) {
		if (p->local[i] == '"' || p->local[i] == '\\')
			text[n++] = '\\';
		text[n++] = p->local[i];
	}
	text[n++] = '"';
	text[n++] = '@';
	memcpy(text + n, p->domain, p->domain_n);
	n += p->domain_n;
	return addr_parse(span_make(text, n), fold, a_r) == ADDR_OK;
}

static bool take_address(struct reader *r, const struct spec *p)
{
	struct addr a;

	if (!spec_address(p, r->fold, &a))
		return false;
	put_entry(r->l, &a, false);
	return true;
}

/* What stands in "<>"; a route is known by its first sign. */

/* The route says nothing (RFC 5322 s.4.4). */
static bool skip_route(struct span *s)
{
	struct spec hop;

	do {
		if (!take_spec(s, &hop) || s->n == 0)
			return false;
		if (hop.any && (hop.domain_n == 0 || hop.local_n > 0))
			return false;
		*s = span_skip(*s, 1);
	} while (s->p[-1] == ',');
	return s->p[-1] == ':';
}

static bool take_angle(struct reader *r)
{
	struct spec p;

	r->rest = span_skip(r->rest, 1);
	if (!skip_cfws(&r->rest))
		return false;
	if (r->rest.n > 0 && (r->rest.p[0] == '@' || r->rest.p[0] == ',') &&
	    !skip_route(&r->rest))
		return false;
	if (!take_spec(&r->rest, &p) || r->rest.n == 0 || r->rest.p[0] != '>' ||
	    (p.any && !take_address(r, &p)))
		return false;
	r->rest = span_skip(r->rest, 1);
	return skip_cfws(&r->rest);
}

/* A name that is an address is one to whoever reads it; without quotes the
 * scan sees any other one that stands in a name. */
static bool take_name(struct reader *r, const struct spec *name)
{
	struct addr a;

	if (!name->at)
		return true;
	if (!spec_address(name, r->fold, &a))
		return !name->quoted;
	if (span_find(addr_domain(&a), '.') < addr_domain(&a).n)
		put_entry(r->l, &a, true);
	return true;
}

/* The list. */

static bool begin_group(struct reader *r, const struct spec *name)
{
	if (r->in_group || !name->any || name->at)
		return false;
	r->in_group = true;
	r->rest = span_skip(r->rest, 1);
	return true;
}

/* What follows a mailbox: a comma, or the end of a group and then one. */
static bool end_mailbox(struct reader *r)
{
	if (r->rest.n > 0 && r->rest.p[0] == ';') {
		if (!r->in_group)
			return false;
		r->in_group = false;
		r->rest = span_skip(r->rest, 1);
		if (!skip_cfws(&r->rest))
			return false;
	}
	if (r->rest.n == 0)
		return !r->in_group;
	if (r->rest.p[0] != ',')
		return false;
	r->rest = span_skip(r->rest, 1);
	return true;
}

static bool take_element(struct reader *r)
{
	struct spec p;

	if (!take_spec(&r->rest, &p))
		return false;
	if (r->rest.n > 0 && r->rest.p[0] == ':')
		return begin_group(r, &p);
	if (r->rest.n > 0 && r->rest.p[0] == '<')
		return take_name(r, &p) && take_angle(r) && end_mailbox(r);
	return (!p.any || take_address(r, &p)) && end_mailbox(r);
}

static bool read_list(struct reader *r)
{
	if (!octets_valid(r->rest))
		return false;
	do
		if (!take_element(r))
			return false;
	while (r->rest.n > 0);
	return !r->in_group;
}

/* Where the list was read, who has no name there is no address. */
static void take_shown(void *arg, const struct addr *a)
{
	struct addrlist *l = arg;

	if (l->broken || !span_eq(addr_local(a), ADDRSCAN_NAMELESS))
		put_entry(l, a, true);
}

void addrlist_add(struct addrlist *l, struct span value, bool fold_local)
{
	struct reader r = { .rest = value, .l = l, .fold = fold_local };

	l->fields++;
	if (!read_list(&r))
		l->broken = true;
	if (!addrscan(value, fold_local, take_shown, l))
		l->broken = l->overflow = true;
}

size_t addrlist_mailboxes(const struct addrlist *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		n += !l->entry[i].shown;
	return n;
}
