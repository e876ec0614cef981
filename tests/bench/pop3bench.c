/* pop3bench: POP3 load generator with verification. One thread per concurrent
 * session, plaintext or implicit TLS. See usage() for options. */
#include "util.h"
#include <getopt.h>
#include <stdarg.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

enum { M_LOGIN, M_LIST, M_RETR, M_TOP, M_DELE, M_IDLE, M_COUNT };
static const char *mode_name[] = { "login", "list", "retr", "top",
				   "dele",  "idle", "count" };

static const char *host = "127.0.0.1", *upat = "e%03d", *pw = "pw", *label = "";
static int port = 110, quickack, lax, tls, spread, conc = 1, nusers = 1, ubase,
	   mode, pipel = 1;
static long nsess = 100, expect = -1;
static double limit_s;
static SSL_CTX *ctx;
static double deadline;
static long next_sess;
static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;

enum { P_CONN, P_AUTH, P_STAT, P_LIST, P_UIDL, P_BODY, P_QUIT, P_ALL, NPH };
static const char *ph_name[] = {
	"connect+greet", "user+pass", "stat", "list",
	"uidl",          "body",      "quit", "session"
};

struct lat {
	double *v;
	size_t n, cap;
};
static void lat_add(struct lat *l, double d)
{
	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 256;
		l->v = realloc(l->v, l->cap * sizeof *l->v);
	}
	l->v[l->n++] = d;
}
struct worker {
	pthread_t th;
	struct lat ph[NPH];
	long ok, err, msgs;
	uint64_t bytes;
	long stat_total, mismatch;
	char lasterr[200];
};
struct conn {
	int fd;
	SSL *ssl;
	char *buf;
	size_t off, len; /* unread = buf[off..len) */
};
#define BUFSZ (256 * 1024)

static int fill(struct conn *c)
{
	if (c->off == c->len)
		c->off = c->len = 0;
	else if (c->len == BUFSZ) {
		memmove(c->buf, c->buf + c->off, c->len - c->off);
		c->len -= c->off;
		c->off = 0;
		if (c->len == BUFSZ)
			return -1; /* line too long */
	}
	if (quickack) { /* no delayed ACK: hides a server's Nagle stalls */
		int one = 1;
		setsockopt(c->fd, IPPROTO_TCP, TCP_QUICKACK, &one, sizeof one);
	}
	long r = c->ssl ? SSL_read(c->ssl, c->buf + c->len, BUFSZ - c->len)
			: read(c->fd, c->buf + c->len, BUFSZ - c->len);
	if (r <= 0)
		return -1;
	c->len += r;
	return 0;
}
static int put(struct conn *c, const char *s, size_t n)
{
	while (n) {
		long r = c->ssl ? SSL_write(c->ssl, s, n) : write(c->fd, s, n);
		if (r <= 0)
			return -1;
		s += r;
		n -= r;
	}
	return 0;
}
/* next line without its CRLF; NULL on eof */
static char *line(struct conn *c, size_t *n)
{
	size_t scanned = 0;
	for (;;) {
		char *s = c->buf + c->off, *e;
		size_t have = c->len - c->off;
		if (have > scanned &&
		    (e = memchr(s + scanned, '\n', have - scanned))) {
			c->off += e - s + 1;
			size_t k = e - s;
			if (k && s[k - 1] == '\r')
				k--;
			else
				return NULL; /* bare LF is a protocol error */
			s[k] = 0;
			if (n)
				*n = k;
			return s;
		}
		scanned = have;
		if (fill(c))
			return NULL;
	}
}
/* skip a dot-terminated body; returns unstuffed octets or -1 */
static long body(struct conn *c)
{
	long total = 0;
	for (;;) {
		char *s = c->buf + c->off, *end = c->buf + c->len;
		while (s < end) {
			char *e = memchr(s, '\n', end - s);
			if (!e)
				break;
			if (*s == '.') {
				if (e - s == 2 && s[1] == '\r') {
					c->off = e + 1 - c->buf;
					return total;
				}
				if (s[1] != '.')
					return -1;
				total--;
			}
			total += e + 1 - s;
			s = e + 1;
		}
		c->off = s - c->buf;
		if (fill(c))
			return -1;
	}
}
static int okline(struct conn *c, char **out)
{
	char *s = line(c, NULL);
	if (out)
		*out = s;
	return s && !strncmp(s, "+OK", 3) ? 0 : -1;
}
static int cmd(struct conn *c, char **out, const char *fmt, ...)
{
	char b[512];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(b, sizeof b - 2, fmt, ap);
	va_end(ap);
	memcpy(b + n, "\r\n", 2);
	if (put(c, b, n + 2))
		return -1;
	return okline(c, out);
}
static void conn_close(struct conn *c)
{
	if (c->ssl) {
		SSL_free(c->ssl);
		c->ssl = NULL;
	}
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}
#define FAIL(...)                                                              \
	do {                                                                   \
		snprintf(w->lasterr, sizeof w->lasterr, __VA_ARGS__);          \
		goto bad;                                                      \
	} while (0)

