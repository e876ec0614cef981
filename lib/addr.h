/* lib/addr.h: mail addresses in their one canonical form. Pure. */
#ifndef MAILROW_LIB_ADDR_H
#define MAILROW_LIB_ADDR_H

#include "lib/buf.h"

enum {
	ADDR_MAX = 320,      /* the column: VARBINARY(320) */
	ADDR_LOCAL_MAX = 64, /* RFC 5321 s.4.5.3.1.1 */
	ADDR_DOMAIN_MAX = 255
};

/* Canonical: domain as A-labels in lower case, local part without needless
 * quotes, ASCII letters lowered when asked, nothing else folded. */
struct addr {
	char text[ADDR_MAX + 1]; /* NUL-terminated; holds no NUL */
	uint16_t n;
	uint16_t at; /* offset of the last '@' */
};

enum addr_status {
	ADDR_OK,
	ADDR_NULL,   /* <> or nothing: the null reverse-path */
	ADDR_SYNTAX, /* also NUL, control characters, no domain */
	ADDR_LONG,
	ADDR_UTF8,  /* not valid UTF-8 */
	ADDR_DOMAIN /* the domain is none (IDNA, RFC 5891) */
};
const char *addr_status_text(enum addr_status s);

/* Parses "<path>" as given to MAIL and RCPT, or a bare address; a source
 * route (RFC 5321 s.4.1.2) is dropped. Kinder than the grammar in two things
 * that are in use: dots may stand anywhere in an unquoted local part, and
 * domains may hold underscores. a_r is set for ADDR_OK only. */
enum addr_status addr_parse(struct span path, bool fold_local,
			    struct addr *a_r);

/* A path without its angle brackets. */
static inline struct span addr_bare(struct span path)
{
	if (path.n && path.p[0] == '<')
		path = span_skip(path, 1);
	if (path.n && path.p[path.n - 1] == '>')
		path.n--;
	return path;
}

/* Canonical form of a domain alone, into out (ADDR_DOMAIN_MAX + 1 octets). */
enum addr_status addr_domain_parse(struct span domain, char *out, size_t *n_r);

static inline struct span addr_span(const struct addr *a)
{
	return (struct span){ a->text, a->n };
}

static inline struct span addr_local(const struct addr *a)
{
	return (struct span){ a->text, a->at };
}

static inline struct span addr_domain(const struct addr *a)
{
	return (struct span){ a->text + a->at + 1, (size_t)(a->n - a->at - 1) };
}

/* "bob+x@d" -> "bob@d" and, in extension_r, "+x" (a view of a). False when
 * there is no delimiter, or nothing before it, or the local part is quoted. */
bool addr_strip_extension(const struct addr *a, struct span delimiters,
			  struct addr *base_r, struct span *extension_r);

#endif
