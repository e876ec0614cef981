#include "auth/workers.h"

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/metric.h"
#include "auth/attackersync.h"
#include "auth/check.h"
#include "auth/lastlogin.h"

struct workers {
	pthread_mutex_t lock;
	pthread_cond_t work;      /* something is queued, or stop */
	pthread_cond_t ended;     /* a thread has ended */
	struct job *first, *last; /* queued */
	size_t queued;
	struct job *done;
	struct settings *settings;
	struct check_shared shared;
	bool stopping;
	int event_fd;
	size_t alive;
	size_t n;
	pthread_t thread[];
};

/* What one thread has. */
struct worker {
	struct workers *all;
	struct settings *settings; /* NULL: nothing made of them yet */
	struct checker checker;
};

static void worker_drop_settings(struct worker *w)
{
	if (!w->settings)
		return;
	checker_release(&w->checker);
	settings_unref(&w->settings);
}

/* False: no memory. s is a reference for w to keep. */
static bool worker_adopt(struct worker *w, struct settings *s)
{
	if (w->settings == s) {
		settings_unref(&s);
		return true;
	}
	worker_drop_settings(w);
	w->settings = s;
	if (checker_init(&w->checker, s, &w->all->shared))
		return true;
	worker_drop_settings(w);
	return false;
}

static void worker_write_last_logins(struct worker *w,
				     struct lastlogin_batch *b)
{
	lastlogin_write(w->checker.store, b, w->settings->conf->login_history);
}

static void worker_sync(struct worker *w, struct attackersync *s)
{
	attackersync_run(s, w->checker.store);
}

static void worker_check(struct worker *w, struct attempt *a)
{
	int64_t begun = clock_us();

	if (deadline_left(a->deadline) == 0) {
		attempt_set(a, VERDICT_TEMP, "timeout");
		return;
	}
	if (a->mech.name == MECH_STATE) {
		check_state(&w->checker, w->settings, a);
		return;
	}
	check_attempt(&w->checker, w->settings, a);
	metric_add_time(M_CHECK_SECONDS, begun);
}

static void worker_run(struct worker *w, struct job *j, bool ready)
{
	switch (j->kind) {
	case JOB_CHECK:
		if (ready)
			worker_check(w, (struct attempt *)j);
		else
			attempt_set((struct attempt *)j, VERDICT_TEMP,
				    "no-memory");
		break;
	case JOB_LASTLOGIN:
		if (ready)
			worker_write_last_logins(w,
						 (struct lastlogin_batch *)j);
		break;
	case JOB_ATTACKERS:
		if (ready)
			worker_sync(w, (struct attackersync *)j);
		break;
	}
}

/* The next job, and a reference of the settings for it; NULL at the end. */
static struct job *queue_take(struct workers *all, struct settings **s_r)
{
	struct job *j;

	pthread_mutex_lock(&all->lock);
	while (!all->first && !all->stopping)
		pthread_cond_wait(&all->work, &all->lock);
	j = all->first;
	if (j) {
		all->first = j->next;
		if (!all->first)
			all->last = NULL;
		all->queued--;
		*s_r = settings_ref(all->settings);
	}
	pthread_mutex_unlock(&all->lock);
	return j;
}

