/* tests/unit/test_keepercheck.c: the SHA-256 of what is read. */
#include "pop3d/keepercheck.h"

#include <openssl/evp.h>

#include "tests/unit/wire.h"

#define TRACE   "Return-Path: <>\r\n"
#define CONTENT "Subject: x\r\n\r\nbody\r\n"

static const struct span whole = { TRACE CONTENT, sizeof(TRACE CONTENT) - 1 };

static int prepare(void **state)
{
	(void)state;
	return keepercheck_prepare() ? 0 : -1;
}

static struct maildrop_mail mail_with(uint64_t trace, struct span content)
{
	struct maildrop_mail m = { .octets = trace + content.n,
				   .trace_octets = trace };
	unsigned char md[EVP_MAX_MD_SIZE];

	assert_int_equal(EVP_Q_digest(NULL, "SHA256", NULL, content.p,
				      content.n, md, NULL),
			 1);
	memcpy(m.sha256, md, sizeof(m.sha256));
	return m;
}

/* Puts s in pieces of at most n octets. */
static void put_pieces(struct keepercheck *c, struct span s, size_t n)
{
	for (size_t at = 0; at < s.n; at += n)
		keepercheck_put(c, at, span_head(span_skip(s, at), n));
}

static void the_content_is_checked_in_pieces_of_any_length(void **state)
{
	struct maildrop_mail m = mail_with(strlen(TRACE), SPAN_LIT(CONTENT));
	struct keepercheck *c = NULL;

	(void)state;
	for (size_t n = 1; n <= whole.n; n++) {
		keepercheck_begin(&c, &m);
		assert_int_equal(keepercheck_end(c), KEEPERCHECK_OPEN);
		put_pieces(c, whole, n);
		assert_int_equal(keepercheck_end(c), KEEPERCHECK_FITS);
		assert_int_equal(keepercheck_end(c), KEEPERCHECK_OPEN);
	}
	keepercheck_free(&c);
	assert_null(c);
}

static void every_octet_of_the_content_counts(void **state)
{
	struct maildrop_mail m = mail_with(strlen(TRACE), SPAN_LIT(CONTENT));
	char text[sizeof(TRACE CONTENT)];
	struct keepercheck *c = NULL;

	(void)state;
	for (size_t i = 0; i < whole.n; i++) {
		memcpy(text, whole.p, whole.n);
		text[i] ^= 1;
		keepercheck_begin(&c, &m);
		put_pieces(c, span_make(text, whole.n), 7);
		assert_int_equal(keepercheck_end(c),
				 i < strlen(TRACE) ? KEEPERCHECK_FITS
						   : KEEPERCHECK_DIFFERS);
	}
	keepercheck_begin(&c, &m);
	put_pieces(c, SPAN_LIT(TRACE CONTENT "more"), 7);
	assert_int_equal(keepercheck_end(c), KEEPERCHECK_DIFFERS);
	keepercheck_free(&c);
}

static void what_was_not_read_from_its_beginning_is_not_judged(void **state)
{
	struct maildrop_mail m = mail_with(strlen(TRACE), SPAN_LIT(CONTENT));
	struct keepercheck *c = NULL;

	(void)state;
	keepercheck_put(NULL, 0, whole);
	assert_int_equal(keepercheck_end(NULL), KEEPERCHECK_OPEN);
	keepercheck_begin(&c, &m);
	keepercheck_put(c, 5, span_skip(whole, 5));
	assert_int_equal(keepercheck_end(c), KEEPERCHECK_OPEN);
	keepercheck_begin(&c, &m);
	keepercheck_put(c, 0, span_head(whole, whole.n - 1));
	assert_int_equal(keepercheck_end(c), KEEPERCHECK_OPEN);
	keepercheck_free(&c);
}

static void an_empty_content_has_a_sum_too(void **state)
{
	struct maildrop_mail m = mail_with(strlen(TRACE), SPAN_EMPTY);
	struct keepercheck *c = NULL;

	(void)state;
	keepercheck_begin(&c, &m);
	keepercheck_put(c, 0, SPAN_LIT(TRACE));
	assert_int_equal(keepercheck_end(c), KEEPERCHECK_FITS);
	m.sha256[0] ^= 1;
	keepercheck_begin(&c, &m);
	keepercheck_put(c, 0, SPAN_LIT(TRACE));
	assert_int_equal(keepercheck_end(c), KEEPERCHECK_DIFFERS);
	keepercheck_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			the_content_is_checked_in_pieces_of_any_length),
		cmocka_unit_test(every_octet_of_the_content_counts),
		cmocka_unit_test(
			what_was_not_read_from_its_beginning_is_not_judged),
		cmocka_unit_test(an_empty_content_has_a_sum_too),
	};

	return cmocka_run_group_tests(tests, prepare, NULL);
}
