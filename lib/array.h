/* lib/array.h: arrays that grow. Pure. */
#ifndef MAILROW_LIB_ARRAY_H
#define MAILROW_LIB_ARRAY_H

#include <stddef.h>
#include <stdlib.h>

/* Room for an n-th element, counted from 0, of this size: p itself, or a
 * larger block in its place, twice as long, with *size told. NULL: no memory,
 * p is as it was. */
static inline void *array_grow(void *p, size_t n, size_t *size, size_t element)
{
	size_t more = *size ? *size * 2 : 4;

	if (n < *size)
		return p;
	p = reallocarray(p, more, element);
	if (p)
		*size = more;
	return p;
}

#endif
