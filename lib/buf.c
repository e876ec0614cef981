/* lib/buf.c: see buf.h. */
#include "lib/buf.h"

#include <stdio.h>
#include <stdlib.h>

enum { SIZE_FIRST = 64 };

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf)BUF_INIT(max);
}

void buf_release(struct buf *b)
{
	free(b->p);
	buf_init(b, b->max);
}

void buf_wipe(struct buf *b)
{
	if (b->p)
		explicit_bzero(b->p, b->size);
	buf_release(b);
}

void buf_reset(struct buf *b)
{
	b->n = 0;
	b->failed = false;
}

/* The size to hold total octets and a NUL; 0 when that is not allowed. */
static size_t size_for(const struct buf *b, size_t total)
{
	size_t size = b->size ? b->size : SIZE_FIRST;

	if (total > b->max || total == SIZE_MAX)
		return 0;
	while (size <= total) {
		if (__builtin_mul_overflow(size, 2, &size))
			return total + 1;
	}
	return b->max < SIZE_MAX && size > b->max + 1 ? b->max + 1 : size;
}

/* Not realloc(): the old place would keep a copy of what may be a password. */
static bool grow(struct buf *b, size_t total)
{
	size_t size = size_for(b, total);
	char *p = size ? malloc(size) : NULL;

	if (!p)
		return false;
	if (b->p) {
		memcpy(p, b->p, b->n);
		explicit_bzero(b->p, b->n);
		free(b->p);
	}
	b->p = p;
	b->size = size;
	return true;
}

/* There is always one octet more than asked for: buf_cstr() cannot fail. */
char *buf_reserve(struct buf *b, size_t n)
{
	size_t total;

	if (b->failed)
		return NULL;
	if (__builtin_add_overflow(b->n, n, &total) || total > b->max ||
	    (total >= b->size && !grow(b, total))) {
		b->failed = true;
		return NULL;
	}
	return b->p + b->n;
}

void buf_put(struct buf *b, const void *p, size_t n)
{
	char *to = buf_reserve(b, n);

	if (!to || n == 0)
		return;
	memcpy(to, p, n);
	b->n += n;
}

void buf_put_span(struct buf *b, struct span s)
{
	buf_put(b, s.p, s.n);
}

void buf_puts(struct buf *b, const char *s)
{
	buf_put_span(b, span_of(s));
}

void buf_putc(struct buf *b, char c)
{
	buf_put(b, &c, 1);
}

void buf_put_u64(struct buf *b, uint64_t v)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	buf_put(b, digits + at, sizeof(digits) - at);
}

void buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;
	char *to;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0) {
		b->failed = true;
		return;
	}
	to = buf_reserve(b, (size_t)n);
	if (!to)
		return;
	(void)vsnprintf(to, (size_t)n + 1, fmt, ap);
	b->n += (size_t)n;
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(b, fmt, ap);
	va_end(ap);
}

void buf_drop(struct buf *b, size_t n)
{
	n = n < b->n ? n : b->n;
	if (n == 0)
		return;
	b->n -= n;
	memmove(b->p, b->p + n, b->n);
}

const char *buf_cstr(struct buf *b)
{
	if (b->failed || !b->p)
		return "";
	b->p[b->n] = '\0';
	return b->p;
}
