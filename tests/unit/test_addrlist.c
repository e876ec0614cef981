/* tests/unit/test_addrlist.c */
#include "tests/unit/wire.h"

#include "lib/addrlist.h"

/* "a@b.test c@d.test !e@f.test *": mailboxes, shown ones, broken. */
static void put_list(struct buf *b, const struct addrlist *l)
{
	buf_reset(b);
	for (size_t i = 0; i < l->n; i++) {
		if (b->n > 0)
			buf_putc(b, ' ');
		if (l->entry[i].shown)
			buf_putc(b, '!');
		buf_put_span(b, addr_span(&l->entry[i].addr));
	}
	if (l->broken)
		buf_puts(b, b->n > 0 ? " *" : "*");
}

static void assert_list(struct span value, const char *want)
{
	struct addrlist l = { .n = 0 };
	struct buf b = BUF_INIT(16384);

	addrlist_add(&l, value, false);
	put_list(&b, &l);
	if (!span_is(buf_span(&b), want))
		fail_msg("\"%.*s\": got \"%s\", want \"%s\"", (int)value.n,
			 value.p, buf_cstr(&b), want);
	buf_release(&b);
}

struct row {
	const char *value;
	const char *want;
};

static void assert_rows(const struct row *row, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_list(span_of(row[i].value), row[i].want);
}

static void mailboxes_are_read(void **state)
{
	static const struct row rows[] = {
		{ " bob@d.test", "bob@d.test" },
		{ "bob@D.Test", "bob@d.test" },
		{ "<bob@d.test>", "bob@d.test" },
		{ " Bob <bob@d.test>", "bob@d.test" },
		{ "Bob B. Buck <bob@d.test>", "bob@d.test" },
		{ "\"Buck, Bob; <x>\" <bob@d.test>", "bob@d.test" },
		{ "\"a \\\" <b\\\\\" <bob@d.test>", "bob@d.test" },
		{ "[Alert] Bob <bob@d.test>", "bob@d.test" },
		{ "bob@d.test, Al <al@e.test>,eve@f.test",
		  "bob@d.test al@e.test eve@f.test" },
		{ "bob@d.test, BOB <bob@D.test>", "bob@d.test" },
		{ "\"b b\"@d.test", "\"b b\"@d.test" },
		{ "\"bob\"@d.test", "bob@d.test" },
		{ "Bob<bob@d.test>", "bob@d.test" },
		{ "bob@[192.0.2.1]", "bob@[192.0.2.1]" },
		{ "Bob <bob@[IPv6:2001:DB8::1]>", "bob@[ipv6:2001:db8::1]" },
		{ "bob\n @d.test", "bob@d.test" },
		{ "Bob\r\n\t<bob@d.test>\r\n", "bob@d.test" },
		{ "Bob Buck\n <bob@d.test>,\n al@e.test",
		  "bob@d.test al@e.test" },
		{ "j\xc3\xb6rg@d.test", "j\xc3\xb6rg@d.test" },
		{ "J\xc3\xb6rg <j@b\xc3\xbc"
		  "cher.test>",
		  "j@xn--bcher-kva.test" },
		{ "J\xf6rg <j@d.test>", "j@d.test" },
	};

	(void)state;
	assert_rows(rows, COUNT(rows));
}

static void comments_and_obsolete_forms_are_read(void **state)
{
	static const struct row rows[] = {
		{ "bob@d.test (Bob)", "bob@d.test" },
		{ "(a(b)c\\))bob@d.test", "bob@d.test" },
		{ "bob (x) @ (y) d.test", "bob@d.test" },
		{ "bob@d(x).(y)test", "bob@d.test" },
		{ "a . b @ d . test", "a.b@d.test" },
		{ "\"a\" . b@d.test", "a.b@d.test !b@d.test" },
		{ "Bob (x) <(y)bob@d.test(z)> (z)", "bob@d.test" },
		{ "<@x.test,@y.test:bob@d.test>", "bob@d.test" },
		{ "<, @x.test , :bob@d.test>", "bob@d.test" },
		{ ",, bob@d.test,,al@e.test,", "bob@d.test al@e.test" },
		{ "Bob. B. <bob@d.test>", "bob@d.test" },
	};

	(void)state;
	assert_rows(rows, COUNT(rows));
}

