#include "lib/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

/* The unit test puts its own socket here. */
#ifndef LOG_SYSLOG_PATH
#define LOG_SYSLOG_PATH "/dev/log"
#endif

enum { LOG_LINE_MAX = 2048, LOG_IDENT_MAX = 64 };

enum log_way { LOG_TO_STDERR, LOG_TO_SYSLOG, LOG_TO_NOWHERE };

/* The lock is held over calls that do not block only. */
static struct {
	pthread_mutex_t lock;
	enum log_way way;
	int facility;
	int fd;
	unsigned long lost;
	char ident[LOG_IDENT_MAX];
} log_state = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.way = LOG_TO_STDERR,
	.facility = LOG_MAIL,
	.fd = -1,
	.ident = "mailrow",
};

static atomic_bool log_debug_on;

static const struct {
	const char *name;
	int code;
} log_facilities[] = {
	{ "mail", LOG_MAIL },     { "daemon", LOG_DAEMON },
	{ "auth", LOG_AUTH },     { "authpriv", LOG_AUTHPRIV },
	{ "user", LOG_USER },     { "local0", LOG_LOCAL0 },
	{ "local1", LOG_LOCAL1 }, { "local2", LOG_LOCAL2 },
	{ "local3", LOG_LOCAL3 }, { "local4", LOG_LOCAL4 },
	{ "local5", LOG_LOCAL5 }, { "local6", LOG_LOCAL6 },
	{ "local7", LOG_LOCAL7 },
};

static int log_find_facility(const char *name)
{
	for (size_t i = 0; i < sizeof(log_facilities) / sizeof(*log_facilities);
	     i++)
		if (strcmp(log_facilities[i].name, name) == 0)
			return log_facilities[i].code;
	return -1;
}

/* With the lock held. */
static bool syslog_connect(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	if (log_state.fd >= 0)
		close(log_state.fd);
	log_state.fd =
		socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (log_state.fd < 0)
		return false;
	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s", LOG_SYSLOG_PATH);
	if (connect(log_state.fd, (struct sockaddr *)&a, sizeof(a)) == 0)
		return true;
	close(log_state.fd);
	log_state.fd = -1;
	return false;
}

/* With the lock held. A restarted syslog daemon has a new socket: a send that
 * fails for another reason than a full queue is tried on a new connection. */
static bool syslog_send(const char *p, size_t n)
{
	if (log_state.fd >= 0) {
		if (send(log_state.fd, p, n, MSG_NOSIGNAL) == (ssize_t)n)
			return true;
		if (errno == EAGAIN || errno == ENOBUFS)
			return false;
	}
	return syslog_connect() &&
	       send(log_state.fd, p, n, MSG_NOSIGNAL) == (ssize_t)n;
}

/* "Jan  2 03:04:05 ", whatever the locale. */
static size_t log_put_time(char *p, size_t size)
{
	static const char month[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t now = time(NULL);
	struct tm tm;
	int n;

	if (!localtime_r(&now, &tm))
		return 0;
	n = snprintf(p, size, "%.3s %2d %02d:%02d:%02d ",
		     month + 3 * (tm.tm_mon % 12), tm.tm_mday, tm.tm_hour,
		     tm.tm_min, tm.tm_sec);
	return n > 0 ? (size_t)n : 0;
}

/* With the lock held. Returns the length of the whole line, cut to fit, with
 * room for a newline behind it. */
static size_t log_put_line(char *line, int priority, const char *text)
{
	size_t n = 0;
	int more;

	if (log_state.way == LOG_TO_SYSLOG)
		n = (size_t)snprintf(line, LOG_LINE_MAX, "<%d>",
				     log_state.facility | priority);
	n += log_put_time(line + n, LOG_LINE_MAX - n);
	more = snprintf(line + n, LOG_LINE_MAX - n, "%s[%ld]: %s",
			log_state.ident, (long)getpid(), text);
	if (more < 0)
		return n;
	n += (size_t)more;
	if (n > LOG_LINE_MAX - 2) {
		n = LOG_LINE_MAX - 2;
		memcpy(line + n - 3, "...", 3);
	}
	return n;
}

static void log_clean(char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)p[i] < 0x20 || p[i] == 0x7f)
			p[i] = '?';
}

