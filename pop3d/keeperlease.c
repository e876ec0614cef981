/* pop3d/keeperlease.c: see keeperlease.h. */
#include "pop3d/keeperlease.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/siphash.h"
#include "pop3d/keeperloop.h"
#include "sql/readfile.h"

enum {
	RENEW_MS = LEASE_SECONDS * 1000 / 3,
	AGAIN_MS = 3000, /* after a failure */
	MACHINE_ID_MAX = 8192
};

/* A digest: the number itself is not for everybody who reads the database
 * (machine-id(5)). */
static uint64_t digest_of(const char *machine_id)
{
	static const uint8_t key[SIPHASH_KEY_SIZE] = "mailrow lease";
	struct buf id = BUF_INIT(MACHINE_ID_MAX);
	uint64_t digest = 0;

	if (readfile(machine_id, &id, NULL))
		digest = siphash(key, buf_span(&id));
	buf_release(&id);
	return digest;
}

/* Two services on one host have different sockets, so neither takes the other
 * for its dead predecessor; nor do two hosts of one name. */
bool keeperlease_name(const struct conf *c, const char *machine_id,
		      struct lease_owner *o_r)
{
	char host[LEASE_HOLDER_MAX + 1] = "";

	(void)gethostname(host, sizeof(host) - 1);
	(void)snprintf(o_r->holder, sizeof(o_r->holder),
		       "%.80s:%016" PRIx64 ":%.150s", host,
		       digest_of(machine_id), c->pop3_control_socket);
	return getrandom(o_r->keeper, sizeof(o_r->keeper), 0) ==
	       (ssize_t)sizeof(o_r->keeper);
}

static bool has_work(const struct keeperloop *k)
{
	const struct keeperlease *l = &k->lease;

	return !l->busy && !k->stop_by &&
	       (l->held > 0 || (k->conf->pop3_exclusive && !l->inherited));
}

static bool has_debt(const struct keeperloop *k)
{
	const struct keeperlease_debts *d = &k->lease.debts;

	return d->n > 0 && !d->paying && !k->stop_by;
}

int64_t keeperlease_wait(const struct keeperloop *k, int64_t now)
{
	int64_t due = INT64_MAX;

	if (has_work(k))
		due = k->lease.due;
	if (has_debt(k) && k->lease.debts.due < due)
		due = k->lease.debts.due;
	if (due == INT64_MAX)
		return -1;
	return due > now ? due - now : 0;
}

static struct keeperjob *job_new(struct keeperloop *k, enum keeperjob_kind kind)
{
	struct keeperjob *j = keeperjob_new(kind);

	if (j)
		j->owner = &k->lease.owner;
	else
		log_warn("cannot keep the leases of mailboxes: out of memory");
	return j;
}

static bool give_back(struct keeperloop *k, const struct lease *lease)
{
	struct keeperjob *j = job_new(k, KJ_RELEASE);

	if (!j)
		return false;
	j->lease = *lease;
	k->promised++;
	keeperloop_give(k, j);
	return true;
}

static void owe(struct keeperlease_debts *d, const struct lease *lease,
		int64_t until)
{
	if (d->n == KEEPERLEASE_OWED_MAX)
		return;
	if (d->n == 0)
		d->due = clock_ms() + AGAIN_MS;
	d->ring[(d->first + d->n) % KEEPERLEASE_OWED_MAX] =
		(struct keeperlease_debt){ .lease = *lease, .until = until };
	d->n++;
}

static void owe_anew(struct keeperloop *k, const struct lease *lease)
{
	owe(&k->lease.debts, lease, clock_ms() + (int64_t)LEASE_SECONDS * 1000);
}

static void settle_debt(struct keeperlease_debts *d, bool failed)
{
	int64_t now = clock_ms();

	d->paying = false;
	d->due = failed ? now + AGAIN_MS : now;
	if (failed && d->paid.until > now)
		owe(d, &d->paid.lease, d->paid.until);
}

/* One at a time: while the database is down the others wait behind it. */
static void pay(struct keeperloop *k, int64_t now)
{
	struct keeperlease_debts *d = &k->lease.debts;

	d->paid = d->ring[d->first];
	d->first = (d->first + 1) % KEEPERLEASE_OWED_MAX;
	d->n--;
	if (d->paid.until <= now)
		return;
	d->paying = true;
	if (!give_back(k, &d->paid.lease))
		settle_debt(d, true);
}

static void take_release(struct keeperloop *k, const struct keeperjob *j)
{
	struct keeperlease_debts *d = &k->lease.debts;

	if (d->paying && d->paid.lease.claim == j->lease.claim)
		settle_debt(d, j->failed);
	else if (j->failed)
		owe_anew(k, &j->lease);
}