static void groups_and_nobody_are_read(void **state)
{
	static const struct row rows[] = {
		{ "", "" },
		{ "  \r\n ", "" },
		{ "<>", "" },
		{ "Mailer <>", "" },
		{ "undisclosed-recipients:;", "" },
		{ "Team: bob@d.test, Al <al@e.test>;", "bob@d.test al@e.test" },
		{ "A: bob@d.test;, B: al@e.test; (x), eve@f.test",
		  "bob@d.test al@e.test eve@f.test" },
		{ "\"T: x\": ,;", "" },
	};

	(void)state;
	assert_rows(rows, COUNT(rows));
}

static void an_address_in_a_name_is_told_as_shown(void **state)
{
	static const struct row rows[] = {
		{ "\"bob@bank.test\" <al@d.test>", "al@d.test !bob@bank.test" },
		{ "bob@bank.test <al@d.test>", "!bob@bank.test al@d.test" },
		{ "al@d.test (bob@bank.test)", "al@d.test !bob@bank.test" },
		{ "\"al@d.test\" <al@d.test>", "al@d.test" },
		{ "al@D.test <al@d.test>", "al@d.test" },
		{ "'al@d.test' <al@d.test>", "al@d.test" },
		{ "\"Bob, bob@bank.test.\" <al@d.test>",
		  "al@d.test !bob@bank.test" },
		{ "\"bob\\@bank.test\" <al@d.test>",
		  "al@d.test !bob@bank.test" },
		{ "\"bob@\r\n bank.test\" <al@d.test>", "al@d.test" },
		{ "\"bob\"@bank.test <al@d.test>", "!bob@bank.test al@d.test" },
		{ "bob @ bank.test <al@d.test>", "!bob@bank.test al@d.test" },
		{ "\"Bob\" x@bank.test <al@d.test>",
		  "!x@bank.test !al@d.test *" },
		{ "Bob bob@bank.test <al@d.test>", "al@d.test !bob@bank.test" },
		{ "Bob @ Work <al@d.test>", "al@d.test" },
		{ "\"we @work\" <al@d.test>", "al@d.test" },
		{ "\"a@b.test@c.test\" <al@d.test>",
		  "al@d.test !a@b.test !b.test@c.test" },
		{ "\"<bob@bank.test>\" <al@d.test>",
		  "al@d.test !bob@bank.test" },
		{ "\"mailto:bob@bank.test\" <al@d.test>",
		  "al@d.test !bob@bank.test" },
	};

	(void)state;
	assert_rows(rows, COUNT(rows));
}

static void words_of_rfc_2047_are_decoded(void **state)
{
	static const struct row rows[] = {
		{ "=?utf-8?q?J=C3=B6rg?= <j@d.test>", "j@d.test" },
		{ "=?utf-8?q?bob=40bank.test?= <al@d.test>",
		  "al@d.test !bob@bank.test" },
		{ "\"=?utf-8?Q?bob=40bank.test?=\" <al@d.test>",
		  "al@d.test !bob@bank.test" },
		{ "=?utf-8?q?bob@bank.test?= <al@d.test>",
		  "al@d.test !bob@bank.test" },
		{ "=?us-ascii?B?Ym9iQGJhbmsudGVzdA==?= <al@d.test>",
		  "al@d.test !bob@bank.test" },
		{ "=?utf-8?q?bob?= \r\n =?utf-8?b?QGJhbmsudGVzdA==?= "
		  "<al@d.test>",
		  "al@d.test !bob@bank.test" },
		{ "=?utf-8?q?bob?= x =?utf-8?q?=40bank.test?= <al@d.test>",
		  "al@d.test" },
		{ "=?utf-8?q?a_bob=40bank.test_b?= <al@d.test>",
		  "al@d.test !bob@bank.test" },
		{ "=?utf-16be?q?=00b=00=40=00c=00.=00t?= <al@d.test>",
		  "al@d.test !b@c.t" },
		{ "=?utf-8?x?bob=40bank.test?= <al@d.test>", "al@d.test" },
		{ "=?utf-8?q?=4", "*" },
		{ "=?utf-8?q?=4?= <al@d.test>", "al@d.test" },
		{ "=?utf-8?q?bob=40bank.test?=", "!bob@bank.test *" },
	};

	(void)state;
	assert_rows(rows, COUNT(rows));
}

