/* lib/span.h: a view of octets that somebody else owns. */
#ifndef MAILROW_LIB_SPAN_H
#define MAILROW_LIB_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
	const char *p;
	size_t n;
};

#define SPAN_EMPTY  ((struct span){ "", 0 })
#define SPAN_LIT(s) ((struct span){ "" s, sizeof(s) - 1 })

/* For initialisers of static tables, where SPAN_LIT is not constant. */
/* clang-format off */
#define SPAN_INIT(s) { "" s, sizeof(s) - 1 }
/* clang-format on */

static inline struct span span_make(const void *p, size_t n)
{
	return (struct span){ p, n };
}

/* A NULL string is the empty span. */
static inline struct span span_of(const char *s)
{
	return s ? (struct span){ s, strlen(s) } : SPAN_EMPTY;
}

/* The first n octets, or all when there are fewer. */
static inline struct span span_head(struct span s, size_t n)
{
	return (struct span){ s.p, n < s.n ? n : s.n };
}

/* What follows the first n octets; empty when there are fewer. */
static inline struct span span_skip(struct span s, size_t n)
{
	n = n < s.n ? n : s.n;
	return (struct span){ s.p + n, s.n - n };
}

static inline bool span_eq(struct span a, struct span b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool span_is(struct span a, const char *s)
{
	return span_eq(a, span_of(s));
}

/* Only ASCII letters are folded, whatever the locale. */
bool span_eq_nocase(struct span a, struct span b);
bool span_starts_nocase(struct span s, struct span prefix);

/* Offset of the first c, or s.n when there is none. */
size_t span_find(struct span s, char c);

/* Cuts at the first sep: head before it, tail after it. False, and head = s,
 * tail empty, when there is no sep. head_r or tail_r may be where s came from.
 */
bool span_cut(struct span s, char sep, struct span *head_r,
	      struct span *tail_r);

/* Takes the next word off a list that is split at commas, blanks and line ends.
 * Empty: it has no more. */
struct span span_next_word(struct span *list);

/* Takes blanks, tabs, CR and LF off both ends. */
struct span span_trim(struct span s);

/* A decimal number without sign, blanks or overflow, and nothing after it. */
bool span_u64(struct span s, uint64_t *value_r);

/* Well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms, no code point
 * beyond U+10FFFF). NUL and control characters are well-formed. */
bool span_is_utf8(struct span s);

/* Octets of its first character, when that is UTF-8; else 0. s is not empty. */
size_t span_utf8_length(struct span s);

#endif
