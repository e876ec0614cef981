/* tests/fuzz/fuzz_base64.c: decoding undoes encoding; what decodes is of the
 * right length. And SASL PLAIN's message, which is what is decoded. */
#include "tests/fuzz/fuzz.h"

#include "lib/authproto.h"
#include "lib/base64.h"

static void check_plain(struct span s)
{
	struct span user, password;

	if (!auth_plain_split(s, &user, &password))
		return;
	MUST(user.n > 0 && user.n <= AUTHPROTO_NAME_MAX);
	MUST(password.n > 0 && password.n <= AUTHPROTO_SECRET_MAX);
	MUST(span_find(user, '\0') == user.n);
	MUST(span_find(password, '\0') == password.n);
	MUST(password.p + password.n == s.p + s.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf text = BUF_INIT(SIZE_MAX / 2);
	struct buf plain = BUF_INIT(SIZE_MAX / 2);
	struct span s = fuzz_input(data, size);

	base64_encode(s, &text);
	MUST(buf_ok(&text) && text.n % 4 == 0);
	MUST(base64_decode(buf_span(&text), &plain));
	MUST(span_eq(buf_span(&plain), s));
	buf_reset(&plain);
	if (base64_decode(s, &plain)) {
		MUST(s.n % 4 == 0 && plain.n <= s.n / 4 * 3);
		check_plain(buf_span(&plain));
	} else {
		MUST(plain.n == 0);
	}
	check_plain(s);
	buf_release(&text);
	buf_release(&plain);
	return 0;
}