static void what_only_looks_like_an_address_is_shown(void **state)
{
	static const struct row rows[] = {
		{ "\"\xe2\x80\x9c"
		  "bob@bank.test\xe2\x80\x9d\" <al@d.test>",
		  "al@d.test !bob@bank.test" },
		{ "\"bob\xe2\x80\x8b@ba\xc2\xadnk.test\" <al@d.test>",
		  "al@d.test !bob@bank.test" },
		{ "\"bob\xef\xbc\xa0"
		  "bank.test\" <al@d.test>",
		  "al@d.test !bob@bank.test" },
		{ "\"\xef\xbc\x88"
		  "bob@bank.test\xef\xbc\x89\" <al@d.test>",
		  "al@d.test !bob@bank.test" },
		{ "\"j\xc3\xb6@b\xc3\xbc"
		  "cher.test\" <al@d.test>",
		  "al@d.test !j\xc3\xb6@xn--bcher-kva.test" },
		{ "\"bob@bank.test\xa0\" <al@d.test>",
		  "al@d.test !bob@bank.test" },
		{ "=?iso-8859-1?Q?bob=40bank.test=A0?= <al@d.test>",
		  "al@d.test !bob@bank.test" },
		{ "\"bob@bank.test\xe2\x9c\x93\" <al@d.test>",
		  "al@d.test !bob@bank.test" },
		{ "\"bob@bank.test\xf0\x9f\x98\x80\" <al@d.test>",
		  "al@d.test !bob@bank.test" },
		{ "\"\xe5\xbc\xa0\xb1@x.y\" <al@d.test>", "al@d.test" },
		{ "=?iso-8859-1?q?J=F6rg?= <al@d.test>", "al@d.test" },
	};

	(void)state;
	assert_rows(rows, COUNT(rows));
}

#define LONG "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* A local part that is too long, or none, hides no domain; in a name that can
 * be read it is none. */
static void whose_domain_it_is_shows_where_the_rest_cannot_be_read(void **state)
{
	static const struct row rows[] = {
		{ "\"" LONG " x\"@bank.test", "!\"\"@bank.test *" },
		{ "<\"" LONG " x\"@bank.test>", "!\"\"@bank.test *" },
		{ "\"" LONG " x\" @bank.test <al@d.test>",
		  "!\"\"@bank.test !al@d.test *" },
		{ "\"Bob\" \"x\"@bank.test", "!\"\"@bank.test *" },
		{ LONG LONG "(x)@bank.test", "!\"\"@bank.test *" },
		{ "bob@@bank.test", "!\"\"@bank.test *" },
		{ "\"@bob.bank.test\" <al@d.test>", "al@d.test" },
		{ "Bob is @bank.test <al@d.test>", "al@d.test" },
	};

	(void)state;
	assert_rows(rows, COUNT(rows));
}

