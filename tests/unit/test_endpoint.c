/* milter_socket in the words of libmilter and of main.cf. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "milter/endpoint.h"

static void both_forms_name_the_same_place(void **state)
{
	static const struct {
		const char *text, *conn, *mta, *path;
	} t[] = {
		{ "local:/run/m.sock", "local:/run/m.sock", "unix:/run/m.sock",
		  "/run/m.sock" },
		{ "unix:/run/m.sock", "local:/run/m.sock", "unix:/run/m.sock",
		  "/run/m.sock" },
		{ "/run/m.sock", "local:/run/m.sock", "unix:/run/m.sock",
		  "/run/m.sock" },
		{ "inet:9900@127.0.0.1", "inet:9900@[127.0.0.1]",
		  "inet:127.0.0.1:9900", "" },
		{ "inet:127.0.0.1:9900", "inet:9900@[127.0.0.1]",
		  "inet:127.0.0.1:9900", "" },
		{ "inet:localhost:9900", "inet:9900@[127.0.0.1]",
		  "inet:127.0.0.1:9900", "" },
		{ "inet:9900@localhost", "inet:9900@[127.0.0.1]",
		  "inet:127.0.0.1:9900", "" },
		{ "INET:9900@127.7.7.7", "inet:9900@[127.7.7.7]",
		  "inet:127.7.7.7:9900", "" },
		{ "inet6:9900@::1", "inet6:9900@[::1]", "inet:[::1]:9900", "" },
		{ "inet:[::1]:9900", "inet6:9900@[::1]", "inet:[::1]:9900",
		  "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct endpoint e;
		const char *why = "";

		assert_true(endpoint_parse(span_of(t[i].text), &e, &why));
		assert_string_equal(e.conn, t[i].conn);
		assert_string_equal(e.mta, t[i].mta);
		assert_string_equal(e.path, t[i].path);
	}
}

/* One name works in and out of the MTA's chroot. */
static void a_socket_in_the_queue_directory_is_named_relative_to_it(
	void **state)
{
	struct endpoint e;
	const char *why;

	(void)state;
	assert_true(endpoint_parse(
		SPAN_LIT("local:/var/spool/postfix/mailrow/milter.sock"), &e,
		&why));
	assert_string_equal(e.mta, "unix:mailrow/milter.sock");
	assert_string_equal(e.path, "/var/spool/postfix/mailrow/milter.sock");
}

static void what_others_could_reach_or_nobody_can_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"local:",
		"local:relative.sock",
		"local:/",
		"inet:",
		"inet:9900",
		"inet:9900@",
		"inet:@127.0.0.1",
		"inet:0@127.0.0.1",
		"inet:65536@127.0.0.1",
		"inet:99x@127.0.0.1",
		"inet:9900@192.0.2.1",
		"inet:0.0.0.0:9900",
		"inet6:9900@::",
		"inet:9900@mail.example",
		"fd:3",
		"local:/"
		"01234567890123456789012345678901234567890123456789012345"
		"6789012345678901234567890123456789012345678901234567",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct endpoint e;
		const char *why = NULL;

		assert_false(endpoint_parse(span_of(bad[i]), &e, &why));
		assert_non_null(why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_forms_name_the_same_place),
		cmocka_unit_test(
			a_socket_in_the_queue_directory_is_named_relative_to_it),
		cmocka_unit_test(
			what_others_could_reach_or_nobody_can_is_refused),
	};

	return cmocka_run_group_tests_name("endpoint", tests, NULL, NULL);
}