static void log_write_stderr(char *line, size_t n)
{
	line[n] = '\n';
	/* nobody is left to be told of a failure */
	if (write(STDERR_FILENO, line, n + 1) < 0)
		return;
}

/* With the lock held: first what was lost, then the line. */
static bool log_to_syslog(const char *line, size_t n)
{
	char lost[LOG_LINE_MAX], text[64];
	size_t m;

	if (log_state.lost) {
		(void)snprintf(text, sizeof(text),
			       "warning: %lu log lines were lost",
			       log_state.lost);
		m = log_put_line(lost, LOG_WARNING, text);
		if (!syslog_send(lost, m)) {
			log_state.lost++;
			return false;
		}
		log_state.lost = 0;
	}
	if (syslog_send(line, n))
		return true;
	log_state.lost++;
	return false;
}

/* False: syslog did not take it. */
static bool log_emit(int priority, const char *text, bool also_stderr)
{
	char line[LOG_LINE_MAX];
	bool taken = true;
	enum log_way way;
	size_t n;

	pthread_mutex_lock(&log_state.lock);
	way = log_state.way;
	n = log_put_line(line, priority, text);
	log_clean(line, n);
	if (way == LOG_TO_SYSLOG)
		taken = log_to_syslog(line, n);
	pthread_mutex_unlock(&log_state.lock);
	if (way == LOG_TO_STDERR || (!taken && also_stderr))
		log_write_stderr(line, n);
	return taken;
}

static void log_vput(int priority, const char *verb, const char *fmt,
		     va_list ap) __attribute__((format(printf, 3, 0)));

static void log_vput(int priority, const char *verb, const char *fmt,
		     va_list ap)
{
	char text[LOG_LINE_MAX];
	int saved = errno;
	size_t n;

	n = (size_t)snprintf(text, sizeof(text), "%s", verb);
	(void)vsnprintf(text + n, sizeof(text) - n, fmt, ap);
	(void)log_emit(priority, text, priority <= LOG_CRIT);
	errno = saved;
}

void log_open(const struct conf *c, const char *ident)
{
	int facility = log_find_facility(c->syslog_facility);

	pthread_mutex_lock(&log_state.lock);
	(void)snprintf(log_state.ident, sizeof(log_state.ident), "%s", ident);
	log_state.facility = facility < 0 ? LOG_MAIL : facility;
	log_state.way = strcmp(c->log_to, "stderr") == 0 ? LOG_TO_STDERR
							 : LOG_TO_SYSLOG;
	if (log_state.way == LOG_TO_SYSLOG && log_state.fd < 0)
		(void)syslog_connect();
	pthread_mutex_unlock(&log_state.lock);
	atomic_store(&log_debug_on, c->log_debug);
	if (facility < 0)
		log_warn("unknown syslog_facility '%s': 'mail' is used",
			 c->syslog_facility);
}

void log_off(void)
{
	pthread_mutex_lock(&log_state.lock);
	log_state.way = LOG_TO_NOWHERE;
	if (log_state.fd >= 0)
		close(log_state.fd);
	log_state.fd = -1;
	pthread_mutex_unlock(&log_state.lock);
}

void log_debug(const char *fmt, ...)
{
	va_list ap;

	if (!atomic_load_explicit(&log_debug_on, memory_order_relaxed))
		return;
	va_start(ap, fmt);
	log_vput(LOG_DEBUG, "debug: ", fmt, ap);
	va_end(ap);
}

void log_info(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_vput(LOG_INFO, "", fmt, ap);
	va_end(ap);
}

void log_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_vput(LOG_WARNING, "warning: ", fmt, ap);
	va_end(ap);
}

void log_fatal(int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_vput(LOG_CRIT, "fatal: ", fmt, ap);
	va_end(ap);
	exit(code);
}

void log_panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_vput(LOG_CRIT, "panic: ", fmt, ap);
	va_end(ap);
	abort();
}