static int by_mailbox(const void *a, const void *b)
{
	const struct keeperjob_renewal *x = a, *y = b;

	return (x->lease.mailbox_id > y->lease.mailbox_id) -
	       (x->lease.mailbox_id < y->lease.mailbox_id);
}

static void gather(const struct keeperloop *k, struct keeperjob_renew *r)
{
	for (uint32_t i = 0; i < k->nslot && r->n < k->lease.held; i++) {
		const struct channel *c = k->slot[i].channel;

		if (c && c->lease.fence)
			r->one[r->n++] =
				(struct keeperjob_renewal){ .key = c->key,
							    .lease = c->lease };
	}
	qsort(r->one, r->n, sizeof(*r->one), by_mailbox);
}

static struct keeperjob *make_renewal(struct keeperloop *k)
{
	struct keeperjob *j = job_new(k, KJ_RENEW);

	if (!j)
		return NULL;
	j->u.renew.one = calloc(k->lease.held, sizeof(*j->u.renew.one));
	if (!j->u.renew.one) {
		keeperjob_free(&j);
		return NULL;
	}
	gather(k, &j->u.renew);
	return j;
}

static void renew_or_inherit(struct keeperloop *k, int64_t now)
{
	struct keeperlease *l = &k->lease;
	struct keeperjob *j;

	l->due = now + AGAIN_MS;
	if (k->conf->pop3_exclusive && !l->inherited)
		j = job_new(k, KJ_INHERIT);
	else
		j = make_renewal(k);
	if (!j)
		return;
	l->busy = true;
	keeperloop_give(k, j);
}

void keeperlease_tick(struct keeperloop *k, int64_t now)
{
	if (has_debt(k) && k->lease.debts.due <= now)
		pay(k, now);
	if (has_work(k) && k->lease.due <= now)
		renew_or_inherit(k, now);
}

/* Whose QUIT is under way is told by its own transaction. */
static void take_losses(struct keeperloop *k, const struct keeperjob_renew *r)
{
	for (size_t i = 0; i < r->n; i++) {
		struct channel *c = keeperloop_find(k, r->one[i].key);

		if (!c || r->one[i].lease.fence || !c->lease.fence || c->moving)
			continue;
		log_warn("session=<%016" PRIx64 ">: another session has taken "
			 "over its mailbox: mailbox_id=%" PRIu64,
			 c->s.told.id, c->lease.mailbox_id);
		channel_stop(k, c, CHAN_END_TAKEN);
	}
}

void keeperlease_answered(struct keeperloop *k, const struct keeperjob *j)
{
	struct keeperlease *l = &k->lease;

	if (j->kind == KJ_RELEASE) {
		take_release(k, j);
		return;
	}
	l->busy = false;
	if (j->failed)
		return;
	if (j->kind == KJ_INHERIT) {
		l->inherited = true;
		l->due = clock_ms();
	} else {
		l->due = clock_ms() + RENEW_MS;
		take_losses(k, &j->u.renew);
	}
}

static void part_with(struct keeperloop *k, const struct lease *lease)
{
	if (!give_back(k, lease))
		owe_anew(k, lease);
}

/* Without a fence it was another's, or a failure left it in doubt. */
static void settle_open(struct keeperloop *k, struct channel *c,
			const struct keeperjob *j)
{
	if (j->lease.fence == 0 && !j->failed)
		return;
	if (!c || j->failed) {
		part_with(k, &j->lease);
		return;
	}
	k->lease.held++;
	c->lease = j->lease;
}

static void forget(struct keeperloop *k, struct channel *c)
{
	if (c->lease.fence)
		k->lease.held--;
	c->lease.fence = 0;
}

/* A move gives the lease back with what it moved. */
static void settle_move(struct keeperloop *k, struct channel *c,
			const struct keeperjob *j)
{
	if (!c && j->failed)
		part_with(k, &j->lease);
	if (!c)
		return;
	c->moving = false;
	if (!j->failed)
		forget(k, c);
}

void keeperlease_settle(struct keeperloop *k, struct channel *c,
			struct keeperjob *j)
{
	if (j->lease.mailbox_id == 0)
		return;
	if (j->kind == KJ_OPEN)
		settle_open(k, c, j);
	else if (j->kind == KJ_MOVE)
		settle_move(k, c, j);
}

void keeperlease_leave(struct keeperloop *k, struct channel *c)
{
	if (c->lease.fence && !c->moving)
		part_with(k, &c->lease);
	forget(k, c);
}
