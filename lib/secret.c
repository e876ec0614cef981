/* lib/secret.c: see secret.h. */
#include "lib/secret.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { ALIGN = 64 };

struct secret_pool {
	char *base;
	size_t octets;
	size_t slot, n;
	size_t fresh;   /* slots from here on were never taken */
	size_t nback;   /* given back: */
	uint32_t *back; /* their numbers, the last on top */
	bool locked;
};

/* A page is locked when it is first used. */
static bool pool_map(struct secret_pool *p)
{
	p->base = mmap(NULL, p->octets, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p->base == MAP_FAILED)
		return false;
	(void)madvise(p->base, p->octets, MADV_DONTDUMP);
	p->locked = mlock2(p->base, p->octets, MLOCK_ONFAULT) == 0;
	return true;
}

struct secret_pool *secret_pool_new(size_t slot, size_t n)
{
	struct secret_pool *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->slot = (slot + ALIGN - 1) / ALIGN * ALIGN;
	p->n = n;
	p->back = calloc(n, sizeof(*p->back));
	if (p->back && !__builtin_mul_overflow(p->slot, n, &p->octets) &&
	    pool_map(p))
		return p;
	free(p->back);
	free(p);
	return NULL;
}

void secret_pool_free(struct secret_pool **p)
{
	if (!*p)
		return;
	(void)munmap((*p)->base, (*p)->octets);
	free((*p)->back);
	free(*p);
	*p = NULL;
}

bool secret_pool_locked(const struct secret_pool *p)
{
	return p->locked;
}

void *secret_take(struct secret_pool *p)
{
	if (p->nback > 0)
		return p->base + p->back[--p->nback] * p->slot;
	if (p->fresh == p->n)
		return NULL;
	return p->base + p->fresh++ * p->slot;
}

void secret_give(struct secret_pool *p, void *slot)
{
	if (!slot)
		return;
	explicit_bzero(slot, p->slot);
	p->back[p->nback++] =
		(uint32_t)((size_t)((char *)slot - p->base) / p->slot);
}
