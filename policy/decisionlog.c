/* policy/decisionlog.c: see decisionlog.h. */
#include "policy/decisionlog.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/random.h>

#include "lib/clock.h"
#include "lib/fault.h"
#include "lib/log.h"
#include "lib/metric.h"
#include "lib/net.h"

enum {
	BATCH = 200,     /* rows of a transaction */
	GATHER_MS = 250, /* between two */
	RETRY_FIRST_MS = 500,
	RETRY_LAST_MS = 15000,
	START_AGAIN_MS = 1000,
	HOUR_MS = 3600000,
	SHARES = 24, /* of decision_rows, one an hour */
	STACK_OCTETS = 1 << 20
};

struct entry {
	struct entry *next;
	size_t octets;
	struct decision *d;
};

struct list {
	struct entry *first, *last;
	size_t n, octets;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_cond_t changed; /* work, end, thread gone; monotonic clock */

/* All under the lock. */
static struct list queue;
static struct db_target *next_target; /* for the writer to take */
static size_t in_hand;                /* what the writer holds */
static bool running, ending;
static int64_t start_again; /* not before */
static int64_t hour_ends;
static uint64_t this_hour;

static _Atomic bool opened;

static void list_put(struct list *l, struct entry *e)
{
	e->next = NULL;
	if (l->last)
		l->last->next = e;
	else
		l->first = e;
	l->last = e;
	l->n++;
	l->octets += e->octets;
}

static struct entry *list_take(struct list *l)
{
	struct entry *e = l->first;

	l->first = e->next;
	if (!l->first)
		l->last = NULL;
	l->n--;
	l->octets -= e->octets;
	return e;
}

static void entry_free(struct entry *e)
{
	if (e)
		free(e->d);
	free(e);
}

static void list_free(struct list *l)
{
	while (l->first)
		entry_free(list_take(l));
}

static void make_condition(void)
{
	pthread_condattr_t a;

	if (pthread_condattr_init(&a) != 0 ||
	    pthread_condattr_setclock(&a, CLOCK_MONOTONIC) != 0 ||
	    pthread_cond_init(&changed, &a) != 0)
		log_panic("cannot make a condition");
	(void)pthread_condattr_destroy(&a);
}

/* With the lock held. */
static void wait_until(int64_t deadline)
{
	struct timespec t = { .tv_sec = (time_t)(deadline / 1000),
			      .tv_nsec = deadline % 1000 * 1000000 };

	(void)pthread_cond_timedwait(&changed, &lock, &t);
}

/* What the writer works with. */
struct writer {
	struct db_target *target;
	struct db *db;
	struct list batch;
	int64_t retry_ms; /* 0: the last one went through */
};

static void writer_release(struct writer *w)
{
	db_free(&w->db);
	db_target_free(&w->target);
	list_free(&w->batch);
}

/* A new target is another connection. */
static void use_target(struct writer *w, struct db_target *t)
{
	if (!t)
		return;
	db_free(&w->db);
	db_target_free(&w->target);
	w->target = t;
}

/* Between two transactions, so that a trickle does not make one each; longer
 * while they fail. */
static void rest(int64_t ms)
{
	int64_t until = deadline_in(ms);

	while (!ending && deadline_left(until) > 0)
		wait_until(until);
}

/* False: the end. What failed comes again before more is taken. */
static bool take_batch(struct writer *w)
{
	struct db_target *target;
	bool last_try;

	(void)pthread_mutex_lock(&lock);
	rest(w->retry_ms ? w->retry_ms : GATHER_MS);
	while (!ending && queue.n == 0 && w->batch.n == 0)
		(void)pthread_cond_wait(&changed, &lock);
	last_try = ending;
	target = next_target;
	next_target = NULL;
	while (w->batch.n < BATCH && queue.n > 0)
		list_put(&w->batch, list_take(&queue));
	in_hand = w->batch.n;
	(void)pthread_mutex_unlock(&lock);
	use_target(w, target);
	return w->batch.n > 0 && !(last_try && w->retry_ms > 0);
}

static enum db_result write_rows(struct writer *w)
{
	enum db_result r = db_begin(w->db);

