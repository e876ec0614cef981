/* policy/notice.c: see notice.h. What is to be told waits in a queue of bounded
 * length; what does not fit is lost, and so is what waits when the process
 * ends: it is told at most once. */
#include "policy/notice.h"

#include <pthread.h>

#include "lib/clock.h"
#include "lib/esc.h"
#include "lib/log.h"
#include "policy/notice_hook.h"
#include "policy/notice_mail.h"
#include "policy/settings.h"

enum { QUEUE_MAX = 64, DATABASE_MS = 30000 };

struct waiting {
	struct notice notice;
	bool ask; /* whether it is told already */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t come = PTHREAD_COND_INITIALIZER;
static struct waiting queue[QUEUE_MAX];
static size_t first, n;
static bool lost;    /* since something was taken out */
static bool running; /* set once, before there is anything to tell */

static void put(const struct waiting *w)
{
	bool tell = false;

	if (!running)
		return;
	(void)pthread_mutex_lock(&lock);
	if (n < QUEUE_MAX) {
		queue[(first + n++) % QUEUE_MAX] = *w;
		(void)pthread_cond_signal(&come);
	} else {
		tell = !lost;
		lost = true;
	}
	(void)pthread_mutex_unlock(&lock);
	if (tell)
		log_warn("too many limits are reached at once: their owners "
			 "are not told");
}

static void take(struct waiting *w_r)
{
	(void)pthread_mutex_lock(&lock);
	while (n == 0)
		(void)pthread_cond_wait(&come, &lock);
	*w_r = queue[first];
	first = (first + 1) % QUEUE_MAX;
	n--;
	lost = false;
	(void)pthread_mutex_unlock(&lock);
}

static void fill(struct waiting *w_r, const struct usage_key *k,
		 const struct limit_amount *most, bool full)
{
	struct span subject = span_head(k->subject, ADDR_MAX);

	memset(w_r, 0, sizeof(*w_r));
	memcpy(w_r->notice.subject, subject.p, subject.n);
	w_r->notice.direction = k->direction;
	w_r->notice.seconds = k->seconds;
	w_r->notice.most = *most;
	w_r->notice.full = full;
}

void notice_charged(const struct charges *c)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct usage_charge *u = &c->v[i].usage;
		struct waiting w;

		if (!u->told_r || u->always)
			continue;
		fill(&w, &u->key, &u->most, u->told_r & LIMIT_NOTICED_FULL);
		put(&w);
	}
}

void notice_refused(const struct limits_line *line)
{
	const struct usage_key k = { span_of(line->subject),
				     line->row.direction, line->row.seconds };
	struct limit_amount most = limit_most(&line->row);
	struct waiting w;

	if (line->shadow || line->usage.noticed & LIMIT_NOTICED_FULL)
		return;
	fill(&w, &k, &most, true);
	w.ask = true;
	put(&w);
}

static void take_usage(void *arg, const struct usage_row *r)
{
	struct notice *t = arg;

	if (r->key.seconds != t->seconds ||
	    !span_eq(r->key.subject, span_of(t->subject)))
		return;
	t->used = r->usage.used;
	t->ends_at = r->usage.started_at + (int64_t)t->seconds;
}

static enum db_result look(struct db *db, struct waiting *w, bool *tell_r)
{
	const struct usage_key k = { span_of(w->notice.subject),
				     w->notice.direction, w->notice.seconds };
	enum db_result r = DB_OK;

	*tell_r = true;
	if (w->ask)
		r = usage_notice(db, &k, LIMIT_NOTICED_FULL, tell_r);
	if (r == DB_OK && *tell_r)
		r = usage_read(db, k.direction, k.subject, SPAN_EMPTY,
			       take_usage, &w->notice);
	return r;
}

/* False: there is nothing to tell, or it cannot be known. */
static bool is_to_tell(const struct settings *s, struct waiting *w)
{
	struct db *db = pool_get(s->deliver, deadline_in(DATABASE_MS));
	struct esc_text subject;
	bool tell = false;

	(void)esc_text(&subject, span_of(w->notice.subject));
	if (!db || look(db, w, &tell) != DB_OK)
		log_warn("cannot tell of the limit of %s: %s", subject.s,
			 db ? db_why(db) : "no free database connection");
	if (db)
		pool_put(s->deliver, &db);
	return tell;
}

static void tell(struct settings *s, struct waiting *w)
{
	if (s->conf->limit_notice == 0 || !is_to_tell(s, w))
		return;
	notice_mail(s, &w->notice);
	if (s->conf->notify_command[0])
		notice_hook(s->conf->notify_command, &w->notice);
}

static void *run(void *arg)
{
	(void)arg;
	for (;;) {
		struct settings *s;
		struct waiting w;

		take(&w);
		s = settings_get();
		tell(s, &w);
		settings_put(&s);
	}
	return NULL;
}

bool notice_start(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, run, NULL) != 0)
		return false;
	(void)pthread_detach(thread);
	running = true;
	return true;
}
