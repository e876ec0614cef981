/* tests/fuzz/fuzz_authproto.c: lines of both sides, and values that must come
 * back from the other side as they were. First octet: what to try. */
#include "tests/fuzz/fuzz.h"

#include "lib/authproto.h"
#include "lib/base64.h"

/* The line that b holds, which must be one. */
static struct span only_line(const struct buf *b)
{
	struct span s = buf_span(b);

	MUST(s.n > 0 && span_find(s, '\n') == s.n - 1);
	return span_head(s, s.n - 1);
}

static void check_lines(struct span s)
{
	struct buf scratch = BUF_INIT(AUTHPROTO_LINE_MAX);
	struct authproto_request r;
	struct authproto_answer a;

	if (authproto_parse_request(s, &r)) {
		MUST(r.resp.n <= s.n && r.service.n <= s.n);
		MUST(r.resp.n == 0 || r.has_resp);
	}
	if (authproto_parse_answer(s, &scratch, &a)) {
		MUST(a.user.n + a.mailbox.n + a.incarnation.n <= s.n);
		MUST(a.kind != AUTHPROTO_A_OK || a.user.n > 0);
	}
	buf_release(&scratch);
}

static void check_ok(struct span s)
{
	struct buf b = BUF_INIT(AUTHPROTO_LINE_MAX);
	struct buf scratch = BUF_INIT(AUTHPROTO_LINE_MAX);
	struct authproto_ok ok;
	struct authproto_answer a;
	uint64_t id = fuzz_number(&s);

	ok.user = fuzz_value(&s);
	ok.mailbox = fuzz_value(&s);
	ok.incarnation = fuzz_value(&s);
	authproto_put_ok(&b, id, &ok);
	if (buf_ok(&b)) {
		MUST(authproto_parse_answer(only_line(&b), &scratch, &a));
		MUST(a.kind == AUTHPROTO_A_OK && a.id == id);
		MUST(span_eq(a.user, ok.user));
		MUST(span_eq(a.mailbox, ok.mailbox));
		MUST(span_eq(a.incarnation, ok.incarnation));
	}
	buf_release(&b);
	buf_release(&scratch);
}

static void check_fail(struct span s)
{
	struct buf b = BUF_INIT(AUTHPROTO_LINE_MAX);
	struct buf scratch = BUF_INIT(AUTHPROTO_LINE_MAX);
	struct authproto_answer a;
	uint64_t id = fuzz_number(&s);
	static const struct {
		const char *code;
		enum authproto_answer_kind kind;
	} says[] = {
		{ "", AUTHPROTO_A_FAIL },
		{ AUTHPROTO_CODE_TEMP, AUTHPROTO_A_TEMP },
		{ AUTHPROTO_CODE_CLOSED, AUTHPROTO_A_CLOSED },
	};
	size_t i = fuzz_octet(&s) % 3;
	struct span user = fuzz_value(&s);

	authproto_put_fail(&b, id, user, says[i].code);
	MUST(buf_ok(&b));
	MUST(authproto_parse_answer(only_line(&b), &scratch, &a));
	MUST(a.kind == says[i].kind);
	MUST(a.id == id && span_eq(a.user, user));
	buf_release(&b);
	buf_release(&scratch);
}

/* PLAIN: unless it holds a NUL or is empty, the server reads the same user
 * and password; otherwise it takes the message for none. */
static void check_plain(struct span raw, const struct authproto_login *l)
{
	bool clean = l->user.n > 0 && l->secret.n > 0 &&
		     span_find(l->user, '\0') == l->user.n &&
		     span_find(l->secret, '\0') == l->secret.n;
	struct span user, password;

	MUST(auth_plain_split(raw, &user, &password) == clean);
	if (clean) {
		MUST(span_eq(user, l->user));
		MUST(span_eq(password, l->secret));
	}
}

static void check_login(struct span s)
{
	struct buf b = BUF_INIT(AUTHPROTO_LINE_MAX);
	struct buf raw = BUF_INIT(AUTHPROTO_LINE_MAX);
	struct authproto_login l = { .service = "pop3" };
	struct authproto_request r;
	uint64_t id = fuzz_number(&s);
	uint8_t bits = fuzz_octet(&s);

	l.mech = bits & 1 ? MECH_APOP : MECH_PLAIN;
	l.secured = bits & 2;
	for (size_t i = 0; bits & 4 && i < sizeof(l.rip.octet); i++)
		l.rip.octet[i] = fuzz_octet(&s);
	l.user = fuzz_value(&s);
	l.secret = fuzz_value(&s);
	l.challenge = fuzz_value(&s);
	authproto_put_auth(&b, id, &l);
	MUST(buf_ok(&b));
	MUST(authproto_parse_request(only_line(&b), &r));
	MUST(r.verb == AUTHPROTO_AUTH && r.id == id && r.mech == l.mech);
	MUST(r.secured == l.secured && span_is(r.service, "pop3"));
	MUST(memcmp(&r.rip, &l.rip, sizeof(l.rip)) == 0);
	MUST(r.has_resp && base64_decode(r.resp, &raw));
	if (l.mech == MECH_PLAIN)
		check_plain(buf_span(&raw), &l);
	else
		MUST(raw.n == l.user.n + l.secret.n + l.challenge.n + 2);
	buf_release(&b);
	buf_release(&raw);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span s = fuzz_input(data, size);

	switch (fuzz_octet(&s) % 4) {
	case 0:
		check_ok(s);
		break;
	case 1:
		check_fail(s);
		break;
	case 2:
		check_login(s);
		break;
	default:
		check_lines(s);
	}
	return 0;
}
