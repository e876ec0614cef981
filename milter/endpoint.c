/* milter/endpoint.c: see endpoint.h. */
#include "milter/endpoint.h"

#include "lib/network.h"

/* One name relative to the queue directory works chrooted and not. */
static const char queue_dir[] = "/var/spool/postfix/";

static bool fail(const char **why_r, const char *why)
{
	*why_r = why;
	return false;
}

static bool take_prefix(struct span *s, const char *prefix)
{
	struct span p = span_of(prefix);

	if (!span_starts_nocase(*s, p))
		return false;
	*s = span_skip(*s, p.n);
	return true;
}

static bool endpoint_set_path(struct span path, struct endpoint *e,
			      const char **why_r)
{
	struct span name = path;

	if (path.n < 2 || path.p[0] != '/')
		return fail(why_r, "the path of the socket is not absolute");
	if (path.n > ENDPOINT_PATH_MAX)
		return fail(why_r, "the path of the socket is longer than 107");
	memcpy(e->path, path.p, path.n);
	e->path[path.n] = '\0';
	(void)snprintf(e->conn, sizeof(e->conn), "local:%s", e->path);
	(void)take_prefix(&name, queue_dir);
	(void)snprintf(e->mta, sizeof(e->mta), "unix:%.*s", (int)name.n,
		       name.p);
	return true;
}

static bool endpoint_set_inet(struct span host, struct span port,
			      struct endpoint *e, const char **why_r)
{
	char text[IPADDR_TEXT_MAX];
	struct ipaddr a;
	uint64_t n;
	bool v4;

	if (!span_u64(port, &n) || n == 0 || n > 65535)
		return fail(why_r, "the port is not a number from 1 to 65535");
	if (span_eq_nocase(host, SPAN_LIT("localhost")))
		host = SPAN_LIT("127.0.0.1");
	if (!ipaddr_parse(host, &a))
		return fail(why_r, "the host is not an address");
	if (!ipaddr_is_loopback(&a))
		return fail(why_r, "the address is not a loopback address");
	v4 = ipaddr_is_v4(&a);
	(void)ipaddr_text(&a, text);
	(void)snprintf(e->conn, sizeof(e->conn), "%s:%u@[%s]",
		       v4 ? "inet" : "inet6", (unsigned)n, text);
	(void)snprintf(e->mta, sizeof(e->mta),
		       v4 ? "inet:%s:%u" : "inet:[%s]:%u", text, (unsigned)n);
	return true;
}

/* HOST may be an IPv6 address: the last colon is the one. */
static struct span last_colon(struct span s, struct span *port_r)
{
	size_t i = s.n;

	while (i > 0 && s.p[i - 1] != ':')
		i--;
	*port_r = span_skip(s, i);
	return span_head(s, i ? i - 1 : 0);
}

bool endpoint_parse(struct span text, struct endpoint *e_r, const char **why_r)
{
	struct span host, port;

	memset(e_r, 0, sizeof(*e_r));
	if (take_prefix(&text, "local:") || take_prefix(&text, "unix:") ||
	    (text.n && text.p[0] == '/'))
		return endpoint_set_path(text, e_r, why_r);
	if (!take_prefix(&text, "inet:") && !take_prefix(&text, "inet6:"))
		return fail(why_r, "neither local: nor inet:");
	if (!span_cut(text, '@', &port, &host))
		host = last_colon(text, &port);
	return endpoint_set_inet(host, port, e_r, why_r);
}
