/* tests/fuzz/fuzz_mech.c: a SASL exchange of several messages. First octet:
 * the mechanism, and whether the messages still have to become base64;
 * messages end at 0xff. Whatever comes, an exchange that is done has a name
 * and a secret within their bounds, and one that asks stops asking. */
#include "tests/fuzz/fuzz.h"

#include "lib/base64.h"
#include "auth/mech.h"

enum { MESSAGES_MAX = 5, RAW = 0x80 };

static bool has_nul(struct span s)
{
	return span_find(s, '\0') != s.n;
}

static void check_done(const struct mech *m)
{
	struct span user = buf_span(&m->user), secret = buf_span(&m->secret);

	MUST(user.n > 0 && user.n <= AUTHPROTO_NAME_MAX && !has_nul(user));
	MUST(m->name != MECH_NONE);
	if (m->name == MECH_APOP) {
		MUST(secret.n == MECH_DIGEST_SIZE);
		MUST(m->challenge.n > 0 && !has_nul(buf_span(&m->challenge)));
		return;
	}
	MUST(secret.n > 0 && secret.n <= AUTHPROTO_SECRET_MAX);
	MUST(!has_nul(secret) && m->challenge.n == 0);
}

static enum mech_step feed(struct mech *m, struct span message, bool raw)
{
	struct buf text = BUF_INIT(SIZE_MAX / 2);
	struct span challenge;
	enum mech_step step;

	if (!raw) {
		base64_encode(message, &text);
		message = buf_span(&text);
	}
	step = mech_feed(m, true, message, &challenge);
	MUST(step == MECH_ASK || challenge.n == 0);
	buf_release(&text);
	return step;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span s = fuzz_input(data, size), message, challenge;
	uint8_t how = fuzz_octet(&s);
	enum mech_step step = MECH_ASK;
	unsigned asked = 0;
	struct mech m;

	mech_init(&m, (enum auth_mech)(how % 4));
	if (how & 0x40)
		step = mech_feed(&m, false, SPAN_EMPTY, &challenge);
	while (step == MECH_ASK && s.n > 0 && asked < MESSAGES_MAX) {
		(void)span_cut(s, '\xff', &message, &s);
		step = feed(&m, message, how & RAW);
		asked++;
	}
	MUST(step != MECH_MEMORY && asked <= 2);
	if (step == MECH_DONE)
		check_done(&m);
	mech_release(&m);
	return 0;
}
