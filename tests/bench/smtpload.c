/* smtpload: SMTP/LMTP load generator like Postfix's smtp-source, but it spreads
 * the recipients over real mailboxes and reports latency. One thread per
 * session. */
#include "util.h"
#include <getopt.h>
#include <stdarg.h>
#include <sys/uio.h>

static const char *host = "127.0.0.1", *upat = "u%03d@bench.test",
		  *from = "sender@example.net", *auth, *label = "";
static int port = 25, lmtp, conc = 1, nusers = 100, ubase, reuse, nrcpt = 1,
	   pipeline;
static long nmsg = 100, size = 4096, next_msg, start_id;
static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
static char *payload;
static size_t paylen;
static char authb64[256];

struct worker {
	pthread_t th;
	double *lat;
	size_t n;
	long ok, err;
	char lasterr[200];
};
struct conn {
	int fd;
	char buf[8192];
	size_t off, len;
};

static int reply(struct conn *c, char *last, size_t lastsz)
{ /* -> code or -1 */
	for (;;) {
		char *s = c->buf + c->off,
		     *e = memchr(s, '\n', c->len - c->off);
		if (!e) {
			memmove(c->buf, s, c->len - c->off);
			c->len -= c->off;
			c->off = 0;
			ssize_t r = c->len < sizeof c->buf
					    ? read(c->fd, c->buf + c->len,
						   sizeof c->buf - c->len)
					    : -1;
			if (r <= 0)
				return -1;
			c->len += r;
			continue;
		}
		c->off += e - s + 1;
		if (e - s >= 4 && s[3] == '-')
			continue;
		if (last)
			snprintf(last, lastsz, "%.*s", (int)(e - s), s);
		return atoi(s);
	}
}
static int put(int fd, const void *p, size_t n)
{
	const char *s = p;
	while (n) {
		ssize_t r = write(fd, s, n);
		if (r <= 0)
			return -1;
		s += r;
		n -= r;
	}
	return 0;
}
static int say(struct conn *c, char *e, size_t en, int want, const char *fmt,
	       ...)
{
	char b[1024];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(b, sizeof b, fmt, ap);
	va_end(ap);
	if (put(c->fd, b, n))
		return -1;
	int r = reply(c, e, en);
	return r / 100 == want ? 0 : -1;
}
static void quit(struct conn *c)
{
	if (c->fd < 0)
		return;
	say(c, NULL, 0, 2, "QUIT\r\n");
	close(c->fd);
	c->fd = -1;
}
static int send_one(struct conn *c, long id, struct worker *w)
{
	char *e = w->lasterr, rc[128];
	const size_t en = sizeof w->lasterr;
	double t0 = now();
	if (c->fd < 0) {
		c->off = c->len = 0;
		if ((c->fd = dial(host, port)) < 0) {
			snprintf(e, en, "connect: %s", strerror(errno));
			return -1;
		}
		if (reply(c, e, en) != 220)
			return -1;
		if (say(c, e, en, 2,
			lmtp ? "LHLO client.example.net\r\n"
			     : "EHLO client.example.net\r\n"))
			return -1;
		if (auth && say(c, e, en, 2, "AUTH PLAIN %s\r\n", authb64))
			return -1;
	}
	if (pipeline) {
		char b[8192];
		int n = snprintf(b, sizeof b, "MAIL FROM:<%s>\r\n", from);
		for (int i = 0; i < nrcpt; i++) {
			snprintf(rc, sizeof rc, upat,
				 (int)(ubase + (id * nrcpt + i) % nusers));
			n += snprintf(b + n, sizeof b - n, "RCPT TO:<%s>\r\n",
				      rc);
		}
		n += snprintf(b + n, sizeof b - n, "DATA\r\n");
		if (put(c->fd, b, n))
			return -1;
		for (int i = 0; i < nrcpt + 1; i++)
			if (reply(c, e, en) / 100 != 2)
				return -1;
		if (reply(c, e, en) != 354)
			return -1;
	} else {
		if (say(c, e, en, 2, "MAIL FROM:<%s>\r\n", from))
			return -1;
		for (int i = 0; i < nrcpt; i++) {
			snprintf(rc, sizeof rc, upat,
				 (int)(ubase + (id * nrcpt + i) % nusers));
			if (say(c, e, en, 2, "RCPT TO:<%s>\r\n", rc))
				return -1;
		}
		if (say(c, e, en, 3, "DATA\r\n"))
			return -1;
	}
	char hdr[512];
	int h = snprintf(
		hdr, sizeof hdr,
		"From: Sender <%s>\r\nTo: <%s>\r\nSubject: benchmark message "
		"%ld\r\nMessage-ID: <%ld.%ld@client.example.net>\r\n"
		"Date: Mon, 23 Nov 2026 05:15:11 +0000\r\n\r\n",
		from, rc, id, start_id, id);
	struct iovec v[2] = { { hdr, h }, { payload, paylen } };
	ssize_t r = writev(c->fd, v, 2);
	if (r < 0)
		return -1;
	if (r < h) {
		if (put(c->fd, hdr + r, h - r))
			return -1;
		r = h;
	}
	if (put(c->fd, payload + (r - h), paylen - (r - h)))
		return -1;
	for (int i = 0; i < (lmtp ? nrcpt : 1); i++)
		if (reply(c, e, en) / 100 != 2)
			return -1;
	if (!reuse)
		quit(c);
	w->lat[w->n++] = now() - t0;
	w->ok++;
	return 0;
}
static void *work(void *p)
{
	struct worker *w = p;
	struct conn *c = calloc(1, sizeof *c);
	c->fd = -1;
	w->lat = malloc(sizeof(double) * (nmsg + 1));
	for (;;) {
		pthread_mutex_lock(&mu);
		long i = next_msg++;
		pthread_mutex_unlock(&mu);
		if (i >= nmsg)
			break;
		if (send_one(c, i, w)) {
			w->err++;
			if (c->fd >= 0)
				close(c->fd);
			c->fd = -1;
			if (w->err > 20)
				break;
		}
	}
	quit(c);
	free(c);
	return NULL;
}
int main(int argc, char **argv)
{
	int o;
	while ((o = getopt(argc, argv, "H:p:Lc:n:l:u:U:b:f:dr:a:Pk:")) != -1)
		switch (o) {
		case 'H':
			host = optarg;
			break;
		case 'p':
			port = atoi(optarg);
			break;
		case 'L':
			lmtp = 1;
			break;
		case 'c':
			conc = atoi(optarg);
			break;
		case 'n':
			nmsg = atol(optarg);
			break;
		case 'l':
			size = atol(optarg);
			break;
		case 'u':
			upat = optarg;
			break;
		case 'U':
			nusers = atoi(optarg);
			break;
		case 'b':
			ubase = atoi(optarg);
			break;
		case 'f':
			from = optarg;
			break;
		case 'd':
			reuse = 1;
			break;
		case 'r':
			nrcpt = atoi(optarg);
			break;
		case 'a':
			auth = optarg;
			break;
		case 'P':
			pipeline = 1;
			break;
		case 'k':
			label = optarg;
			break;
		default:
			fprintf(stderr,
				"smtpload [-H host|unix:/path] [-p port] [-L "
				"lmtp] [-c sessions] [-n messages] [-l bytes]\n"
				"  [-u rcpt-pattern] [-U mailboxes] [-b first] "
				"[-f from] [-d reuse connection] [-r "
				"rcpts/message]\n"
				"  [-a user:password AUTH PLAIN] [-P pipeline "
				"MAIL/RCPT/DATA] [-k label]\n");
			return 2;
		}
	/* Message-IDs of two runs in one second differ, or the second run's
	 * mails are duplicates */
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	start_id = t.tv_sec * 1000000L + t.tv_nsec / 1000;
	if (auth) { /* base64 of \0user\0password */
		unsigned char raw[192];
		size_t n = strlen(auth) + 1;
		raw[0] = 0;
		memcpy(raw + 1, auth, n);
		char *colon = strchr((char *)raw + 1, ':');
		if (colon)
			*colon = 0;
		static const char t[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijkl"
					"mnopqrstuvwxyz0123456789+/";
		char *d = authb64;
		for (size_t i = 0; i < n; i += 3) {
			unsigned v = raw[i] << 16 |
				     (i + 1 < n ? raw[i + 1] << 8 : 0) |
				     (i + 2 < n ? raw[i + 2] : 0);
			*d++ = t[v >> 18];
			*d++ = t[v >> 12 & 63];
			*d++ = i + 1 < n ? t[v >> 6 & 63] : '=';
			*d++ = i + 2 < n ? t[v & 63] : '=';
		}
		*d = 0;
	}
	long body =
		size > 300 ? size - 230 : 70; /* headers are about 230 octets */
	payload = malloc(body + 200);
	unsigned x = 12345;
	while ((long)paylen < body) {
		size_t k = body - paylen < 78 ? (size_t)(body - paylen) : 76;
		for (size_t i = 0; i < k; i++) {
			x = x * 1103515245 + 12345;
			payload[paylen++] =
				"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrst"
				"uvwxyz0123456789+/"[x >> 20 & 63];
		}
		payload[paylen++] = '\r';
		payload[paylen++] = '\n';
	}
	memcpy(payload + paylen, ".\r\n", 3);
	paylen += 3;
	struct worker *w = calloc(conc, sizeof *w);
	double t0 = now();
	for (int i = 0; i < conc; i++)
		pthread_create(&w[i].th, NULL, work, &w[i]);
	long ok = 0, err = 0;
	double *all = malloc(sizeof(double) * (nmsg + 1));
	size_t n = 0;
	const char *le = "";
	for (int i = 0; i < conc; i++) {
		pthread_join(w[i].th, NULL);
		ok += w[i].ok;
		err += w[i].err;
		memcpy(all + n, w[i].lat, w[i].n * sizeof(double));
		n += w[i].n;
		if (w[i].err)
			le = w[i].lasterr;
	}
	double wall = now() - t0;
	printf("label=%s c=%d ok=%ld err=%ld wall=%.4f msgs_s=%.2f MB_s=%.2f "
	       "p50_ms=%.3f p99_ms=%.3f\n",
	       label, conc, ok, err, wall, ok / wall,
	       ok * (double)size / wall / 1e6, 1e3 * pct(all, n, .5),
	       1e3 * pct(all, n, .99));
	if (err)
		fprintf(stderr, "smtpload: %ld errors, e.g. %s\n", err, le);
	return err != 0;
}
