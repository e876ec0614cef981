/* pop3d/keeperworkers.c: see keeperworkers.h. */
#include "pop3d/keeperworkers.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/metric.h"

/* First in, first out, by next. */
struct queue {
	struct keeperjob *head, *tail;
	size_t n;
};

/* Where to connect; the last user frees it. refs under the pool's lock. */
struct shared_target {
	struct db_target *t;
	unsigned refs;
};

struct keeperworkers {
	pthread_mutex_t lock;
	pthread_cond_t work;
	struct queue todo, done;
	struct shared_target *target;
	bool stop;
	bool complained;
	int wake;
	size_t n;
	pthread_t thread[];
};

static void queue_put(struct queue *q, struct keeperjob *j)
{
	j->next = NULL;
	if (q->tail)
		q->tail->next = j;
	else
		q->head = j;
	q->tail = j;
	q->n++;
}

static struct keeperjob *queue_take(struct queue *q)
{
	struct keeperjob *j = q->head;

	if (!j)
		return NULL;
	q->head = j->next;
	if (!q->head)
		q->tail = NULL;
	j->next = NULL;
	q->n--;
	return j;
}

static void free_jobs(struct keeperjob *list)
{
	while (list) {
		struct keeperjob *j = list;

		list = j->next;
		keeperjob_free(&j);
	}
}

static struct shared_target *target_share(struct db_target *t)
{
	struct shared_target *s = malloc(sizeof(*s));

	if (s)
		*s = (struct shared_target){ .t = t, .refs = 1 };
	return s;
}

/* With the lock held. */
static void target_drop(struct shared_target *s)
{
	if (!s || --s->refs > 0)
		return;
	db_target_free(&s->t);
	free(s);
}

/* What one thread owns. */
struct worker {
	struct keeperworkers *pool;
	struct shared_target *target;
	struct db *db;
	struct buf scratch;
};

/* With the lock held: the target that new connections go to. NULL: as it is. */
static struct shared_target *target_news(const struct worker *me)
{
	struct shared_target *now = me->pool->target;

	if (me->target == now && me->db)
		return NULL;
	now->refs++;
	return now;
}

/* The old connection goes first: there are never more than workers. */
static void worker_retarget(struct worker *me, struct shared_target *target)
{
	struct shared_target *old = me->target;

	db_free(&me->db);
	me->db = db_new(target->t);
	me->target = target;
	pthread_mutex_lock(&me->pool->lock);
	target_drop(old);
	pthread_mutex_unlock(&me->pool->lock);
}

/* The next job; NULL: stop. */
static struct keeperjob *worker_wait(struct worker *me,
				     struct shared_target **news_r)
{
	struct keeperworkers *w = me->pool;
	struct keeperjob *j = NULL;

	pthread_mutex_lock(&w->lock);
	while (!w->stop && !w->todo.head)
		pthread_cond_wait(&w->work, &w->lock);
	if (!w->stop) {
		j = queue_take(&w->todo);
		metric_set(M_KEEPER_QUEUE, w->todo.n);
		*news_r = target_news(me);
	}
	pthread_mutex_unlock(&w->lock);
	return j;
}

/* One write wakes the loop for all answers it has not taken yet. */
static void worker_answer(struct keeperworkers *w, struct keeperjob *j)
{
	bool first;

	pthread_mutex_lock(&w->lock);
	first = !w->done.head;
	queue_put(&w->done, j);
	pthread_mutex_unlock(&w->lock);
	if (first && eventfd_write(w->wake, 1) != 0)
		log_warn("cannot wake the event loop");
}

static void worker_run(struct worker *me, struct keeperjob *j)
{
	int64_t begun = clock_us();

	if (me->db)
		keeperjob_run(j, me->db, &me->scratch);
	else
		keeperjob_refuse(j, "out of memory");
	j->took = clock_us() - begun;
	worker_answer(me->pool, j);
}

/* The next job may be long in coming, and be another worker's. */
static void worker_mend(struct worker *me)
{
	if (me->db && db_has_former(me->db) && db_connect(me->db) != DB_OK)
		log_debug("what a lost connection holds is left to the "
			  "server: %s",
			  db_why(me->db));
}

static void worker_begin(struct worker *me)
{
	struct shared_target *news;
	bool first;

	pthread_mutex_lock(&me->pool->lock);
	news = target_news(me);
	pthread_mutex_unlock(&me->pool->lock);
	if (news)
		worker_retarget(me, news);
	if (!me->db || db_connect(me->db) == DB_OK)
		return;
	/* once for all of them */
	pthread_mutex_lock(&me->pool->lock);
	first = !me->pool->complained;
	me->pool->complained = true;
	pthread_mutex_unlock(&me->pool->lock);
	if (first)
		log_warn("cannot connect to the database: %s", db_why(me->db));
}

static void worker_end(struct worker *me)
{
	db_free(&me->db);
	buf_release(&me->scratch);
	pthread_mutex_lock(&me->pool->lock);
	target_drop(me->target);
	pthread_mutex_unlock(&me->pool->lock);
}

static void *worker_main(void *arg)
{
	struct worker me = { .pool = arg,
			     .scratch = BUF_INIT(KEEPERJOB_SCRATCH_MAX) };
	struct shared_target *news = NULL;
	struct keeperjob *j;

	worker_begin(&me);
	while ((j = worker_wait(&me, &news)) != NULL) {
		if (news)
			worker_retarget(&me, news);
		worker_run(&me, j);
		worker_mend(&me);
	}
	worker_end(&me);
	return NULL;
}

struct keeperworkers *keeperworkers_start(struct db_target *target, size_t n,
					  int wake)
{
	struct keeperworkers *w =
		calloc(1, sizeof(*w) + n * sizeof(*w->thread));

	if (w)
		w->target = target_share(target);
	if (!w || !w->target) {
		db_target_free(&target);
		free(w);
		return NULL;
	}
	w->wake = wake;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->work, NULL);
	while (w->n < n &&
	       pthread_create(&w->thread[w->n], NULL, worker_main, w) == 0)
		w->n++;
	if (w->n < n)
		keeperworkers_stop(&w);
	return w;
}

void keeperworkers_stop(struct keeperworkers **wp)
{
	struct keeperworkers *w = *wp;

	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	pthread_cond_broadcast(&w->work);
	pthread_mutex_unlock(&w->lock);
	while (w->n > 0)
		(void)pthread_join(w->thread[--w->n], NULL);
	free_jobs(w->todo.head);
	free_jobs(w->done.head);
	target_drop(w->target);
	pthread_cond_destroy(&w->work);
	pthread_mutex_destroy(&w->lock);
	free(w);
	*wp = NULL;
}

void keeperworkers_put(struct keeperworkers *w, struct keeperjob *j)
{
	pthread_mutex_lock(&w->lock);
	queue_put(&w->todo, j);
	metric_set(M_KEEPER_QUEUE, w->todo.n);
	pthread_mutex_unlock(&w->lock);
	/* who wakes finds the lock free */
	pthread_cond_signal(&w->work);
}

struct keeperjob *keeperworkers_take(struct keeperworkers *w)
{
	struct keeperjob *list;

	pthread_mutex_lock(&w->lock);
	list = w->done.head;
	w->done = (struct queue){ NULL, NULL, 0 };
	pthread_mutex_unlock(&w->lock);
	return list;
}

bool keeperworkers_retarget(struct keeperworkers *w, struct db_target *target)
{
	struct shared_target *s = target_share(target);

	if (!s)
		return false;
	pthread_mutex_lock(&w->lock);
	target_drop(w->target);
	w->target = s;
	pthread_mutex_unlock(&w->lock);
	return true;
}
