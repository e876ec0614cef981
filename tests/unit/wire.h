/* tests/unit/wire.h: what the tests of the wire forms share. */
#ifndef MAILROW_TESTS_UNIT_WIRE_H
#define MAILROW_TESTS_UNIT_WIRE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "lib/buf.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Says both texts when they differ. */
static inline void assert_text(struct span got, struct span want)
{
	if (!span_eq(got, want))
		fail_msg("got \"%.*s\" (%zu octets), want \"%.*s\" (%zu)",
			 (int)got.n, got.p, got.n, (int)want.n, want.p, want.n);
}

static inline void assert_buf(struct buf *b, const char *want)
{
	assert_true(buf_ok(b));
	assert_text(buf_span(b), span_of(want));
}

#endif