static void done_put(struct workers *all, struct job *j)
{
	const uint64_t one = 1;

	pthread_mutex_lock(&all->lock);
	j->next = all->done;
	all->done = j;
	pthread_mutex_unlock(&all->lock);
	/* EAGAIN: it is raised to the brim already */
	if (write(all->event_fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
		log_warn("cannot wake the loop: %s", strerror(errno));
}

static void *worker_main(void *arg)
{
	struct worker w = { .all = arg };
	struct settings *s = NULL;
	struct job *j;

	while ((j = queue_take(w.all, &s)) != NULL) {
		bool ready = worker_adopt(&w, s);

		worker_run(&w, j, ready);
		done_put(w.all, j);
		if (ready)
			check_afterwards(&w.checker, w.settings);
	}
	worker_drop_settings(&w);
	pthread_mutex_lock(&w.all->lock);
	w.all->alive--;
	pthread_cond_signal(&w.all->ended);
	pthread_mutex_unlock(&w.all->lock);
	return NULL;
}

static bool conditions_init(struct workers *w)
{
	pthread_condattr_t monotonic;
	bool ok;

	if (pthread_mutex_init(&w->lock, NULL) != 0 ||
	    pthread_condattr_init(&monotonic) != 0)
		return false;
	ok = pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0 &&
	     pthread_cond_init(&w->work, NULL) == 0 &&
	     pthread_cond_init(&w->ended, &monotonic) == 0;
	(void)pthread_condattr_destroy(&monotonic);
	return ok;
}

struct workers *workers_start(size_t n, struct settings *s, int event_fd)
{
	struct workers *w = calloc(1, sizeof(*w) + n * sizeof(w->thread[0]));
	struct job *none;

	if (!w || !conditions_init(w)) {
		free(w);
		return NULL;
	}
	w->shared.memory = memory_new();
	if (!w->shared.memory) {
		free(w);
		return NULL;
	}
	w->settings = settings_ref(s);
	w->event_fd = event_fd;
	for (w->n = 0; w->n < n; w->n++) {
		w->alive++;
		if (pthread_create(&w->thread[w->n], NULL, worker_main, w) != 0)
			break;
	}
	if (w->n == n)
		return w;
	w->alive--;
	/* nothing was queued, so they end at once */
	if (!workers_stop(&w, deadline_in(5000), &none))
		log_panic("idle workers do not end");
	return NULL;
}

void workers_set_settings(struct workers *w, struct settings *s)
{
	struct settings *old;

	pthread_mutex_lock(&w->lock);
	old = w->settings;
	w->settings = settings_ref(s);
	pthread_mutex_unlock(&w->lock);
	settings_unref(&old);
}

bool workers_submit(struct workers *w, struct job *j)
{
	bool room;

	j->next = NULL;
	pthread_mutex_lock(&w->lock);
	room = w->queued < WORKERS_QUEUE_MAX;
	if (room) {
		if (w->last)
			w->last->next = j;
		else
			w->first = j;
		w->last = j;
		w->queued++;
		pthread_cond_signal(&w->work);
	}
	pthread_mutex_unlock(&w->lock);
	return room;
}

struct job *workers_take(struct workers *w)
{
	struct job *j;

	pthread_mutex_lock(&w->lock);
	j = w->done;
	w->done = NULL;
	pthread_mutex_unlock(&w->lock);
	return j;
}

/* With the lock held. */
static bool wait_ended(struct workers *w, int64_t deadline)
{
	const struct timespec t = { .tv_sec = deadline / 1000,
				    .tv_nsec = (deadline % 1000) * 1000000 };

	while (w->alive)
		if (pthread_cond_timedwait(&w->ended, &w->lock, &t) != 0)
			break;
	return w->alive == 0;
}

bool workers_stop(struct workers **w, int64_t deadline, struct job **done_r)
{
	struct workers *old = *w;
	bool all;

	pthread_mutex_lock(&old->lock);
	old->stopping = true;
	pthread_cond_broadcast(&old->work);
	all = wait_ended(old, deadline);
	pthread_mutex_unlock(&old->lock);
	if (!all)
		return false;
	for (size_t i = 0; i < old->n; i++)
		(void)pthread_join(old->thread[i], NULL);
	*done_r = old->done;
	settings_unref(&old->settings);
	memory_free(&old->shared.memory);
	(void)pthread_mutex_destroy(&old->lock);
	(void)pthread_cond_destroy(&old->work);
	(void)pthread_cond_destroy(&old->ended);
	free(old);
	*w = NULL;
	return true;
}
