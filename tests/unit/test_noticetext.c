/* What the owner of a limit is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/noticetext.h"

static void put(struct buf *b, const struct notice *n, struct span account)
{
	const struct notice_envelope e = {
		.host = SPAN_LIT("mx.example.org"),
		.to = { account.n ? account
				  : SPAN_LIT("postmaster@example.org"),
			account.n ? SPAN_LIT("postmaster@example.org")
				  : SPAN_EMPTY },
		.id = SPAN_LIT("0123"),
		.now = 1795839061,
	};

	noticetext_put(b, n, &e);
	assert_true(buf_ok(b));
}

static void an_account_is_told_with_its_postmaster(void **state)
{
	const struct notice n = { .subject = "bob@example.org",
				  .direction = LIMIT_OUT,
				  .seconds = 3600,
				  .used = { 80, 95, 1000 },
				  .most = { 100, UINT64_MAX, 5000 },
				  .ends_at = 1795840000 };
	struct buf b = BUF_INIT(4096);

	(void)state;
	put(&b, &n, SPAN_LIT("bob@example.org"));
	assert_string_equal(
		buf_cstr(&b),
		"Date: Sat, 28 Nov 2026 04:11:01 +0000\r\n"
		"From: Mail Delivery System <mailer-daemon@mx.example.org>\r\n"
		"To: <bob@example.org>,\r\n\t<postmaster@example.org>\r\n"
		"Subject: Sending limit of bob@example.org: nearly reached\r\n"
		"Message-ID: <0123@mx.example.org>\r\n"
		"Auto-Submitted: auto-generated\r\n"
		"Precedence: bulk\r\n"
		"MIME-Version: 1.0\r\n"
		"Content-Type: text/plain; charset=utf-8\r\n"
		"Content-Transfer-Encoding: 8bit\r\n"
		"\r\n"
		"The sending limit of bob@example.org is nearly reached. In "
		"the period of 1 hour there are\r\n\r\n"
		"    messages     80 of 100\r\n"
		"    octets       1000 of 5000\r\n"
		"\r\n"
		"The period ends at Sat, 28 Nov 2026 04:26:40 +0000.\r\n"
		"What goes beyond the limit is refused until then. If this is "
		"not enough, or the mail is\r\n"
		"not yours, ask your postmaster.\r\n");
	buf_release(&b);
}

static void a_domain_is_told_by_its_postmaster(void **state)
{
	const struct notice n = { .subject = "@example.org",
				  .direction = LIMIT_IN,
				  .seconds = 60,
				  .full = true,
				  .used = { 9, 10, 1000 },
				  .most = { UINT64_MAX, 10, UINT64_MAX },
				  .ends_at = 1795840000 };
	struct buf b = BUF_INIT(4096);

	(void)state;
	put(&b, &n, SPAN_EMPTY);
	assert_non_null(strstr(buf_cstr(&b),
			       "To: <postmaster@example.org>\r\nSubject: "
			       "Receiving limit of example.org: reached\r\n"));
	assert_non_null(strstr(buf_cstr(&b), "    recipients   10 of 10\r\n"));
	assert_null(strstr(buf_cstr(&b), "messages "));
	assert_string_equal(noticetext_kind(&n), "full");
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_account_is_told_with_its_postmaster),
		cmocka_unit_test(a_domain_is_told_by_its_postmaster),
	};

	return cmocka_run_group_tests_name("noticetext", tests, NULL, NULL);
}
