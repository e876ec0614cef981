/* tests/fuzz/fuzz_saslwire.c: a request of a saslauthd client. Each cut of one
 * that is whole waits for more, and its strings keep their bounds. */
#include "tests/fuzz/fuzz.h"

#include "auth/saslwire.h"

static void check_whole(struct span s, const struct saslwire_request *r)
{
	struct buf login = BUF_INIT(1024);
	struct saslwire_request cut;

	MUST(r->login.n <= AUTHPROTO_NAME_MAX);
	MUST(r->password.n <= AUTHPROTO_SECRET_MAX);
	MUST(r->service.n <= SASLWIRE_WORD_MAX);
	MUST(r->realm.n <= SASLWIRE_WORD_MAX);
	MUST(s.n == 8 + r->login.n + r->password.n + r->service.n + r->realm.n);
	for (size_t i = 0; i < s.n; i++)
		MUST(saslwire_parse(span_head(s, i), &cut) == SASLWIRE_MORE);
	saslwire_put_login(&login, r);
	MUST(buf_ok(&login) && login.n >= r->login.n);
	buf_release(&login);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span s = fuzz_input(data, size);
	struct saslwire_request r;

	if (saslwire_parse(s, &r) == SASLWIRE_OK)
		check_whole(s, &r);
	return 0;
}
