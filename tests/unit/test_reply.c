/* tests/unit/test_reply.c: also the names of program.h. */
#include "lib/reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "lib/program.h"

/* RFC 2449 s.8, RFC 3206. */
static const char *const known_codes[] = {
	"", "AUTH", "SYS/TEMP", "IN-USE", "SYS/PERM", "LOGIN-DELAY"
};

static bool is_known_code(const char *code)
{
	for (size_t i = 0; i < sizeof(known_codes) / sizeof(*known_codes); i++)
		if (strcmp(code, known_codes[i]) == 0)
			return true;
	return false;
}

static void every_row_is_fit_for_its_protocol(void **state)
{
	(void)state;
	for (unsigned id = R_NONE + 1; id < REPLY_COUNT; id++) {
		const struct reply *r = reply_get((enum reply_id)id);

		assert_true(r->text[0] != '\0');
		assert_null(strpbrk(r->text, "\r\n%"));
		assert_true(strncmp(r->name, "R_", 2) == 0);
		assert_true(is_known_code(r->pop3));
		if (r->smtp == 0) {
			assert_string_equal(r->enhanced, "");
			continue;
		}
		assert_true(r->smtp >= 200 && r->smtp <= 599);
		/* a greeting and an intermediate reply have none (RFC 2034
		 * s.4) */
		if (id == R_LMTP_BANNER || r->smtp / 100 == 3) {
			assert_string_equal(r->enhanced, "");
			continue;
		}
		/* RFC 3463 s.2: the class is the code's first digit */
		assert_int_equal(r->enhanced[0] - '0', r->smtp / 100);
		assert_int_equal(r->enhanced[1], '.');
	}
}

static void our_own_trouble_is_temporary(void **state)
{
	static const enum reply_id ours[] = { R_STORE_DOWN, R_DELIVER_TEMP,
					      R_NO_MEMORY, R_SPOOL };

	(void)state;
	for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++)
		assert_int_equal(reply_get(ours[i])->smtp / 100, 4);
	assert_string_equal(reply_get(R_POP_TEMP)->pop3, "SYS/TEMP");
	assert_string_equal(reply_get(R_POP_QUIT_FAILED)->pop3, "SYS/TEMP");
}

static void a_pop3_reply_is_one_line(void **state)
{
	struct buf b = BUF_INIT(512);

	(void)state;
	reply_put_pop3(&b, R_POP_AUTH);
	assert_string_equal(buf_cstr(&b),
			    "-ERR [AUTH] authentication failed\r\n");
	buf_reset(&b);
	reply_put_pop3(&b, R_POP_NOMSG);
	assert_string_equal(buf_cstr(&b), "-ERR no such message\r\n");
	for (unsigned id = R_NONE; id < REPLY_COUNT; id++) {
		buf_reset(&b);
		reply_put_pop3(&b, (enum reply_id)id);
		assert_true(buf_ok(&b));
		assert_memory_equal(b.p + b.n - 2, "\r\n", 2);
	}
	buf_release(&b);
}

static void an_id_out_of_the_table_is_none(void **state)
{
	(void)state;
	assert_ptr_equal(reply_get(REPLY_COUNT), reply_get(R_NONE));
}

static void programs_have_names_and_option_groups(void **state)
{
	(void)state;
	assert_string_equal(program_name(PROG_MILTER), "mailrow-milter");
	assert_string_equal(program_name(PROG_TOOL), "mailrow");
	assert_string_equal(program_option_group(PROG_TOOL), "mailrow-admin");
	assert_string_equal(program_name(PROG_PURGE), "mailrow");
	assert_string_equal(program_option_group(PROG_PURGE), "mailrow-purge");
	for (unsigned p = 1; p < PROG_TOOL; p <<= 1) {
		assert_true(strncmp(program_name(p), "mailrow-", 8) == 0);
		assert_string_equal(program_option_group(p), program_name(p));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_fit_for_its_protocol),
		cmocka_unit_test(our_own_trouble_is_temporary),
		cmocka_unit_test(a_pop3_reply_is_one_line),
		cmocka_unit_test(an_id_out_of_the_table_is_none),
		cmocka_unit_test(programs_have_names_and_option_groups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
