/* lib/buf.h: a growing buffer that is born with its maximum.
 * Failure (out of memory, or more than the maximum) sticks: later puts do
 * nothing, so a row of puts is checked once, with buf_ok(). */
#ifndef MAILROW_LIB_BUF_H
#define MAILROW_LIB_BUF_H

#include "lib/span.h"

#include <stdarg.h>

struct buf {
	char *p;
	size_t n;
	size_t size;
	size_t max;
	bool failed;
};

#define BUF_INIT(limit)                                                        \
	{                                                                      \
		.p = NULL, .n = 0, .size = 0, .max = (limit)                   \
	}

void buf_init(struct buf *b, size_t max);

/* Frees the memory; b is empty and usable again, with the same maximum. */
void buf_release(struct buf *b);

/* The same for secrets: the memory is overwritten first. */
void buf_wipe(struct buf *b);

/* Empties b, keeps its memory, clears the failure. */
void buf_reset(struct buf *b);

/* What is put does not lie in b itself. */
void buf_put(struct buf *b, const void *p, size_t n);
void buf_put_span(struct buf *b, struct span s);
void buf_puts(struct buf *b, const char *s);
void buf_putc(struct buf *b, char c);
void buf_put_u64(struct buf *b, uint64_t v);
void buf_printf(struct buf *b, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));

/* Room for n more octets at b->p + b->n; the caller adds what he wrote to
 * b->n. NULL, and b failed, when there is none. */
char *buf_reserve(struct buf *b, size_t n);

/* Drops the first n octets (n <= b->n). */
void buf_drop(struct buf *b, size_t n);

static inline bool buf_ok(const struct buf *b)
{
	return !b->failed;
}

/* Valid until the next put. */
static inline struct span buf_span(const struct buf *b)
{
	return b->n ? (struct span){ b->p, b->n } : SPAN_EMPTY;
}

/* NUL-terminated, never NULL; "" when b failed. Valid until the next put. */
const char *buf_cstr(struct buf *b);

#endif