static int conn_open(struct conn *c, long idx, struct worker *w)
{
	double t0 = now(), t1;
	char user[128], *s;
	c->off = c->len = 0;
	c->ssl = NULL;
	c->fd = dial_from(host, port,
			  spread ? 0x7f000101 + (uint32_t)(idx % 200) : 0);
	if (c->fd < 0)
		FAIL("connect: %s", strerror(errno));
	if (tls) {
		c->ssl = SSL_new(ctx);
		SSL_set_fd(c->ssl, c->fd);
		if (SSL_connect(c->ssl) != 1)
			FAIL("tls handshake failed");
	}
	if (okline(c, &s))
		FAIL("greeting: %s", s ? s : "eof");
	t1 = now();
	lat_add(&w->ph[P_CONN], t1 - t0);
	snprintf(user, sizeof user, upat, (int)(ubase + idx % nusers));
	if (cmd(c, &s, "USER %s", user))
		FAIL("USER %s: %s", user, s ? s : "eof");
	if (cmd(c, &s, "PASS %s", pw))
		FAIL("PASS (%s): %s", user, s ? s : "eof");
	lat_add(&w->ph[P_AUTH], now() - t1);
	return 0;
bad:
	return -1;
}

static int session(struct conn *c, long idx, struct worker *w)
{
	double t0 = now(), t, t2;
	long n = 0, got;
	unsigned long long size = 0, sum = 0;
	long *sz = NULL;
	char *s;
	if (conn_open(c, idx, w))
		goto bad2;
	t = now();
	if (cmd(c, &s, "STAT") || sscanf(s, "+OK %ld %llu", &n, &size) != 2)
		FAIL("STAT: %s", s ? s : "eof");
	lat_add(&w->ph[P_STAT], (t2 = now()) - t);
	t = t2;
	w->stat_total += n;
	if (expect >= 0 && n != expect)
		FAIL("STAT says %ld messages, %ld expected", n, expect);
	if (mode == M_LIST || mode == M_RETR || mode == M_DELE ||
	    mode == M_TOP) {
		sz = malloc((n + 1) * sizeof *sz);
		if (cmd(c, &s, "LIST"))
			FAIL("LIST: %s", s ? s : "eof");
		for (got = 0;; got++) {
			long num, k;
			if (!(s = line(c, NULL)))
				FAIL("LIST: eof");
			if (s[0] == '.' && !s[1])
				break;
			char *e;
			num = strtol(s, &e, 10);
			k = strtol(e, NULL, 10);
			if (num != got + 1 || got >= n)
				FAIL("LIST: unexpected '%s'", s);
			sz[got] = k;
			sum += k;
		}
		if (got != n || sum != size)
			FAIL("LIST %ld/%llu != STAT %ld/%llu", got, sum, n,
			     size);
		lat_add(&w->ph[P_LIST], (t2 = now()) - t);
		t = t2;
	}
	if (mode == M_LIST || mode == M_DELE) {
		if (cmd(c, &s, "UIDL"))
			FAIL("UIDL: %s", s ? s : "eof");
		for (got = 0;; got++) {
			if (!(s = line(c, NULL)))
				FAIL("UIDL: eof");
			if (s[0] == '.' && !s[1])
				break;
			char *e;
			if (strtol(s, &e, 10) != got + 1 || *e != ' ' || !e[1])
				FAIL("UIDL: unexpected '%s'", s);
		}
		if (got != n)
			FAIL("UIDL %ld != STAT %ld", got, n);
		lat_add(&w->ph[P_UIDL], (t2 = now()) - t);
		t = t2;
	}
	if (mode == M_RETR || mode == M_DELE || mode == M_TOP) {
		long sent = 0;
		for (long i = 0; i < n; i++) {
			if (sent <= i) { /* refill the pipeline window */
				char b[65536];
				size_t k = 0;
				for (; sent < n && sent < i + pipel &&
				       k < sizeof b - 64;
				     sent++)
					k += sprintf(b + k,
						     mode == M_TOP
							     ? "TOP %ld 0\r\n"
							     : "RETR %ld\r\n",
						     sent + 1);
				if (put(c, b, k))
					FAIL("write");
			}
			if (okline(c, &s))
				FAIL("RETR/TOP %ld: %s", i + 1, s ? s : "eof");
			long k = body(c);
			if (k < 0)
				FAIL("RETR %ld: bad body", i + 1);
			if (mode != M_TOP && k != sz[i] && ++w->mismatch &&
			    !lax)
				FAIL("RETR %ld: %ld octets, LIST says %ld",
				     i + 1, k, sz[i]);
			w->msgs++;
			w->bytes += k;
			if (mode == M_DELE && cmd(c, &s, "DELE %ld", i + 1))
				FAIL("DELE: %s", s ? s : "eof");
		}
		lat_add(&w->ph[P_BODY], (t2 = now()) - t);
		t = t2;
	}
	if (cmd(c, &s, "QUIT"))
		FAIL("QUIT: %s", s ? s : "eof");
	t2 = now();
	lat_add(&w->ph[P_QUIT], t2 - t);
	lat_add(&w->ph[P_ALL], t2 - t0);
	conn_close(c);
	free(sz);
	w->ok++;
	return 0;
bad:
bad2:
	conn_close(c);
	free(sz);
	w->err++;
	return -1;
}
static void *work(void *p)
{
	struct worker *w = p;
	struct conn c = { .fd = -1, .buf = malloc(BUFSZ) };
	for (;;) {
		pthread_mutex_lock(&mu);
		long i = next_sess++;
		pthread_mutex_unlock(&mu);
		if (i >= nsess || (limit_s > 0 && now() > deadline))
			break;
		if (session(&c, i, w) && w->err > 20)
			break;
	}
	free(c.buf);
	return NULL;
}
static void usage(void)
{
	fprintf(stderr,
		"pop3bench [-H host] [-p port] [-s] [-u user-pattern] [-U "
		"nusers] [-b first] [-w password]\n"
		"          [-c concurrent] [-n sessions] [-T seconds] [-P "
		"pipeline-window] [-e expected-count]\n"
		"          [-l label] -m login|list|retr|top|dele|idle|count\n"
		"  -Q TCP_QUICKACK (no delayed ACK by the client); -z count "
		"LIST/RETR size mismatches instead of failing\n"
		"  -A come from 200 addresses of 127.0.1.0/24 in turn\n"
		"  -s implicit TLS; the user pattern is printf-like, e.g. "
		"u%%03d; count sums STAT over -U users\n"
		"  idle: opens -n sessions, prints READY, waits for EOF or "
		"newline on stdin\n"
		"  output: one line of key=value; exit 1 if any reply failed "
		"verification\n");
	exit(2);
}
int main(int argc, char **argv)
{
	int o;
	mode = -1;
	while ((o = getopt(argc, argv, "H:p:su:U:b:w:c:n:T:P:e:l:m:QzA")) != -1)
		switch (o) {
		case 'Q':
			quickack = 1;
			break;
		case 'A':
			spread = 1;
			break;
		case 'z':
			lax = 1;
			break;
		case 'H':
			host = optarg;
			break;
		case 'p':
			port = atoi(optarg);
			break;
		case 's':
			tls = 1;
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
		case 'w':
			pw = optarg;
			break;
		case 'c':
			conc = atoi(optarg);
			break;
		case 'n':
			nsess = atol(optarg);
			break;
		case 'T':
			limit_s = atof(optarg);
			break;
		case 'P':
			pipel = atoi(optarg);
			break;
		case 'e':
			expect = atol(optarg);
			break;
		case 'l':
			label = optarg;
			break;
		case 'm':
			for (int i = 0; i < 7; i++)
				if (!strcmp(optarg, mode_name[i]))
					mode = i;
			break;
		default:
			usage();
		}
	if (mode < 0)
		usage();
	if (tls) {
		ctx = SSL_CTX_new(TLS_client_method());
		SSL_CTX_set_session_cache_mode(
			ctx, SSL_SESS_CACHE_OFF); /* full handshakes */
	}
	if (mode == M_COUNT)
		nsess = nusers;
	struct worker *ws = calloc(conc, sizeof *ws);
	double t0 = now();
	deadline = t0 + limit_s;
	if (mode == M_IDLE) {
		struct conn *cs = calloc(nsess, sizeof *cs);
		long good = 0;
		char *shared = malloc(BUFSZ);
		for (long i = 0; i < nsess; i++) {
			cs[i].buf = shared;
			if (!conn_open(&cs[i], i, &ws[0]))
				good++;
			else
				fprintf(stderr, "session %ld: %s\n", i,
					ws[0].lasterr);
		}
		printf("READY sessions=%ld wall=%.3f\n", good, now() - t0);
		fflush(stdout);
		char x;
		if (read(0, &x, 1) < 0) {
		}
		long alive = 0;
		for (long i = 0; i < nsess; i++) {
			char *s;
			if (cs[i].fd >= 0 && !cmd(&cs[i], &s, "QUIT"))
				alive++;
			conn_close(&cs[i]);
		}
		printf("DONE alive=%ld\n", alive);
		return good == nsess && alive == nsess ? 0 : 1;
	}
	for (int i = 0; i < conc; i++)
		pthread_create(&ws[i].th, NULL, work, &ws[i]);
	struct worker all = { 0 };
	for (int i = 0; i < conc; i++) {
		pthread_join(ws[i].th, NULL);
		all.ok += ws[i].ok;
		all.err += ws[i].err;
		all.msgs += ws[i].msgs;
		all.bytes += ws[i].bytes;
		all.mismatch += ws[i].mismatch;
		all.stat_total += ws[i].stat_total;
		if (ws[i].err && !all.lasterr[0])
			strcpy(all.lasterr, ws[i].lasterr);
		for (int k = 0; k < NPH; k++)
			for (size_t j = 0; j < ws[i].ph[k].n; j++)
				lat_add(&all.ph[k], ws[i].ph[k].v[j]);
	}
	double wall = now() - t0;
	if (mode == M_COUNT) {
		printf("%ld\n", all.stat_total);
		if (all.err)
			fprintf(stderr, "%s\n", all.lasterr);
		return all.err != 0;
	}
	printf("label=%s mode=%s c=%d ok=%ld err=%ld wall=%.4f sess_s=%.2f "
	       "msgs_s=%.1f MB_s=%.2f size_mismatch=%ld",
	       label, mode_name[mode], conc, all.ok, all.err, wall,
	       all.ok / wall, all.msgs / wall, all.bytes / wall / 1e6,
	       all.mismatch);
	for (int k = 0; k < NPH; k++)
		if (all.ph[k].n)
			printf(" %s_p50_ms=%.3f %s_p99_ms=%.3f", ph_name[k],
			       1e3 * pct(all.ph[k].v, all.ph[k].n, .5),
			       ph_name[k],
			       1e3 * pct(all.ph[k].v, all.ph[k].n, .99));
	printf("\n");
	if (all.err)
		fprintf(stderr, "pop3bench: %ld errors, e.g. %s\n", all.err,
			all.lasterr);
	return all.err != 0;
}
