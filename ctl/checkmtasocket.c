/* ctl/checkmtasocket.c: the names that both sides have for one socket. What
 * libmilter calls inet:PORT@HOST is inet:HOST:PORT for Postfix; and Postfix
 * looks for a path in its queue directory, in a chroot even for one that
 * begins with a slash. */
#include "ctl/checkmta.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/esc.h"
#include "lib/net.h"

enum { CONNECT_MS = 3000 };

static bool set_path(struct mta_socket *s, const char *above, struct span path)
{
	size_t n = strlen(above);
	const char *slash = n && (!path.n || path.p[0] != '/') ? "/" : "";

	s->inet = false;
	return path.n > 0 &&
	       snprintf(s->text, sizeof(s->text), "%s%s%.*s", above, slash,
			(int)path.n, path.p) < (int)sizeof(s->text);
}

/* A name that is no address stays as it is. */
static bool set_inet(struct mta_socket *s, struct span host, struct span port)
{
	char text[IPADDR_TEXT_MAX];
	struct ipaddr a;

	if (host.n > 2 && host.p[0] == '[')
		host = span_make(host.p + 1, host.n - 2);
	if (span_eq_nocase(host, SPAN_LIT("localhost")))
		host = SPAN_LIT("127.0.0.1");
	if (ipaddr_parse(host, &a))
		host = span_of(ipaddr_text(&a, text));
	s->inet = true;
	return port.n > 0 &&
	       snprintf(s->text, sizeof(s->text), "%.*s:%.*s", (int)host.n,
			host.p, (int)port.n, port.p) < (int)sizeof(s->text);
}

/* At the last colon: an IPv6 address has its own. */
static struct span cut_port(struct span s, struct span *port_r)
{
	size_t i = s.n;

	while (i > 0 && s.p[i - 1] != ':')
		i--;
	*port_r = i ? span_skip(s, i) : SPAN_EMPTY;
	return span_head(s, i ? i - 1 : s.n);
}

static bool take(struct span *s, const char *prefix)
{
	if (!span_starts_nocase(*s, span_of(prefix)))
		return false;
	*s = span_skip(*s, strlen(prefix));
	return true;
}

static bool take_unix(struct span *s)
{
	return take(s, "unix:") || take(s, "local:");
}

static bool take_inet(struct span *s)
{
	return take(s, "inet:") || take(s, "inet6:");
}

bool mta_socket_ours(struct span text, struct mta_socket *s_r)
{
	struct span host, port;
	bool ok;

	*s_r = (struct mta_socket){ 0 };
	if (take_unix(&text) || (text.n && text.p[0] == '/')) {
		ok = set_path(s_r, "", text);
	} else if (take_inet(&text)) {
		if (!span_cut(text, '@', &port, &host))
			host = cut_port(text, &port);
		ok = set_inet(s_r, host, port);
	} else {
		ok = false;
	}
	if (!ok)
		*s_r = (struct mta_socket){ 0 };
	return ok;
}

bool mta_socket_theirs(const struct mta *m, struct span text, bool chroot,
		       const char *kind, struct mta_socket *s_r)
{
	bool is_unix = strcmp(kind, "unix") == 0;
	struct span port;

	*s_r = (struct mta_socket){ 0 };
	if (take_unix(&text))
		is_unix = true;
	else if (take_inet(&text))
		is_unix = false;
	if (is_unix)
		return set_path(s_r,
				chroot || !text.n || text.p[0] != '/' ? m->queue
								      : "",
				text);
	text = cut_port(text, &port);
	return set_inet(s_r, text, port.n ? port : SPAN_LIT("lmtp"));
}

/* The same words, or two ways to one file. */
bool mta_socket_same(const struct mta_socket *a, const struct mta_socket *b)
{
	struct stat x, y;

	if (!a->text[0] || a->inet != b->inet)
		return false;
	if (strcmp(a->text, b->text) == 0)
		return true;
	return !a->inet && stat(a->text, &x) == 0 && stat(b->text, &y) == 0 &&
	       x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

const char *mta_socket_name(const struct mta *m, const struct mta_socket *s,
			    char out[MTA_SOCKET_MAX])
{
	size_t n = strlen(m->queue);
	const char *path = s->text;

	if (strncmp(path, m->queue, n) == 0 && path[n] == '/')
		path += n + 1;
	snprintf(out, MTA_SOCKET_MAX, "%s%.*s",
		 s->inet ? "inet:" : "unix:", MTA_SOCKET_MAX - 8, path);
	return out;
}

struct reach {
	const char *subject, *path, *speaks, *daemon, *group;
	bool chroot;
};

static void test_reach(struct check *k, const void *arg)
{
	const struct reach *r = arg;
	const char *how =
		r->chroot ? "in its chroot" : "in the queue directory";
	int fd = net_connect_unix(r->path, deadline_in(CONNECT_MS));
	char fix[CHECK_FIX_MAX];
	struct esc_text path;
	int e = errno;

	(void)esc_text(&path, span_of(r->path));
	snprintf(fix, sizeof(fix), "systemctl restart %s", r->daemon);
	if (fd < 0) {
		check_say(k, CHECK_FAIL, r->subject, fix,
			  "Postfix cannot reach %s %s: %s", path.s, how,
			  strerror(e));
		return;
	}
	if (check_hears(fd, r->speaks))
		check_say(k, CHECK_OK, r->subject, "",
			  "%s is reached as Postfix does, %s", path.s, how);
	else
		check_say(k, CHECK_FAIL, r->subject, fix,
			  "%s takes Postfix's connections and does not answer",
			  path.s);
	close(fd);
}

void mta_socket_reach(struct mta *m, const char *subject, struct span text,
		      bool chroot, const char *kind, const char *speaks,
		      const char *daemon)
{
	const struct conf *c = m->conf;
	bool is_unix = take_unix(&text);
	char path[MTA_SOCKET_MAX], asked[MTA_SOCKET_MAX + 64];
	struct reach r = {
		subject, path, speaks, daemon, c->mta_group, chroot
	};

	if ((!is_unix && (strcmp(kind, "unix") != 0 || take_inet(&text))) ||
	    text.n >= sizeof(path))
		return;
	snprintf(path, sizeof(path), "%.*s", (int)text.n, text.p);
	snprintf(asked, sizeof(asked), "%s\n%d\n%s", subject, chroot, path);
	if (!mta_is_new(m, span_of(asked)))
		return;
	check_as_in(m->k, subject, c->mta_user, c->mta_group, m->queue, chroot,
		    test_reach, &r);
}
