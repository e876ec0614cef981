/* tests/system/etpanfetch.c: a client on libetpan, in the smallest program that
 * uses it well: fetch what has an unknown UIDL, delete if told, QUIT.
 *
 *   etpanfetch clear|stls|tls HOST PORT USER PASSWORD keep|delete
 *
 * Mails go to the files out/UIDL. 2: the login is refused; the server's words
 * are printed. */
#include <errno.h>
#include <libetpan/libetpan.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

enum { PATH_SIZE = 256, REFUSED = 2 };

static void need(int result, mailpop3 *pop, const char *what)
{
	if (result == MAILPOP3_NO_ERROR)
		return;
	printf("%s: error %d: %s\n", what, result,
	       pop->pop3_response ? pop->pop3_response : "");
	exit(EX_PROTOCOL);
}

static void connect_by(mailpop3 *pop, const char *way, const char *host,
		       uint16_t port)
{
	if (strcmp(way, "tls") == 0) {
		need(mailpop3_ssl_connect(pop, host, port), pop, "connect");
		return;
	}
	need(mailpop3_socket_connect(pop, host, port), pop, "connect");
	if (strcmp(way, "stls") == 0)
		need(mailpop3_socket_starttls(pop), pop, "STLS");
}

static void log_in(mailpop3 *pop, const char *user, const char *password)
{
	need(mailpop3_user(pop, user), pop, "USER");
	if (mailpop3_pass(pop, password) == MAILPOP3_NO_ERROR)
		return;
	printf("%s\n", pop->pop3_response);
	(void)mailpop3_quit(pop);
	exit(REFUSED);
}

static void fetch(mailpop3 *pop, const struct mailpop3_msg_info *m)
{
	char path[PATH_SIZE], *mail;
	size_t n;
	FILE *f;

	(void)snprintf(path, sizeof(path), "out/%s", m->msg_uidl);
	if (access(path, F_OK) == 0)
		return;
	need(mailpop3_retr(pop, m->msg_index, &mail, &n), pop, "RETR");
	f = fopen(path, "w");
	if (!f || fwrite(mail, 1, n, f) != n || fclose(f) != 0) {
		printf("cannot write '%s': %s\n", path, strerror(errno));
		exit(EX_IOERR);
	}
	mailpop3_retr_free(mail);
}

int main(int argc, char **argv)
{
	mailpop3 *pop = mailpop3_new(0, NULL);
	carray *mails;

	if (argc != 7 || !pop)
		return EX_USAGE;
	connect_by(pop, argv[1], argv[2], (uint16_t)strtoul(argv[3], NULL, 10));
	log_in(pop, argv[4], argv[5]);
	need(mailpop3_list(pop, &mails), pop, "LIST");
	for (unsigned i = 0; i < carray_count(mails); i++) {
		const struct mailpop3_msg_info *m = carray_get(mails, i);

		fetch(pop, m);
		if (strcmp(argv[6], "delete") == 0)
			need(mailpop3_dele(pop, m->msg_index), pop, "DELE");
	}
	need(mailpop3_quit(pop), pop, "QUIT");
	mailpop3_free(pop);
	return EX_OK;
}
