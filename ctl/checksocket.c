/* ctl/checksocket.c: can those who need our sockets reach them? */
#include "ctl/check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/net.h"

enum { CONNECT_MS = 3000 };

struct socket_test {
	const char *subject;
	const char *path;
	const char *speaks; /* first octets of a server that speaks first */
	const char *daemon;
	const char *group; /* whose the socket and its directory are */
};

static const char *reach_fix(const struct socket_test *s, int e,
			     char fix[CHECK_FIX_MAX])
{
	const char *slash = strrchr(s->path, '/');
	int n = slash ? (int)(slash - s->path) : 0;

	if (e == EACCES)
		snprintf(fix, CHECK_FIX_MAX,
			 "chgrp %s %.*s; chmod 2750 %.*s; "
			 "systemctl restart %s",
			 s->group, n, s->path, n, s->path, s->daemon);
	else
		snprintf(fix, CHECK_FIX_MAX, "systemctl %s %s",
			 e ? "start" : "restart", s->daemon);
	return fix;
}

bool check_hears(int fd, const char *want)
{
	struct timeval tv = { .tv_sec = CONNECT_MS / 1000 };
	char text[16];
	ssize_t n;

	if (!want)
		return true;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	n = recv(fd, text, strlen(want), MSG_WAITALL);
	return n == (ssize_t)strlen(want) &&
	       memcmp(text, want, strlen(want)) == 0;
}

static void test_unix(struct check *k, const void *arg)
{
	const struct socket_test *s = arg;
	int fd = net_connect_unix(s->path, deadline_in(CONNECT_MS));
	char fix[CHECK_FIX_MAX];
	int e = errno;

	if (fd < 0) {
		check_say(k, CHECK_FAIL, s->subject, reach_fix(s, e, fix),
			  "%s cannot be reached by its client: %s", s->path,
			  strerror(e));
		return;
	}
	if (check_hears(fd, s->speaks))
		check_say(k, CHECK_OK, s->subject, "", "%s answers", s->path);
	else
		check_say(k, CHECK_FAIL, s->subject, reach_fix(s, 0, fix),
			  "%s takes connections but does not answer", s->path);
	close(fd);
}

/* "local:PATH" and "unix:PATH"; a TCP milter is the MTA's to reach. */
static const char *socket_path(const char *address)
{
	const char *colon = strchr(address, ':');
	struct span kind =
		span_make(address, colon ? (size_t)(colon - address) : 0);

	if (!colon)
		return address;
	return span_is(kind, "local") || span_is(kind, "unix") ? colon + 1
							       : NULL;
}

void checksocket_run(struct check *k)
{
	const struct conf *c = check_tool(k)->conf;
	struct socket_test milter = { "milter socket",
				      socket_path(c->milter_socket), NULL,
				      program_name(PROG_MILTER), c->mta_group };
	struct socket_test auth = { "auth socket", c->auth_socket,
				    "VERSION\t1\t", program_name(PROG_AUTHD),
				    c->mta_group };
	struct socket_test pop3 = { "auth socket", c->auth_pop3_socket,
				    "VERSION\t1\t", program_name(PROG_AUTHD),
				    c->pop3_group };

	struct socket_test sasl = { "auth socket", c->auth_saslauthd_socket,
				    NULL, program_name(PROG_AUTHD),
				    c->mta_group };

	if (milter.path)
		check_as(k, milter.subject, c->mta_user, c->mta_group,
			 test_unix, &milter);
	check_as(k, auth.subject, c->mta_user, c->mta_group, test_unix, &auth);
	check_as(k, pop3.subject, c->pop3_user, c->pop3_group, test_unix,
		 &pop3);
	if (sasl.path[0])
		check_as(k, sasl.subject, c->mta_user, c->mta_group, test_unix,
			 &sasl);
}