	for (const struct entry *e = w->batch.first; e && r == DB_OK;
	     e = e->next)
		r = decision_put(w->db, e->d);
	if (r == DB_OK && FAULT(DECISION_COMMIT)) {
		db_close(w->db);
		r = DB_DOWN;
	}
	return r == DB_OK ? db_commit(w->db, FAULT_DECISION_UNREAD) : r;
}

static void note_failure(struct writer *w, enum db_result r)
{
	if (w->retry_ms == 0)
		log_warn("cannot record decisions: %s: %s", db_result_text(r),
			 w->db ? db_why(w->db) : "");
	w->retry_ms = w->retry_ms ? w->retry_ms * 2 : RETRY_FIRST_MS;
	if (w->retry_ms > RETRY_LAST_MS)
		w->retry_ms = RETRY_LAST_MS;
}

static void note_success(struct writer *w)
{
	if (w->retry_ms)
		log_info("decisions are recorded again");
	w->retry_ms = 0;
	metric_add(M_DECISION_KEPT, w->batch.n);
	list_free(&w->batch);
	(void)pthread_mutex_lock(&lock);
	in_hand = 0;
	(void)pthread_mutex_unlock(&lock);
}

static void write_batch(struct writer *w)
{
	enum db_result r = DB_DOWN;

	if (!w->db)
		w->db = db_new(w->target);
	if (w->db)
		r = write_rows(w);
	if (r == DB_OK) {
		note_success(w);
		return;
	}
	note_failure(w, r);
	if (w->db)
		db_rollback(w->db);
}

static void *write_all(void *arg)
{
	struct writer w = { .db = NULL };

	while (take_batch(&w))
		write_batch(&w);
	(void)pthread_mutex_lock(&lock);
	running = false;
	(void)pthread_cond_broadcast(&changed);
	(void)pthread_mutex_unlock(&lock);
	writer_release(&w);
	return arg;
}

static bool start_thread(void)
{
	pthread_attr_t a;
	pthread_t t;
	bool ok;

	if (pthread_attr_init(&a) != 0)
		return false;
	ok = pthread_attr_setdetachstate(&a, PTHREAD_CREATE_DETACHED) == 0 &&
	     pthread_attr_setstacksize(&a, STACK_OCTETS) == 0 &&
	     pthread_create(&t, &a, write_all, NULL) == 0;
	(void)pthread_attr_destroy(&a);
	return ok;
}

/* With the lock held. A daemon that decides nothing has no such thread. */
static void need_writer(void)
{
	if (running || clock_ms() < start_again)
		return;
	running = start_thread();
	start_again = deadline_in(START_AGAIN_MS);
}

bool decisionlog_open(const struct conf *c, enum program self, struct buf *why)
{
	struct db_target *t = db_target_new(c, self, DB_STORE, why);
	struct db_target *unused;

	if (!t)
		return false;
	(void)pthread_once(&once, make_condition);
	(void)pthread_mutex_lock(&lock);
	unused = next_target;
	next_target = t;
	(void)pthread_mutex_unlock(&lock);
	db_target_free(&unused);
	atomic_store(&opened, true);
	return true;
}

/* A number that begins anywhere and takes all values before it comes again:
 * two decisions of one process never have the same name, those of two
 * processes hardly ever. The factor makes neighbours look different. */
void decisionlog_id(char id_r[DECISIONID_LENGTH + 1])
{
	static _Atomic uint32_t count;
	static _Atomic bool begun;
	uint32_t start = 0;

	if (!atomic_exchange(&begun, true)) {
		if (getrandom(&start, sizeof(start), 0) != sizeof(start))
			start = (uint32_t)clock_us();
		(void)atomic_fetch_add(&count, start);
	}
	decisionid_encode(clock_unix(),
			  (atomic_fetch_add(&count, 1) + 1) * 2654435761U,
			  id_r);
}

/* NULL: no memory. */
static struct entry *entry_new(const struct decision *d)
{
	struct entry *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->d = decision_copy(d, &e->octets);
	if (e->d)
		return e;
	free(e);
	return NULL;
}

/* With the lock held: so that the table does not grow without end between two
 * runs of the purge. */
static bool in_share(const struct conf *c)
{
	if (deadline_left(hour_ends) == 0) {
		hour_ends = deadline_in(HOUR_MS);
		this_hour = 0;
	}
	return this_hour++ < c->decision_rows / SHARES;
}

static bool is_wanted(const struct conf *c, const struct decision *d)
{
	if (d->smtp == 0 && !d->shadow)
		return span_is(span_of(c->decision_log), "all");
	return !span_is(span_of(c->decision_log), "off");
}

/* False: dropped. */
static bool enqueue(const struct conf *c, struct entry *e)
{
	bool ok;

	(void)pthread_mutex_lock(&lock);
	ok = !ending && queue.n < DECISIONLOG_QUEUE &&
	     queue.octets + e->octets <= DECISIONLOG_OCTETS && in_share(c);
	if (ok) {
		list_put(&queue, e);
		need_writer();
		(void)pthread_cond_broadcast(&changed);
	}
	(void)pthread_mutex_unlock(&lock);
	return ok;
}

void decisionlog_note(const struct conf *c, const struct decision *d)
{
	struct decision copy = *d;
	struct entry *e;

	if (!atomic_load(&opened) || !is_wanted(c, d))
		return;
	copy.text[DECISION_NODE] = span_of(net_hostname(c->hostname));
	e = FAULT(DECISION_NOTE) ? NULL : entry_new(&copy);
	if (e && enqueue(c, e))
		return;
	entry_free(e);
	metric_add(M_DECISION_DROPPED, 1);
}

void decisionlog_end(void)
{
	int64_t deadline = deadline_in(DECISIONLOG_END_MS);
	size_t left;

	(void)pthread_once(&once, make_condition);
	(void)pthread_mutex_lock(&lock);
	ending = true;
	(void)pthread_cond_broadcast(&changed);
	while (running && deadline_left(deadline) > 0)
		wait_until(deadline);
	left = queue.n + in_hand;
	(void)pthread_mutex_unlock(&lock);
	if (left == 0)
		return;
	log_warn("%zu decisions were not recorded", left);
	metric_add(M_DECISION_DROPPED, left);
}
