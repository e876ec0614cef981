#include "auth/attackersync.h"

#include "lib/array.h"
#include "lib/clock.h"
#include "lib/fault.h"
#include "lib/log.h"

enum { EXPIRE_EVERY = 12 };

struct attackersync *attackersync_new(const struct attackers *t)
{
	struct attackersync *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->job.kind = JOB_ATTACKERS;
	s->hasher = t;
	s->since = (struct attacker_since)ATTACKER_FROM_THE_START;
	return s;
}

void attackersync_free(struct attackersync **s)
{
	if (*s) {
		free((*s)->row);
		free((*s)->usual);
	}
	free(*s);
	*s = NULL;
}

void attackersync_fill(struct attackersync *s, struct attackers *t)
{
	s->told = false;
	s->nchanges =
		attackers_take(t, s->change, ATTACKERSYNC_CHANGES, clock_ms());
}

void attackersync_take(struct attackersync *s, struct attackers *t)
{
	const int64_t now = clock_ms();

	for (size_t i = 0; !s->told && i < s->nchanges; i++)
		attackers_untold(t, &s->change[i]);
	for (size_t i = 0; i < s->nrows; i++)
		attackers_merge(t, &s->row[i], now);
	for (size_t i = 0; i < s->nusual; i++)
		attackers_usual(t, s->usual[i], now);
	free(s->usual);
	s->usual = NULL;
	s->nrows = s->nusual = s->nchanges = 0;
}

static enum db_result write_changes(const struct attackersync *s, struct db *db)
{
	enum db_result r = db_begin(db);

	for (size_t i = 0; i < s->nchanges && r == DB_OK; i++) {
		const struct attackers_change *c = &s->change[i];

		r = attacker_put(
			db,
			&(struct attacker_put){
				.who = span_of(c->who),
				.delta = c->delta,
				.level = c->level,
				.refused = (uint64_t)(c->refused + 999) / 1000,
			});
	}
	if (r == DB_OK && FAULT(ATTACKERS_COMMIT)) {
		db_close(db);
		r = DB_DOWN;
	}
	if (r == DB_OK)
		r = db_commit(db, FAULT_ATTACKERS_UNREAD);
	if (r != DB_OK)
		db_rollback(db);
	return r;
}

static int64_t between_ms(uint64_t later, uint64_t earlier)
{
	return ((int64_t)later - (int64_t)earlier) * 1000;
}

static bool row_take(void *arg, const struct attacker_row *r)
{
	struct attackersync *s = arg;
	struct attackers_row *row, *all;

	if (r->who.n > ADDR_MAX || s->nrows == ATTACKERS_MAX)
		return s->nrows < ATTACKERS_MAX;
	all = array_grow(s->row, s->nrows, &s->row_size, sizeof(*row));
	if (!all)
		return false;
	s->row = all;
	row = &s->row[s->nrows++];
	memset(row, 0, sizeof(*row));
	memcpy(row->who, r->who.p, r->who.n);
	row->weight = (uint32_t)r->weight;
	row->level = (uint32_t)r->level;
	row->refused = between_ms(r->refused_until, r->now);
	row->age = between_ms(r->now, r->changed_at);
	row->blocked = r->blocked;
	return true;
}

static bool usual_take(void *arg, struct span account, struct span network)
{
	struct attackersync *s = arg;
	struct attackers_try a = { .account = account, .has_rip = true };
	struct network net;

	if (s->nusual == ATTACKERS_USUAL_MAX)
		return false;
	if (network_parse(network, &net)) {
		a.rip = net.base;
		s->usual[s->nusual++] = attackers_usual_hash(s->hasher, &a);
	}
	return true;
}

static enum db_result read_usual(struct attackersync *s, struct db *db)
{
	s->nusual = 0;
	if (!s->usual)
		s->usual = calloc(ATTACKERS_USUAL_MAX, sizeof(*s->usual));
	return s->usual ? attacker_usual(db, usual_take, s) : DB_OK;
}

static enum db_result sync_steps(struct attackersync *s, struct db *db)
{
	enum db_result r = DB_OK;

	if (s->nchanges > 0)
		r = write_changes(s, db);
	s->told = r == DB_OK;
	if (r == DB_OK && !s->once)
		r = read_usual(s, db);
	if (r == DB_OK)
		r = attacker_read(db, &s->since, row_take, s);
	s->once = s->once || r == DB_OK;
	if (r == DB_OK && s->rounds++ % EXPIRE_EVERY == 0)
		r = attacker_expire(db);
	return r;
}

/* A node that meets another's transaction tries again the next time. */
void attackersync_run(struct attackersync *s, struct db *db)
{
	enum db_result r = sync_steps(s, db);

	if (r != DB_OK && r != DB_RETRY && !s->failing)
		log_warn("cannot share the memory of failed logins: %s: %s",
			 db_result_text(r), db_why(db));
	s->failing = r != DB_OK && r != DB_RETRY;
}
