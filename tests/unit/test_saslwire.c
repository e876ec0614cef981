#include "auth/saslwire.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void every_cut_of_a_request_waits_for_more(void **state)
{
	static const char octets[] = "\0\3bob\0\2pw\0\4smtp\0\0";
	const size_t n = sizeof(octets) - 1;
	struct saslwire_request r;

	(void)state;
	for (size_t i = 0; i < n; i++)
		assert_int_equal(saslwire_parse((struct span){ octets, i }, &r),
				 SASLWIRE_MORE);
	assert_int_equal(saslwire_parse((struct span){ octets, n }, &r),
			 SASLWIRE_OK);
	assert_true(span_is(r.login, "bob"));
	assert_true(span_is(r.password, "pw"));
	assert_true(span_is(r.service, "smtp"));
	assert_int_equal(r.realm.n, 0);
	/* the NUL behind it */
	assert_int_equal(saslwire_parse((struct span){ octets, n + 1 }, &r),
			 SASLWIRE_BAD);
}

static void put_word(struct buf *b, size_t n)
{
	buf_putc(b, (char)(n >> 8));
	buf_putc(b, (char)(n & 0xff));
	for (size_t i = 0; i < n; i++)
		buf_putc(b, 'x');
}

static enum saslwire_status parse_sized(const size_t size[4])
{
	struct buf b = BUF_INIT(1 << 20);
	struct saslwire_request r;
	enum saslwire_status s;

	for (size_t i = 0; i < 4; i++)
		put_word(&b, size[i]);
	assert_true(buf_ok(&b));
	s = saslwire_parse(buf_span(&b), &r);
	buf_release(&b);
	return s;
}

static void no_string_is_longer_than_its_bound(void **state)
{
	static const size_t max[4] = { AUTHPROTO_NAME_MAX, AUTHPROTO_SECRET_MAX,
				       SASLWIRE_WORD_MAX, SASLWIRE_WORD_MAX };

	(void)state;
	assert_int_equal(parse_sized(max), SASLWIRE_OK);
	for (size_t i = 0; i < 4; i++) {
		size_t size[4];

		memcpy(size, max, sizeof(size));
		size[i]++;
		assert_int_equal(parse_sized(size), SASLWIRE_BAD);
		size[i] = 65535;
		assert_int_equal(parse_sized(size), SASLWIRE_BAD);
	}
}

static void a_realm_makes_a_bare_name_an_address(void **state)
{
	static const struct {
		const char *login, *realm, *name;
	} row[] = { { "bob", "x.test", "bob@x.test" },
		    { "bob@y.test", "x.test", "bob@y.test" },
		    { "bob", "", "bob" } };

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		const struct saslwire_request r = {
			.login = span_of(row[i].login),
			.realm = span_of(row[i].realm),
		};
		struct buf b = BUF_INIT(1024);

		saslwire_put_login(&b, &r);
		assert_true(span_is(buf_span(&b), row[i].name));
		buf_release(&b);
	}
}

static void an_answer_is_counted(void **state)
{
	struct buf b = BUF_INIT(1024);

	(void)state;
	saslwire_put_answer(&b, SPAN_LIT("OK"));
	assert_int_equal(b.n, 4);
	assert_memory_equal(b.p, "\0\2OK", 4);
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_cut_of_a_request_waits_for_more),
		cmocka_unit_test(no_string_is_longer_than_its_bound),
		cmocka_unit_test(a_realm_makes_a_bare_name_an_address),
		cmocka_unit_test(an_answer_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
