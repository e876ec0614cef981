/* ctl/pop3.c: mailrow pop3 ...: who is on, by the keeper's control socket. */
#include "ctl/tool.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "ctl/out.h"
#include "lib/clock.h"
#include "lib/net.h"

enum { ANSWER_MAX = 64 << 20, PIECE = 65536, WAIT_MS = 10000, FIELDS = 8 };

static const struct out_column who_columns[] = {
	{ "account", OUT_TEXT },  { "client", OUT_TEXT },
	{ "proxy", OUT_TEXT },    { "since", OUT_TEXT },
	{ "tls", OUT_TEXT },      { "state", OUT_TEXT },
	{ "octets", OUT_NUMBER }, { "session", OUT_TEXT },
	{ NULL, OUT_TEXT }
};

static int no_answer(const char *path, const char *why)
{
	return tool_fail(EX_UNAVAILABLE, "cannot ask '%s': %s", path, why);
}

/* All until the other end closes. False: errno. */
static bool talk(int fd, struct span request, struct buf *answer)
{
	const struct timeval patience = { .tv_sec = WAIT_MS / 1000 };
	ssize_t n;
	char *room;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
		       sizeof(patience)) != 0 ||
	    send(fd, request.p, request.n, MSG_NOSIGNAL) != (ssize_t)request.n)
		return false;
	while ((room = buf_reserve(answer, PIECE)) != NULL) {
		n = recv(fd, room, PIECE, 0);
		if (n <= 0)
			return n == 0;
		answer->n += (size_t)n;
	}
	errno = ENOMEM;
	return false;
}

/* The answer without its END. EX_OK, or an exit code after a message. */
static int ask(const struct tool *t, struct span request, struct buf *answer)
{
	static const char end[] = "END\n";
	const size_t n = sizeof(end) - 1;
	const char *path = t->conf->pop3_control_socket;
	int fd = net_connect_unix(path, deadline_in(WAIT_MS));
	bool ok;

	if (fd < 0)
		return no_answer(path, strerror(errno));
	ok = talk(fd, request, answer);
	if (!ok)
		(void)no_answer(path, strerror(errno));
	(void)close(fd);
	if (!ok)
		return EX_UNAVAILABLE;
	if (answer->n < n || memcmp(answer->p + answer->n - n, end, n) != 0)
		return no_answer(path, "no whole answer");
	answer->n -= n;
	return EX_OK;
}

static void put_time(struct span seconds, char out[32])
{
	uint64_t n;
	time_t then;
	struct tm tm;

	out[0] = '\0';
	if (!span_u64(seconds, &n))
		return;
	then = (time_t)n;
	if (localtime_r(&then, &tm))
		(void)strftime(out, 32, "%Y-%m-%d %H:%M:%S", &tm);
}

/* The fields as the keeper tells them (pop3d/keeperconsole.h). */
static bool put_session(struct out *o, struct span line)
{
	struct span f[FIELDS], rest = line;
	uint64_t octets;
	char since[32];

	for (size_t i = 0; i < FIELDS; i++)
		(void)span_cut(rest, '\t', &f[i], &rest);
	if (!span_u64(f[7], &octets))
		return false;
	put_time(f[4], since);
	return out_row(o, (const struct sqlval[]){
				  sql_bytes(f[1]),
				  sql_bytes(f[2]),
				  sql_bytes(f[3]),
				  sql_bytes(span_of(since)),
				  sql_bytes(f[5]),
				  sql_bytes(f[6]),
				  sql_u64(octets),
				  sql_bytes(f[0]),
			  });
}

static bool put_sessions(struct out *o, struct span rows)
{
	struct span line;

	while (rows.n) {
		(void)span_cut(rows, '\n', &line, &rows);
		if (!put_session(o, line))
			return false;
	}
	return true;
}

static int pop3_who(struct tool *t, int argc, char **argv)
{
	struct buf answer = BUF_INIT(ANSWER_MAX);
	int code = ask(t, SPAN_LIT("WHO\n"), &answer);
	struct out *o;

	(void)argc;
	(void)argv;
	if (code != EX_OK) {
		buf_release(&answer);
		return code;
	}
	o = out_new("sessions", who_columns, t->json);
	if (o && put_sessions(o, buf_span(&answer)))
		out_print_list(o);
	else
		code = tool_fail(EX_SOFTWARE, "cannot print the sessions");
	out_free(&o);
	buf_release(&answer);
	return code;
}

static bool is_name(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
			return false;
	return s.n > 0 && s.n <= ADDR_MAX;
}

static int tell_kicked(struct span answer, const char *account)
{
	uint64_t n;

	(void)span_cut(answer, '\n', &answer, &(struct span){ .n = 0 });
	if (!span_u64(answer, &n))
		return tool_fail(EX_PROTOCOL, "the keeper does not know that");
	if (n == 0)
		return tool_fail(EX_NOUSER, "'%s' has no session", account);
	printf("%" PRIu64 " %s told to end\n", n,
	       n == 1 ? "session" : "sessions");
	return EX_OK;
}

static int pop3_kick(struct tool *t, int argc, char **argv)
{
	struct buf request = BUF_INIT(1024), answer = BUF_INIT(ANSWER_MAX);
	int code;

	(void)argc;
	if (!is_name(span_of(argv[0])))
		return tool_fail(EX_DATAERR, "'%s' is no account", argv[0]);
	buf_printf(&request, "KICK\t%s\n", argv[0]);
	code = ask(t, buf_span(&request), &answer);
	if (code == EX_OK)
		code = tell_kicked(buf_span(&answer), argv[0]);
	buf_release(&request);
	buf_release(&answer);
	return code;
}

const struct verb pop3_verbs[] = {
	{ .noun = "pop3",
	  .name = "who",
	  .usage = "",
	  .help = "the POP3 sessions of this host",
	  .run = pop3_who },
	{ .noun = "pop3",
	  .name = "kick",
	  .min_args = 1,
	  .max_args = 1,
	  .usage = "ADDRESS",
	  .help = "end its POP3 sessions, between two commands",
	  .run = pop3_kick },
	{ .noun = NULL }
};
