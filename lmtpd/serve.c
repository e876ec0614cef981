/* lmtpd/serve.c: see serve.h. */
#include "lmtpd/serve.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/net.h"
#include "lmtpd/session.h"

enum {
	STACK_OCTETS = 1 << 20,
	PAUSE_MS = 500, /* after a failure that will last */
	LOOK_AGAIN_MS = 1000
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed; /* sessions or stopping; monotonic clock */
static size_t sessions;
static bool stopping;

/* Set before the first thread. */
static int stop_fd = -1;
static struct pollfd watched[SERVE_LISTENERS_MAX + 1];
static size_t nwatched;

struct client {
	unsigned long id;
	int fd;
};

static void session_gone(void)
{
	(void)pthread_mutex_lock(&lock);
	sessions--;
	(void)pthread_cond_broadcast(&changed);
	(void)pthread_mutex_unlock(&lock);
}

static void *session_thread(void *arg)
{
	struct client c = *(struct client *)arg;

	free(arg);
	session_serve(c.id, c.fd, stop_fd);
	session_gone();
	return NULL;
}

static bool start_thread(void *(*run)(void *), void *arg)
{
	pthread_attr_t a;
	pthread_t t;
	bool ok;

	if (pthread_attr_init(&a) != 0)
		return false;
	ok = pthread_attr_setdetachstate(&a, PTHREAD_CREATE_DETACHED) == 0 &&
	     pthread_attr_setstacksize(&a, STACK_OCTETS) == 0 &&
	     pthread_create(&t, &a, run, arg) == 0;
	(void)pthread_attr_destroy(&a);
	return ok;
}

static void session_start(int fd)
{
	static unsigned long last;
	struct client *c = malloc(sizeof(*c));

	(void)pthread_mutex_lock(&lock);
	sessions++;
	(void)pthread_mutex_unlock(&lock);
	if (c)
		*c = (struct client){ .id = ++last, .fd = fd };
	if (c && start_thread(session_thread, c))
		return;
	log_warn("cannot start a session: %s", strerror(ENOMEM));
	free(c);
	(void)close(fd);
	session_gone();
}

static void wait_until(int64_t deadline)
{
	struct timespec t = { .tv_sec = deadline / 1000,
			      .tv_nsec = deadline % 1000 * 1000000 };

	(void)pthread_cond_timedwait(&changed, &lock, &t);
}

static size_t sessions_max(void)
{
	struct settings *s = settings_get();
	size_t n = (size_t)s->conf->lmtp_max_sessions;

	settings_put(&s);
	return n;
}

/* Waits until there is room for one more, which a reload may make too. False:
 * we are stopping. */
static bool wait_for_room(void)
{
	bool go;

	(void)pthread_mutex_lock(&lock);
	while (!stopping && sessions >= sessions_max())
		wait_until(deadline_in(LOOK_AGAIN_MS));
	go = !stopping;
	(void)pthread_mutex_unlock(&lock);
	return go;
}

static void accept_from(int listener)
{
	struct net_peer peer;
	int fd = net_accept(listener, true, &peer);

	if (fd >= 0) {
		net_set_nodelay(fd);
		session_start(fd);
	} else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
		log_warn("cannot accept a connection: %s", strerror(errno));
		(void)poll(watched, 1, PAUSE_MS); /* but not for the stop */
	}
}

/* One listener a turn, so that there is room for what is accepted. */
static void *accept_thread(void *arg)
{
	size_t next = 0;

	while (wait_for_room()) {
		if (poll(watched, nwatched, -1) <= 0 || watched[0].revents)
			continue;
		for (size_t i = 1; i < nwatched; i++) {
			next = next % (nwatched - 1) + 1;
			if (watched[next].revents) {
				accept_from(watched[next].fd);
				break;
			}
		}
	}
	return arg;
}

static bool prepare(void)
{
	pthread_condattr_t a;

	stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return stop_fd >= 0 && pthread_condattr_init(&a) == 0 &&
	       pthread_condattr_setclock(&a, CLOCK_MONOTONIC) == 0 &&
	       pthread_cond_init(&changed, &a) == 0;
}

bool serve_start(const int *listener, size_t n)
{
	if (n > SERVE_LISTENERS_MAX || !prepare())
		return false;
	watched[nwatched++] = (struct pollfd){ stop_fd, POLLIN, 0 };
	for (size_t i = 0; i < n; i++)
		watched[nwatched++] = (struct pollfd){ listener[i], POLLIN, 0 };
	return start_thread(accept_thread, NULL);
}

size_t serve_stop(int64_t ms)
{
	int64_t deadline = deadline_in(ms);
	const uint64_t one = 1;
	size_t left;

	if (write(stop_fd, &one, sizeof(one)) < 0)
		log_warn("cannot wake the sessions: %s", strerror(errno));
	(void)pthread_mutex_lock(&lock);
	stopping = true;
	(void)pthread_cond_broadcast(&changed);
	while (sessions > 0 && deadline_left(deadline) > 0)
		wait_until(deadline);
	left = sessions;
	(void)pthread_mutex_unlock(&lock);
	return left;
}
