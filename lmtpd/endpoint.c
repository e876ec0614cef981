/* lmtpd/endpoint.c: see endpoint.h. */
#include "lmtpd/endpoint.h"

#include <stdio.h>

#include "lib/network.h"

/* One name relative to the queue directory works chrooted and not. */
static const char queue_dir[] = "/var/spool/postfix/";

static bool fail(const char **why_r, const char *why)
{
	*why_r = why;
	return false;
}

static bool take_prefix(struct span *s, struct span prefix)
{
	if (!span_starts_nocase(*s, prefix))
		return false;
	*s = span_skip(*s, prefix.n);
	return true;
}

static bool set_path(struct span path, struct lmtp_endpoint *e,
		     const char **why_r)
{
	struct span name = path;

	if (path.n < 2 || path.p[0] != '/')
		return fail(why_r, "the path of the socket is not absolute");
	if (path.n > LMTP_PATH_MAX)
		return fail(why_r, "the path of the socket is longer than 107");
	memcpy(e->path, path.p, path.n);
	(void)take_prefix(&name, span_of(queue_dir));
	(void)snprintf(e->mta, sizeof(e->mta), "lmtp:unix:%.*s", (int)name.n,
		       name.p);
	return true;
}

/* ADDRESS may be an IPv6 address: the last colon is the one. */
static bool parse_inet(struct span s, struct ipaddr *a_r, unsigned *port_r,
		       const char **why_r)
{
	size_t i = s.n;
	uint64_t port;

	while (i > 0 && s.p[i - 1] != ':')
		i--;
	if (i == 0 || !span_u64(span_skip(s, i), &port) || port == 0 ||
	    port > 65535)
		return fail(why_r, "the port is not a number from 1 to 65535");
	if (!ipaddr_parse(span_head(s, i - 1), a_r))
		return fail(why_r, "the host is not an address");
	if (!ipaddr_is_loopback(a_r))
		return fail(why_r, "the address is not a loopback address");
	*port_r = (unsigned)port;
	return true;
}

static bool set_inet(struct span s, struct lmtp_endpoint *e, const char **why_r)
{
	char text[IPADDR_TEXT_MAX];
	struct ipaddr a;
	unsigned port;
	bool v4;

	if (!parse_inet(s, &a, &port, why_r))
		return false;
	v4 = ipaddr_is_v4(&a);
	(void)snprintf(e->inet, sizeof(e->inet), v4 ? "%s:%u" : "[%s]:%u",
		       ipaddr_text(&a, text), port);
	(void)snprintf(e->mta, sizeof(e->mta), "lmtp:inet:%s", e->inet);
	return true;
}

bool lmtp_endpoint_parse(struct span text, struct lmtp_endpoint *e_r,
			 const char **why_r)
{
	memset(e_r, 0, sizeof(*e_r));
	if (take_prefix(&text, SPAN_LIT("unix:")) ||
	    (text.n && text.p[0] == '/'))
		return set_path(text, e_r, why_r);
	if (take_prefix(&text, SPAN_LIT("inet:")))
		return set_inet(text, e_r, why_r);
	return fail(why_r, "neither unix: nor inet:");
}

bool lmtp_forward_parse(struct span text, const char **why_r)
{
	struct ipaddr a;
	unsigned port;

	if (!take_prefix(&text, SPAN_LIT("smtp://")))
		return fail(why_r, "it does not begin with smtp://");
	return parse_inet(text, &a, &port, why_r);
}
