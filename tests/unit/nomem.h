/* tests/unit/nomem.h: allocators that fail when told to. For programs linked
 * with $(UNIT_NOMEM); include it once. */
#ifndef MAILROW_TESTS_UNIT_NOMEM_H
#define MAILROW_TESTS_UNIT_NOMEM_H

#include <stdbool.h>
#include <stddef.h>

/* The allocation that fails, counted from 0; a negative one: none. */
static long nomem_at = -1;

static bool nomem_now(void)
{
	return nomem_at >= 0 && nomem_at-- == 0;
}

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
char *__real_strdup(const char *s);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
char *__wrap_strdup(const char *s);

void *__wrap_malloc(size_t n)
{
	return nomem_now() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return nomem_now() ? NULL : __real_calloc(n, size);
}

char *__wrap_strdup(const char *s)
{
	return nomem_now() ? NULL : __real_strdup(s);
}

#endif
