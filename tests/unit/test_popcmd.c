/* tests/unit/test_popcmd.c */
#include "tests/unit/wire.h"

#include "pop3d/popcmd.h"
#include "pop3d/popstate.h"

static const struct {
	const char *line;
	unsigned state;
	enum reply_id why;
	const char *verb;
	size_t n;
	const char *first, *second;
} lines[] = {
	{ "STAT", ST_TRANS, R_NONE, "STAT", 0, "", "" },
	{ "stat", ST_TRANS, R_NONE, "STAT", 0, "", "" },
	{ "STAT ", ST_TRANS, R_NONE, "STAT", 0, "", "" },
	{ "STAT 1", ST_TRANS, R_POP_ARGS, "STAT", 1, "1", "" },
	{ "STAT", ST_AUTH, R_POP_STATE, "STAT", 0, "", "" },
	{ "USER bob", ST_TRANS, R_POP_STATE, "USER", 0, "", "" },
	{ "USER bob", ST_AUTH, R_NONE, "USER", 1, "bob", "" },
	{ "USER bob ", ST_AUTH, R_NONE, "USER", 1, "bob", "" },
	{ "USER a b", ST_AUTH, R_POP_ARGS, "USER", 2, "a", "b" },
	{ "USER", ST_AUTH, R_POP_ARGS, "USER", 0, "", "" },
	{ "PASS  a b ", ST_AUTH, R_NONE, "PASS", 1, " a b ", "" },
	{ "PASS", ST_AUTH, R_POP_ARGS, "PASS", 0, "", "" },
	{ "TOP 1 2", ST_TRANS, R_NONE, "TOP", 2, "1", "2" },
	{ "TOP 1", ST_TRANS, R_NONE, "TOP", 1, "1", "" },
	{ "TOP", ST_TRANS, R_POP_ARGS, "TOP", 0, "", "" },
	{ "TOP 1 2 3", ST_TRANS, R_POP_ARGS, "TOP", 3, "1", "2" },
	{ "TOP  1", ST_TRANS, R_NONE, "TOP", 2, "", "1" },
	{ "", ST_TRANS, R_NONE, "", 0, "", "" },
	{ " STAT", ST_TRANS, R_NONE, "", 1, "STAT", "" },
	{ "FOO bar", ST_AUTH, R_NONE, "", 1, "bar", "" },
	{ "STATX", ST_TRANS, R_NONE, "", 0, "", "" },
	{ "STA", ST_TRANS, R_NONE, "", 0, "", "" },
	{ "STAT:", ST_TRANS, R_NONE, "", 0, "", "" },
	{ "quit", ST_AUTH, R_NONE, "QUIT", 0, "", "" },
	{ "AUTH PLAIN dGVzdA==", ST_AUTH, R_NONE, "AUTH", 2, "PLAIN",
	  "dGVzdA==" },
};

static void a_line_is_cut_into_verb_and_arguments(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		const struct popcmd *cmd;
		struct popcmd_args a;
		enum reply_id why = popcmd_find(span_of(lines[i].line),
						lines[i].state, &cmd, &a);

		if (why != lines[i].why)
			fail_msg("\"%s\": reply %s", lines[i].line,
				 reply_get(why)->name);
		assert_string_equal(cmd->verb, lines[i].verb);
		assert_int_equal(a.n, lines[i].n);
		assert_text(a.arg[0], span_of(lines[i].first));
		assert_text(a.arg[1], span_of(lines[i].second));
	}
}

static void a_line_of_more_than_255_octets_is_too_long(void **state)
{
	const struct popcmd *cmd;
	struct popcmd_args a;
	char line[400];

	(void)state;
	memset(line, 'x', sizeof(line));
	memcpy(line, "USER ", 5);
	assert_int_equal(popcmd_find(span_make(line, POPCMD_LINE_MAX), ST_AUTH,
				     &cmd, &a),
			 R_NONE);
	assert_int_equal(popcmd_find(span_make(line, POPCMD_LINE_MAX + 1),
				     ST_AUTH, &cmd, &a),
			 R_POP_LONG);
	memcpy(line, "PASS ", 5);
	assert_int_equal(
		popcmd_find(span_make(line, sizeof(line)), ST_AUTH, &cmd, &a),
		R_NONE);
	assert_int_equal(a.arg[0].n, sizeof(line) - 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_cut_into_verb_and_arguments),
		cmocka_unit_test(a_line_of_more_than_255_octets_is_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
