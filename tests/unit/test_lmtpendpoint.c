/* tests/unit/test_lmtpendpoint.c */
#include "tests/unit/wire.h"

#include "lmtpd/endpoint.h"

static void places_are_told_in_the_words_of_both_sides(void **state)
{
	static const struct {
		const char *text, *path, *inet, *mta;
	} rows[] = {
		{ "unix:/var/spool/postfix/mailrow/lmtp",
		  "/var/spool/postfix/mailrow/lmtp", "",
		  "lmtp:unix:mailrow/lmtp" },
		{ "/run/lmtp", "/run/lmtp", "", "lmtp:unix:/run/lmtp" },
		{ "inet:127.0.0.1:2424", "", "127.0.0.1:2424",
		  "lmtp:inet:127.0.0.1:2424" },
		{ "inet:[::1]:24", "", "[::1]:24", "lmtp:inet:[::1]:24" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct lmtp_endpoint e;
		const char *why = "";

		assert_true(
			lmtp_endpoint_parse(span_of(rows[i].text), &e, &why));
		assert_string_equal(e.path, rows[i].path);
		assert_string_equal(e.inet, rows[i].inet);
		assert_string_equal(e.mta, rows[i].mta);
	}
}

/* No password: who can connect can store mail. */
static void other_hosts_and_nonsense_are_rejected(void **state)
{
	static const char *const texts[] = {
		"",
		"unix:",
		"unix:relative",
		"inet:192.0.2.1:24",
		"inet:0.0.0.0:24",
		"inet:[::]:24",
		"inet:127.0.0.1",
		"inet:127.0.0.1:0",
		"inet:127.0.0.1:65536",
		"inet::24",
		"inet:localhost:24",
		"24",
		"unix:/0123456789012345678901234567890123456789012345678901234"
		"5678901234567890123456789012345678901234567890123456789",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct lmtp_endpoint e;
		const char *why = NULL;

		assert_false(lmtp_endpoint_parse(span_of(texts[i]), &e, &why));
		assert_non_null(why);
	}
}

static void mail_is_handed_on_to_this_host_only(void **state)
{
	static const struct {
		const char *text;
		bool ok;
	} rows[] = {
		{ "smtp://127.0.0.1:10027", true },
		{ "smtp://[::1]:10027", true },
		{ "smtp://192.0.2.1:25", false },
		{ "smtp://127.0.0.1", false },
		{ "smtp://bob:secret@127.0.0.1:25", false },
		{ "smtp://127.0.0.1:25/x", false },
		{ "http://127.0.0.1:80", false },
		{ "", false },
	};
	const char *why;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(
			lmtp_forward_parse(span_of(rows[i].text), &why),
			rows[i].ok);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places_are_told_in_the_words_of_both_sides),
		cmocka_unit_test(other_hosts_and_nonsense_are_rejected),
		cmocka_unit_test(mail_is_handed_on_to_this_host_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
