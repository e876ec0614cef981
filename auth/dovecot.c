/* auth/dovecot.c: the Dovecot authentication protocol (lib/authproto.h). */
#include "auth/protocol.h"

#include <sys/random.h>
#include <unistd.h>

#include "lib/fault.h"
#include "auth/client.h"
#include "auth/serve.h"

static void dovecot_greet(struct client *c)
{
	uint8_t cookie[16];

	/* OpenSSL's generator, when its first use fails, fails for ever */
	if (getrandom(cookie, sizeof(cookie), 0) != (ssize_t)sizeof(cookie))
		c->out.failed = true;
	authproto_put_handshake(&c->out, c->serve->mechs, (uint64_t)getpid(),
				++c->serve->last_cuid, cookie);
}

static void dovecot_put_more(struct client *c, const struct attempt *a,
			     struct span challenge)
{
	authproto_put_cont(&c->out, a->id, challenge);
}

static void dovecot_put_ok(struct client *c, const struct attempt *a)
{
	const struct check_result *r = &a->result;
	struct authproto_ok ok = { .user = addr_span(&r->user),
				   .mailbox = SPAN_EMPTY,
				   .incarnation = SPAN_EMPTY };

	if (a->door == DOOR_POP3) {
		ok.mailbox = addr_span(&r->mailbox);
		ok.incarnation = span_of(r->incarnation);
	}
	authproto_put_ok(&c->out, a->id, &ok);
}

static void dovecot_put_failed(struct client *c, const struct attempt *a)
{
	authproto_put_fail(&c->out, a->id, buf_span(&a->mech.user),
			   a->result.closed ? AUTHPROTO_CODE_CLOSED : "");
}

/* Postfix takes every FAIL for a wrong password, so it is told by a closed
 * connection, which it answers with 454. */
static bool dovecot_put_temp(struct client *c, uint64_t id, enum door door)
{
	if (door == DOOR_SMTP)
		return false;
	authproto_put_fail(&c->out, id, SPAN_EMPTY, AUTHPROTO_CODE_TEMP);
	return true;
}

static bool mech_offered(const struct serve *s, const struct attempt *a)
{
	if (a->mech.name == MECH_STATE)
		return a->client->protocol->states && a->door == DOOR_POP3;
	/* a client that chose the challenge itself could replay an old one:
	 * only pop3d, which makes it, may use these */
	if ((a->mech.name == MECH_APOP || a->mech.name == MECH_CRAM_MD5) &&
	    a->door != DOOR_POP3)
		return false;
	return a->mech.name != MECH_NONE && (s->mechs & 1u << a->mech.name);
}

static void attempt_feed(struct attempt *a, const struct authproto_request *r)
{
	struct span challenge;
	enum mech_step step =
		mech_feed(&a->mech, r->has_resp, r->resp, &challenge);

	client_step(a, step, challenge);
}

/* False: the client breaks the protocol. */
static bool dovecot_auth(struct client *c, const struct authproto_request *r)
{
	struct attempt *a;

	if (client_find(c, r->id))
		return false;
	a = client_begin(c, r);
	if (!a)
		client_say_temp(c, r->id,
				span_is(r->service, "smtp") ? DOOR_SMTP
							    : DOOR_NONE);
	else if (mech_offered(c->serve, a))
		attempt_feed(a, r);
	else
		client_refuse(a, "unknown-mechanism");
	return true;
}

/* To an exchange that is no longer there the answer is FAIL. */
static bool dovecot_cont(struct client *c, const struct authproto_request *r)
{
	struct attempt *a = client_find(c, r->id);

	if (a && a->state != ATTEMPT_ASKED)
		return false;
	if (a) {
		attempt_feed(a, r);
		return true;
	}
	authproto_put_fail(&c->out, r->id, SPAN_EMPTY, "");
	client_flush(c);
	return true;
}

static void dovecot_cancel(struct client *c, uint64_t id)
{
	struct attempt *a = client_find(c, id);

	if (a)
		client_forget(c, a);
}

/* False: the client breaks the protocol. */
static bool dovecot_line(struct client *c, struct span line)
{
	struct authproto_request r;

	FAULT_PASS(AUTH_LINE);
	if (!authproto_parse_request(line, &r))
		return false;
	switch (r.verb) {
	case AUTHPROTO_VERSION:
		return r.id == 1;
	case AUTHPROTO_AUTH:
		return dovecot_auth(c, &r);
	case AUTHPROTO_CONT:
		return dovecot_cont(c, &r);
	case AUTHPROTO_CANCEL:
		dovecot_cancel(c, r.id);
		return true;
	case AUTHPROTO_CPID:
	case AUTHPROTO_OTHER:
		break;
	}
	return true;
}

static void dovecot_take(struct client *c)
{
	enum line_status status;
	struct span line;

	while (c->fd >= 0) {
		status = line_take(&c->in, &line);
		if (status == LINE_MORE && !c->in.skipping)
			break;
		if (status != LINE_OK)
			client_break_off(c, status == LINE_NUL
						    ? "NUL in a line"
						    : "a line too long");
		else if (!dovecot_line(c, line) && c->fd >= 0)
			client_break_off(c, "a malformed line");
	}
}

#define DOVECOT                                                                \
	.greet = dovecot_greet, .take = dovecot_take,                          \
	.put_more = dovecot_put_more, .put_ok = dovecot_put_ok,                \
	.put_failed = dovecot_put_failed, .put_temp = dovecot_put_temp

const struct protocol protocol_dovecot = { DOVECOT };
const struct protocol protocol_keeper = { DOVECOT, .states = true };
