/* pop3d/popcapa.c: what CAPA says (RFC 2449 s.5): everything that is true of
 * this session and nothing else, the same before and after the login but for
 * STLS (RFC 2595 s.4) and EXPIRE. */
#include "pop3d/popcmd.h"
#include "pop3d/poplogin.h"
#include "pop3d/popstate.h"
#include "pop3d/poptls.h"

static void put_user(const struct popstate *s, struct buf *b)
{
	if (!poptls_missing(s))
		buf_puts(b, "USER\r\n");
}

static void put_stls(const struct popstate *s, struct buf *b)
{
	if (poptls_offered(s))
		buf_puts(b, "STLS\r\n");
}

static void put_sasl(const struct popstate *s, struct buf *b)
{
	struct buf names = BUF_INIT(64);

	poplogin_put_mechanisms(s, " ", "", &names);
	if (names.n)
		buf_printf(b, "SASL%s\r\n", buf_cstr(&names));
	buf_release(&names);
}

/* In seconds; a client must not come a moment too early. */
static void put_login_delay(const struct popstate *s, struct buf *b)
{
	if (s->rules.login_delay <= 0)
		return;
	buf_puts(b, "LOGIN-DELAY ");
	buf_put_u64(b, ((uint64_t)s->rules.login_delay + 999) / 1000);
	buf_puts(b, "\r\n");
}

/* RFC 2449 s.6.7: before the login the smallest number there can be, and that
 * it is another one a user's; a day is what mailrow retention takes. */
static void put_expire(const struct popstate *s, struct buf *b)
{
	if (s->state == ST_AUTH)
		buf_puts(b, "EXPIRE 1 USER\r\n");
	else if (s->grant.expire_days == 0)
		buf_puts(b, "EXPIRE NEVER\r\n");
	else
		buf_printf(b, "EXPIRE %lu\r\n",
			   (unsigned long)s->grant.expire_days);
}

/* IMPLEMENTATION tells no version: it would help attackers only. UTF8 stands
 * without USER, which would promise to prepare names and passwords (RFC 6856
 * s.2.1): they are taken as they come. */
static const struct {
	const char *line; /* or */
	void (*put)(const struct popstate *s, struct buf *b);
} capabilities[] = {
	{ "TOP", NULL },
	{ "UIDL", NULL },
	{ NULL, put_user },
	{ NULL, put_sasl },
	{ NULL, put_stls },
	{ "RESP-CODES", NULL },
	{ "AUTH-RESP-CODE", NULL },
	{ "PIPELINING", NULL },
	{ "UTF8", NULL },
	{ NULL, put_expire },
	{ NULL, put_login_delay },
	{ "IMPLEMENTATION Mailrow", NULL },
};

struct pop_event pop_capa(struct popstate *s, const struct popcmd_args *a)
{
	(void)a;
	buf_puts(s->out, "+OK\r\n");
	for (size_t i = 0; i < sizeof(capabilities) / sizeof(*capabilities);
	     i++) {
		if (capabilities[i].put)
			capabilities[i].put(s, s->out);
		else
			buf_printf(s->out, "%s\r\n", capabilities[i].line);
	}
	buf_puts(s->out, ".\r\n");
	return pop_event(POP_DONE);
}
