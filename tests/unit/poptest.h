/* tests/unit/poptest.h: what the tests of the POP3 machine share. */
#ifndef MAILROW_TESTS_UNIT_POPTEST_H
#define MAILROW_TESTS_UNIT_POPTEST_H

#include "tests/unit/wire.h"

#include "tests/unit/poprig.h"

static struct poprig rig;

static inline void expect(const char *line, const char *answer)
{
	struct span got = poprig_say(&rig, line);

	if (!span_is(got, answer))
		fail_msg("\"%s\" gave \"%.*s\", not \"%s\"", line, (int)got.n,
			 got.p, answer);
}

static inline void expect_reply(const char *line, enum reply_id id)
{
	struct buf b = BUF_INIT(512);

	reply_put_pop3(&b, id);
	expect(line, buf_cstr(&b));
	buf_release(&b);
}

static inline void expect_end(enum chan_end why)
{
	assert_true(rig.pop.ended);
	assert_string_equal(chan_end_text(rig.pop.end), chan_end_text(why));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

#endif