static void what_cannot_be_read_is_broken(void **state)
{
	static const struct row rows[] = {
		{ "bob", "*" },
		{ "Bob Buck", "*" },
		{ "bob@", "*" },
		{ "@d.test", "!\"\"@d.test *" },
		{ "bob@d@e.test", "!d@e.test *" },
		{ "bob@d.test x", "!bob@d.test *" },
		{ "<bob@d.test> <al@e.test>", "bob@d.test !al@e.test *" },
		{ "<bob@d.test", "!bob@d.test *" },
		{ "<<bob@d.test>>", "!bob@d.test *" },
		{ "bob@d.test>", "bob@d.test *" },
		{ "\"Bob <bob@d.test>", "!bob@d.test *" },
		{ "(Bob <bob@d.test>", "!bob@d.test *" },
		{ "Bob) <bob@d.test>", "!bob@d.test *" },
		{ "bob@d.test; al@e.test", "bob@d.test !al@e.test *" },
		{ "Team: bob@d.test", "bob@d.test *" },
		{ "A: B: bob@d.test;;", "!bob@d.test *" },
		{ ": bob@d.test;", "!bob@d.test *" },
		{ "A: bob@d.test; al@e.test", "bob@d.test !al@e.test *" },
		{ "bob@d.test\nal@e.test", "!bob@d.test !al@e.test *" },
		{ "bob@d.test\r, al@e.test", "!bob@d.test !al@e.test *" },
		{ "bob@d.test\001", "!bob@d.test *" },
		{ "bob@-d.test", "*" },
		{ "bob@d.test.", "!bob@d.test *" },
		{ "bob@[192.0.2.1", "*" },
		{ "bob@x[192.0.2.1]", "*" },
		{ "b\xf6"
		  "b@d.test",
		  "!b@d.test *" },
		{ "<@x.test bob@d.test>", "!\"\"@x.test !bob@d.test *" },
		{ "<@x.test,bob@d.test>", "!\"\"@x.test !bob@d.test *" },
		{ "bob@\"d.test\"", "*" },
		{ "bob\\@d.test", "!bob@d.test *" },
		{ "bob al@d.test", "!al@d.test *" },
	};

	(void)state;
	assert_rows(rows, COUNT(rows));
	assert_list(SPAN_LIT("bob@d.test\0, al@e.test"),
		    "!bob@d.test !al@e.test *");
}

static void several_fields_make_one_list(void **state)
{
	struct addrlist l = { .n = 0 };
	struct buf b = BUF_INIT(1024);

	(void)state;
	addrlist_add(&l, SPAN_LIT("\"Al@e.test\" <bob@d.test>"), true);
	addrlist_add(&l, SPAN_LIT("al@e.test"), true);
	put_list(&b, &l);
	assert_buf(&b, "bob@d.test al@e.test");
	assert_int_equal(l.fields, 2);
	assert_int_equal(addrlist_mailboxes(&l), 2);
	buf_release(&b);
}

static void put_many(struct buf *b, const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_puts(b, text);
}

static void more_addresses_than_are_held_are_broken(void **state)
{
	struct addrlist l = { .n = 0 };
	struct buf b = BUF_INIT(65536);

	(void)state;
	for (unsigned i = 0; i < ADDRLIST_MAX; i++)
		buf_printf(&b, "a%u@d.test,", i);
	addrlist_add(&l, buf_span(&b), false);
	assert_false(l.broken);
	assert_false(l.overflow);
	assert_int_equal(l.n, ADDRLIST_MAX);
	addrlist_add(&l, SPAN_LIT("one@more.test"), false);
	assert_true(l.broken);
	assert_true(l.overflow);
	assert_int_equal(l.n, ADDRLIST_MAX);
	buf_release(&b);
}

static void only_what_is_not_looked_at_overflows(void **state)
{
	struct addrlist l = { .n = 0 };
	struct buf b = BUF_INIT(4096);

	(void)state;
	addrlist_add(&l, SPAN_LIT("Bob <bob@d.test> x"), false);
	assert_true(l.broken);
	assert_false(l.overflow);
	buf_puts(&b, "\"x@");
	put_many(&b, "=", 2000);
	buf_puts(&b, "\" <al@d.test>");
	addrlist_add(&l, buf_span(&b), false);
	assert_true(l.overflow);
	buf_release(&b);
}

