/* mdtool: fills what the peers read with mails of the wanted size.
 *	mdtool maildir DIR N SIZE	into DIR/new, sizes in the names, as
 *					Dovecot's own delivery writes them
 *	mdtool mbox FILE N SIZE		the same mails in one file
 * SIZE counts CRLF line ends, as POP3 does; the files hold LF. */
#include "util.h"
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>

enum { WIDTH = 76, HEAD_MAX = 256 };

struct mail {
	char *p;
	size_t n, lines;
};

static struct mail make_mail(long id, size_t size)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	struct mail m = { .p = malloc(size + HEAD_MAX), .lines = 5 };
	uint32_t x = (uint32_t)id * 2654435761U + 1;
	size_t left, width;

	if (!m.p)
		die("malloc");
	m.n = (size_t)sprintf(m.p,
			      "From: Sender <sender@example.net>\n"
			      "To: <u@bench.test>\nSubject: message %08ld\n"
			      "Message-ID: <%08ld@client.example.net>\n\n",
			      id, id);
	while (m.n + m.lines < size) {
		left = size - m.n - m.lines;
		width = left > WIDTH + 4 ? WIDTH : left > 2 ? left - 2 : 1;
		for (size_t i = 0; i < width; i++) {
			x = x * 1103515245U + 12345U;
			m.p[m.n++] = digits[x >> 20 & 63];
		}
		m.p[m.n++] = '\n';
		m.lines++;
	}
	return m;
}

static void make_folders(const char *dir)
{
	static const char *const part[] = { "", "/tmp", "/new", "/cur" };
	char path[1024];

	for (int i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "%s%s", dir, part[i]);
		if (mkdir(path, 0700) != 0 && errno != EEXIST)
			die(path);
	}
}

static void put_file(const char *dir, long id, const struct mail *m)
{
	char path[1024];
	int fd;

	snprintf(path, sizeof(path), "%s/new/%ld.M%06ldP1.bench,S=%zu,W=%zu",
		 dir, 1700000000 + id, id % 1000000, m->n, m->n + m->lines);
	fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0600);
	if (fd < 0 || write(fd, m->p, m->n) != (ssize_t)m->n || close(fd) != 0)
		die(path);
}

static void put_mbox(FILE *f, const struct mail *m)
{
	fputs("From sender@example.net  Mon Nov 23 05:15:11 2026\n", f);
	fwrite(m->p, 1, m->n, f);
	fputc('\n', f);
}

int main(int argc, char **argv)
{
	bool mbox = argc == 5 && strcmp(argv[1], "mbox") == 0;
	FILE *f = NULL;

	if (argc != 5 || (!mbox && strcmp(argv[1], "maildir") != 0)) {
		fputs("usage: mdtool maildir|mbox PATH N SIZE\n", stderr);
		return 2;
	}
	if (mbox)
		f = fopen(argv[2], "w");
	else
		make_folders(argv[2]);
	if (mbox && !f)
		die(argv[2]);
	for (long i = 0; i < atol(argv[3]); i++) {
		struct mail m = make_mail(i, (size_t)atol(argv[4]));

		if (f)
			put_mbox(f, &m);
		else
			put_file(argv[2], i, &m);
		free(m.p);
	}
	return f && fclose(f) != 0;
}
