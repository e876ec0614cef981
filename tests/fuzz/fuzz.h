/* tests/fuzz/fuzz.h: what the fuzz targets share. */
#ifndef MAILROW_TESTS_FUZZ_FUZZ_H
#define MAILROW_TESTS_FUZZ_FUZZ_H

#include <stdio.h>
#include <stdlib.h>

#include "lib/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline _Noreturn void fuzz_fail(const char *what)
{
	fprintf(stderr, "%s\n", what);
	abort();
}

/* A property that holds for every input; it is no assert(), which NDEBUG
 * would take away. */
#define MUST(condition)                                                        \
	do {                                                                   \
		if (!(condition))                                              \
			fuzz_fail(__FILE__ ": not so: " #condition);           \
	} while (0)

/* An octet that steers the target, taken off the front; 0 at the end. */
static inline uint8_t fuzz_octet(struct span *s)
{
	uint8_t v = s->n > 0 ? (uint8_t)s->p[0] : 0;

	*s = span_skip(*s, 1);
	return v;
}

/* A number of eight octets. */
static inline uint64_t fuzz_number(struct span *s)
{
	uint64_t v = 0;

	for (size_t i = 0; i < 8; i++)
		v = v << 8 | fuzz_octet(s);
	return v;
}

/* A value of at most 255 octets behind its length. */
static inline struct span fuzz_value(struct span *s)
{
	size_t n = fuzz_octet(s);
	struct span v = span_head(*s, n);

	*s = span_skip(*s, n);
	return v;
}

static inline struct span fuzz_input(const uint8_t *data, size_t size)
{
	return size > 0 ? span_make(data, size) : SPAN_EMPTY;
}

#endif
