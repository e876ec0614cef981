/* ctl/secret.c: reads a password. */
#include "ctl/secret.h"

#include <errno.h>
#include <stdio.h>
#include <sysexits.h>
#include <termios.h>
#include <unistd.h>

#include "ctl/tool.h"
#include "lib/pwhash.h"

/* One line from descriptor 0, octet by octet: nothing is read ahead that
 * belongs to somebody else. */
static bool read_line(struct buf *b)
{
	char c;
	ssize_t n;

	buf_reset(b);
	while ((n = read(STDIN_FILENO, &c, 1)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || c == '\n')
			break;
		buf_putc(b, c);
	}
	if (b->n > 0 && b->p[b->n - 1] == '\r')
		b->n--;
	return buf_ok(b) && b->n > 0;
}

static bool read_silently(const char *prompt, struct buf *b)
{
	struct termios before, silent;
	bool ok;

	if (tcgetattr(STDIN_FILENO, &before) != 0)
		return false;
	silent = before;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	fputs(prompt, stderr);
	if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) != 0)
		return false;
	ok = read_line(b);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	fputc('\n', stderr);
	return ok;
}

static bool ask_twice(struct buf *b)
{
	struct buf again = BUF_INIT(PWHASH_PASSWORD_MAX);
	bool ok;

	ok = read_silently("Password: ", b) && read_silently("Again: ", &again);
	if (ok && !span_eq(buf_span(b), buf_span(&again))) {
		tool_fail(0, "the two passwords differ");
		buf_wipe(&again);
		return false;
	}
	buf_wipe(&again);
	if (!ok)
		tool_fail(0, "no password given");
	return ok;
}

bool secret_read(struct buf *b)
{
	if (isatty(STDIN_FILENO))
		return ask_twice(b);
	if (read_line(b) && !memchr(b->p, '\0', b->n))
		return true;
	tool_fail(0,
		  "no usable password on standard input: one line of at most "
		  "%d octets",
		  PWHASH_PASSWORD_MAX);
	return false;
}
