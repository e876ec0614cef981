/* auth/saslauthd.c: the protocol of Cyrus SASL's saslauthd, for Sendmail and
 * others whose library asks it: one request a connection, one answer. It does
 * not tell the client's address, and has no word for our trouble: then the
 * connection is closed without an answer. */
#include "auth/protocol.h"

#include "lib/fault.h"
#include "auth/client.h"
#include "auth/saslwire.h"

enum { ONCE_MS = 5000, ID = 1 };

static void saslauthd_put_ok(struct client *c, const struct attempt *a)
{
	(void)a;
	saslwire_put_answer(&c->out, SPAN_LIT("OK"));
}

/* The library hands the reason on to nobody but its log. */
static void saslauthd_put_failed(struct client *c, const struct attempt *a)
{
	(void)a;
	saslwire_put_answer(&c->out, SPAN_LIT("NO authentication failed"));
}

static bool saslauthd_put_temp(struct client *c, uint64_t id, enum door door)
{
	(void)c;
	(void)id;
	(void)door;
	return false;
}

/* Cyrus's own POP3 server calls its service so. */
static struct span service_of(struct span name)
{
	return span_is(name, "pop") ? SPAN_LIT("pop3") : name;
}

static void saslauthd_request(struct client *c,
			      const struct saslwire_request *r)
{
	const struct authproto_request request = {
		.id = ID, .mech = MECH_PLAIN, .service = service_of(r->service)
	};
	struct attempt *a = client_begin(c, &request);
	struct buf login = BUF_INIT(AUTHPROTO_NAME_MAX + SASLWIRE_WORD_MAX + 1);

	if (!a) {
		client_close(c);
		return;
	}
	/* what becomes of it is waited for as long as it takes */
	c->until = INT64_MAX;
	saslwire_put_login(&login, r);
	client_step(a,
		    buf_ok(&login)
			    ? mech_set(&a->mech, buf_span(&login), r->password)
			    : MECH_MEMORY,
		    SPAN_EMPTY);
	buf_release(&login);
}

static void saslauthd_take(struct client *c)
{
	struct span octets = { c->in.p + c->in.start, line_pending(&c->in) };
	struct saslwire_request r;

	FAULT_PASS(AUTH_LINE);
	if (c->first || c->ending) {
		client_break_off(c, "octets behind a request");
		return;
	}
	switch (saslwire_parse(octets, &r)) {
	case SASLWIRE_MORE:
		break;
	case SASLWIRE_OK:
		saslauthd_request(c, &r);
		line_wipe(&c->in);
		break;
	case SASLWIRE_BAD:
		client_break_off(c, "a malformed request");
		break;
	}
}

const struct protocol protocol_saslauthd = {
	.take = saslauthd_take,
	.put_ok = saslauthd_put_ok,
	.put_failed = saslauthd_put_failed,
	.put_temp = saslauthd_put_temp,
	.once = ONCE_MS,
};