static void comments_in_comments_have_a_bound(void **state)
{
	struct buf b = BUF_INIT(65536);

	(void)state;
	for (size_t n = ADDRLIST_COMMENTS_MAX; n < ADDRLIST_COMMENTS_MAX + 2;
	     n++) {
		buf_reset(&b);
		put_many(&b, "(", n);
		put_many(&b, ")", n);
		buf_puts(&b, "bob@d.test");
		assert_list(buf_span(&b), n == ADDRLIST_COMMENTS_MAX
						  ? "bob@d.test"
						  : "!bob@d.test *");
	}
	buf_release(&b);
}

static void a_name_of_any_length_is_read(void **state)
{
	struct buf b = BUF_INIT(65536), want = BUF_INIT(1024);

	(void)state;
	put_many(&b, "\xe5\xbc\xa0", 5000);
	buf_puts(&b, "bob@bank.test <al@d.test>");
	buf_puts(&want, "al@d.test !");
	put_many(&want, "\xe5\xbc\xa0", 20); /* ADDR_LOCAL_MAX */
	buf_puts(&want, "bob@bank.test");
	assert_list(buf_span(&b), buf_cstr(&want));
	buf_release(&want);
	buf_reset(&b);
	buf_putc(&b, '"');
	put_many(&b, "=", 5000);
	buf_puts(&b, "bob@bank.test\" <al@d.test>");
	assert_list(buf_span(&b), "al@d.test !bob@bank.test");
	buf_reset(&b);
	buf_puts(&b, "\"@");
	put_many(&b, "=", 5000);
	buf_puts(&b, "bob@bank.test\" <al@d.test>");
	assert_list(buf_span(&b), "al@d.test !bob@bank.test *");
	buf_release(&b);
}

static void a_local_part_that_is_too_long_hides_no_domain(void **state)
{
	struct buf b = BUF_INIT(1024), want = BUF_INIT(1024);

	(void)state;
	buf_putc(&b, '<');
	put_many(&b, "a", ADDR_LOCAL_MAX + 1);
	buf_puts(&b, "@bank.test>");
	buf_putc(&want, '!');
	put_many(&want, "a", ADDR_LOCAL_MAX);
	buf_puts(&want, "@bank.test *");
	assert_list(buf_span(&b), buf_cstr(&want));
	buf_release(&b);
	buf_release(&want);
}

static void case_of_the_local_part_is_folded_when_asked(void **state)
{
	struct addrlist l = { .n = 0 };

	(void)state;
	addrlist_add(&l, SPAN_LIT("\"AL@d.test\" <BOB@d.test>"), true);
	assert_text(addr_span(&l.entry[0].addr), SPAN_LIT("bob@d.test"));
	assert_text(addr_span(&l.entry[1].addr), SPAN_LIT("al@d.test"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mailboxes_are_read),
		cmocka_unit_test(comments_and_obsolete_forms_are_read),
		cmocka_unit_test(groups_and_nobody_are_read),
		cmocka_unit_test(an_address_in_a_name_is_told_as_shown),
		cmocka_unit_test(words_of_rfc_2047_are_decoded),
		cmocka_unit_test(what_only_looks_like_an_address_is_shown),
		cmocka_unit_test(
			whose_domain_it_is_shows_where_the_rest_cannot_be_read),
		cmocka_unit_test(what_cannot_be_read_is_broken),
		cmocka_unit_test(several_fields_make_one_list),
		cmocka_unit_test(more_addresses_than_are_held_are_broken),
		cmocka_unit_test(only_what_is_not_looked_at_overflows),
		cmocka_unit_test(comments_in_comments_have_a_bound),
		cmocka_unit_test(a_name_of_any_length_is_read),
		cmocka_unit_test(a_local_part_that_is_too_long_hides_no_domain),
		cmocka_unit_test(case_of_the_local_part_is_folded_when_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
