/* pop3d/keeperlog.c: see keeperlog.h. */
#include "pop3d/keeperlog.h"

#include <inttypes.h>

#include "lib/esc.h"

static void put_addresses(struct buf *b, const struct keepersession *s)
{
	buf_puts(b, "rip=");
	ipaddr_put(b, &s->told.remote);
	buf_puts(b, ", lip=");
	ipaddr_put(b, &s->told.local);
}

static void put_user(struct buf *b, const struct keepersession *s)
{
	buf_puts(b, ", user=<");
	esc_put(b, span_of(s->user), ESC_MAX);
	buf_puts(b, ">");
}

static void put_method(struct buf *b, const struct keepersession *s)
{
	buf_puts(b, ", method=");
	esc_put(b, span_of(s->method), KEEPERSESSION_METHOD_MAX);
}

/* The word TLS stands where Dovecot's lines have it. */
static void put_tls(struct buf *b, const struct keepersession *s)
{
	if (!s->tls_told)
		return;
	if (s->tls) {
		buf_puts(b, ", TLS, version=");
		esc_put(b, span_of(s->tls_version), CHAN_TLS_MAX);
		buf_puts(b, ", cipher=");
	} else {
		buf_puts(b, ", TLS handshake failed: ");
	}
	esc_put(b, span_of(s->tls_detail), CHAN_TLS_MAX);
}

static void put_session(struct buf *b, const struct keepersession *s)
{
	buf_printf(b, ", session=<%016" PRIx64 ">", s->told.id);
}

static void put_proxy(struct buf *b, const struct keepersession *s)
{
	if (!s->peer_told)
		return;
	buf_puts(b, ", proxy=");
	ipaddr_put(b, &s->proxy);
	if (!s->note[0])
		return;
	buf_puts(b, ", proxy-session=<");
	esc_put(b, span_of(s->note), CHAN_NOTE_MAX);
	buf_puts(b, ">");
}

void keeperlog_put_login(struct buf *b, const struct keepersession *s)
{
	buf_puts(b, "pop3-login: Login: ");
	put_addresses(b, s);
	put_user(b, s);
	put_method(b, s);
	put_tls(b, s);
	put_session(b, s);
	put_proxy(b, s);
}

/* Only a wrong password counts as "auth failed": a log filter must not ban
 * who met our own trouble. */
static void put_no_login(struct buf *b, const struct keepersession *s,
			 const char *why)
{
	buf_puts(b, "pop3-login: Disconnected");
	if (why)
		buf_printf(b, ": %s", why);
	buf_puts(b, " (");
	if (s->denied)
		buf_printf(b, "auth failed, %u attempts): ", s->denied);
	else if (s->refused)
		buf_printf(b, "login refused, %u attempts): ", s->refused);
	else if (s->attempts)
		buf_printf(b, "no answer to %u attempts): ", s->attempts);
	else
		buf_puts(b, "no auth attempts): ");
	put_addresses(b, s);
	if (s->attempts) {
		put_user(b, s);
		put_method(b, s);
	}
	put_tls(b, s);
	put_session(b, s);
}

static void put_counts(struct buf *b, const struct keepersession *s,
		       const struct chan_bye *y)
{
	buf_printf(b,
		   " top=%" PRIu64 "/%" PRIu64 ", retr=%" PRIu64 "/%" PRIu64
		   ", del=%" PRIu64 "/%" PRIu64 ", size=%" PRIu64
		   ", in=%" PRIu64 ", out=%" PRIu64 ", db=%" PRIi64
		   ".%03" PRIi64 "ms",
		   y->top, y->top_octets, y->retr, y->retr_octets, y->dele,
		   s->listed, y->size_octets, y->in_octets, y->out_octets,
		   s->database_us / 1000, s->database_us % 1000);
}

/* Most ends before a login are everyday; these tell the administrator of his
 * own settings. */
static const char *why_no_login(const struct chan_bye *bye, const char *why)
{
	if (!bye)
		return why;
	return bye->end == CHAN_END_PROXY || bye->end == CHAN_END_CROWDED
		       ? chan_end_text(bye->end)
		       : NULL;
}

void keeperlog_put_end(struct buf *b, const struct keepersession *s,
		       const struct chan_bye *bye, const char *why)
{
	if (!s->bound) {
		put_no_login(b, s, why_no_login(bye, why));
		return;
	}
	buf_puts(b, "pop3: rip=");
	ipaddr_put(b, &s->told.remote);
	put_user(b, s);
	put_tls(b, s);
	put_session(b, s);
	buf_puts(b, ": Disconnected: ");
	buf_puts(b, bye ? chan_end_text(bye->end) : why);
	if (bye)
		put_counts(b, s, bye);
}

void keeperlog_put_drop(struct buf *b, const struct keepersession *s,
			const char *why)
{
	buf_puts(b, "pop3: rip=");
	ipaddr_put(b, &s->told.remote);
	put_user(b, s);
	put_session(b, s);
	buf_puts(b, ": channel dropped: ");
	buf_puts(b, why);
}
