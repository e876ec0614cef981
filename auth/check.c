#include "auth/check.h"

#include "lib/clock.h"
#include "lib/esc.h"
#include "lib/fault.h"
#include "lib/log.h"
#include "lib/metric.h"
#include "lib/pwhash.h"
#include "auth/digest.h"
#include "auth/doors.h"
#include "auth/weak.h"

enum { AWAY_MS = 1000 };

bool checker_init(struct checker *c, const struct settings *s,
		  struct check_shared *shared)
{
	memset(c, 0, sizeof(*c));
	buf_init(&c->password, PWHASH_PASSWORD_MAX);
	c->shared = shared;
	c->db = db_new(s->accounts);
	c->store = s->one_server ? c->db : db_new(s->store);
	c->row = calloc(LOGIN_ROWS_MAX, sizeof(*c->row));
	c->app = calloc(1, sizeof(*c->app));
	c->rehash = calloc(1, sizeof(*c->rehash));
	return c->db && c->store && c->row && c->app && c->rehash;
}

void checker_release(struct checker *c)
{
	if (c->store && c->store != c->db)
		db_free(&c->store);
	if (c->db)
		db_free(&c->db);
	free(c->row);
	free(c->app);
	free(c->rehash);
	buf_wipe(&c->password);
	explicit_bzero(c, sizeof(*c));
}

/* One attempt on its way. */
struct checking {
	struct checker *c;
	const struct settings *s;
	struct attempt *a;
	struct addr login;
	struct memory_tag tag, app_tag; /* set if remembers; and app_form */
	bool remembers;
	bool app_form; /* it could be an application password of ours */
	uint8_t app_hash[APPPASS_HASH_SIZE]; /* then its */
	enum fact app;                       /* it is one */
	struct login_row account;            /* of its, without a hash */
	bool account_known;
	size_t n;
	bool more;
};

/* Brackets and source routes are for envelopes, not for names to log in. */
static bool login_parse(struct span user, bool fold, struct addr *login_r)
{
	if (user.n == 0 || user.p[0] == '<' || user.p[0] == '@')
		return false;
	return addr_parse(user, fold, login_r) == ADDR_OK;
}

static enum pwhash_result row_verify(const struct login_row *row,
				     const struct mech *m)
{
	if (digest_applies(m))
		return digest_verify(m, span_of(row->hash));
	metric_add(M_PASSWORD_HASHED, 1);
	return pwhash_verify(span_of(row->hash), buf_span(&m->secret));
}

static void check_take(struct checking *k, const struct login_row *row,
		       uint64_t app)
{
	struct check_result *r = &k->a->result;

	r->user = row->login;
	r->mailbox = row->mailbox;
	r->app_password = app;
	memcpy(r->incarnation, row->incarnation, sizeof(r->incarnation));
}

/* The password is right; closed: why it opens nothing here, or NULL. */
static void check_right(struct checking *k, const struct login_row *row,
			uint64_t app, const char *closed, const char *how)
{
	check_take(k, row, app);
	attempt_set(k->a, closed ? VERDICT_FAILED : VERDICT_OK,
		    closed ? closed : how);
	k->a->result.closed = closed != NULL;
}

static void check_failed_database(struct checking *k, const struct db *db)
{
	attempt_set(k->a, VERDICT_TEMP, "database");
	(void)snprintf(k->a->result.detail, sizeof(k->a->result.detail), "%s",
		       db_why(db));
}

static bool check_keeps(const struct checking *k)
{
	const struct conf *conf = k->s->conf;

	return k->remembers && (conf->auth_memory > 0 || conf->auth_grace > 0);
}

/* An application password of ours has a form of its own, so others cost no
 * question. Whose it is is seen later: the question is the same for all. */
static enum fact find_app(struct checking *k)
{
	enum fact f;

	if (!k->app_form)
		return F_NO;
	FAULT_PASS(AUTH_APP_PASSWORD);
	f = apppass_find(k->c->store, k->app_hash, k->c->app);
	if (f == F_YES && !span_is(addr_span(&k->login), k->c->app->login))
		return F_NO;
	return f;
}

/* The account that it is of. A row of login_query may be another application
 * password's, with doors of its own, or say that the account's own password is
 * to be changed, and where that one is kept elsewhere there is none; so what
 * state_query says counts. Without a row the mailbox has the login's name. */
static enum fact find_account(struct checking *k)
{
	const struct profile *p = k->s->profile;
	const struct login_row *row = &k->c->row[0];
	struct login_look look = { .incarnation = "" };
	enum fact f = k->n > 0 ? F_YES : F_NO;

	k->account.login = k->account.mailbox = k->login;
	if (k->n > 0) {
		k->account = *row;
		explicit_bzero(k->account.hash, sizeof(k->account.hash));
	}
	if (p->query[PQ_STATE].n > 0) {
		f = login_look(k->c->db, p, &k->login, &look);
		k->account.state = look.state;
		memcpy(k->account.incarnation, look.incarnation,
		       sizeof(look.incarnation));
	}
	k->account_known = f == F_YES;
	return f;
}

/* While no row can be read, the memory must say all that both rows say. */
static void remember_app(struct checking *k, const struct login_row *row)
{
	const struct apppass *app = k->c->app;
	struct login_row both = *row;

	if (!check_keeps(k) || (row->networks[0] && app->networks[0]))
		return;
	if (!app->smtp)
		both.state.smtp = LOGIN_CLOSED;
	if (!app->pop3)
		both.state.pop3 = LOGIN_CLOSED;
	if (app->networks[0])
		memcpy(both.networks, app->networks, sizeof(both.networks));
	memory_put(k->c->shared->memory, &k->app_tag, &both, app->id,
		   clock_ms());
}

/* False: it is no application password of this account; one of its name before
 * had it. */
static bool check_app(struct checking *k)
{
	const struct login_row *row = &k->account;
	const struct apppass *app = k->c->app;
	const char *closed;

	if (!k->account_known ||
	    (app->bound && strcmp(app->incarnation, row->incarnation) != 0))
		return false;
	metric_add(M_PASSWORD_APP, 1);
	closed = doors_judge(row, k->a);
	if (!closed)
		closed = doors_judge_app(app, k->a);
	check_right(k, row, app->id, closed, "app-password");
	if (!closed)
		remember_app(k, row);
	return true;
}

static bool check_memory(struct checking *k)
{
	int64_t now = clock_ms(), since = now - k->s->conf->auth_memory;

	if (!k->remembers || k->s->conf->auth_memory == 0)
		return false;
	for (size_t i = 0; i < k->n; i++) {
		const struct login_row *row = &k->c->row[i];

		if (!memory_knows(k->c->shared->memory, &k->tag, row, since,
				  now))
			continue;
		metric_add(M_PASSWORD_REMEMBERED, 1);
		check_right(k, row, 0, doors_judge(row, k->a), "remembered");
		return true;
	}
	return false;
}

/* Not {PLAIN} where it is needed to be. */
static void want_rehash(struct checking *k, const struct login_row *row)
{
	const struct conf *conf = k->s->conf;
	bool plain_wanted = conf->apop || conf->cram_md5;
	struct span hash = span_of(row->hash);

	if (!conf->rehash_on_login || k->s->profile->query[PQ_REHASH].n == 0 ||
	    digest_applies(&k->a->mech) || !weak_hash(hash) ||
	    (plain_wanted && pwhash_plaintext(hash).n > 0))
		return;
	*k->c->rehash = *row;
	buf_put_span(&k->c->password, buf_span(&k->a->mech.secret));
}

static void check_verified(struct checking *k, const struct login_row *row)
{
	const char *closed = doors_judge(row, k->a);

	check_right(k, row, 0, closed, "verified");
	if (closed)
		return;
	if (check_keeps(k))
		memory_put(k->c->shared->memory, &k->tag, row, 0, clock_ms());
	want_rehash(k, row);
}

static void check_cannot(const struct checking *k, enum pwhash_result r)
{
	struct esc_text user;

	log_warn("auth: user=<%s>: a stored password %s: nobody can log in "
		 "with it",
		 esc_text(&user, addr_span(&k->login)),
		 r == PWHASH_COSTLY ? "would cost more than a login may"
				    : "is malformed, or of an unknown scheme");
}

/* Some other password of the account may have been compared. */
static void check_cannot_say(struct checking *k, enum pwhash_result r,
			     bool guess)
{
	attempt_set(k->a, VERDICT_TEMP,
		    r == PWHASH_COSTLY ? "hash-too-costly"
				       : "unknown-hash-scheme");
	k->a->result.guess = guess;
	k->a->result.waits = true;
}

/* A right password that opens the door ends it. Else what counts most: one
 * that cannot be checked is our trouble, not the user's; a right one whose
 * door is closed; a wrong one. The password of a disabled account is verified
 * as well: its answer shall take the same time. */
static void check_hashes(struct checking *k)
{
	struct checker *c = k->c;
	enum pwhash_result cannot = PWHASH_WRONG;
	bool right = false, wrong = false;

	for (size_t i = 0; i < k->n; i++) {
		enum pwhash_result r = row_verify(&c->row[i], &k->a->mech);

		if (r >= PWHASH_UNKNOWN && !doors_judge(&c->row[i], k->a))
			check_cannot(k, cannot = r);
		wrong |= r == PWHASH_WRONG;
		if (r != PWHASH_OK)
			continue;
		right = true;
		check_verified(k, &c->row[i]);
		if (k->a->result.verdict == VERDICT_OK)
			break;
	}
	if (right && k->a->result.verdict == VERDICT_OK)
		return;
	if (cannot != PWHASH_WRONG)
		check_cannot_say(k, cannot, wrong && !right);
	else if (!right)
		attempt_set(k->a, VERDICT_FAILED, "wrong-password");
	if (k->more && !right)
		(void)snprintf(k->a->result.detail, sizeof(k->a->result.detail),
			       "only %d of its passwords are tried",
			       LOGIN_ROWS_MAX);
}

static void check_rows(struct checking *k)
{
	struct checker *c = k->c;

	if (check_app(k) || check_memory(k))
		return;
	check_hashes(k);
	if (k->a->result.verdict != VERDICT_TEMP)
		memcpy(c->like, c->row[0].hash, sizeof(c->like));
}

static void check_unknown(struct checking *k, const char *reason)
{
	/* a digest costs next to nothing, whether there is an account or not */
	if (!digest_applies(&k->a->mech))
		pwhash_dummy(span_of(k->c->like), buf_span(&k->a->mech.secret));
	attempt_set(k->a, VERDICT_FAILED, reason);
}

/* One worker asks the database whether it is back, the others do not wait for
 * it with him. */
static bool check_is_away(const struct checking *k)
{
	_Atomic int64_t *until = &k->c->shared->away_until;
	int64_t was = atomic_load(until), now = clock_ms();

	if (k->s->conf->auth_grace == 0 || was == 0)
		return false;
	return now < was ||
	       !atomic_compare_exchange_strong(until, &was,
					       now + k->s->conf->auth_timeout);
}

/* What was right a while ago is taken for right while nobody can say. So
 * another password of that login is a wrong one; of a login that has none in
 * the memory none can be guessed, and its owner is not to blame. */
static void check_grace(struct checking *k)
{
	int64_t grace = k->s->conf->auth_grace, since = clock_ms() - grace;
	struct memory *m = k->c->shared->memory;
	struct login_row *row = &k->c->row[0];
	uint64_t app = 0;

	if (!k->remembers || grace == 0)
		return;
	if (!memory_recall(m, &k->tag, &k->login, since, row, &app) &&
	    !(k->app_form &&
	      memory_recall(m, &k->app_tag, &k->login, since, row, &app))) {
		k->a->result.guess = memory_has(m, &k->login, since);
		k->a->result.waits = true;
		return;
	}
	metric_add(M_PASSWORD_GRACE, 1);
	check_right(k, row, app, doors_judge(row, k->a), "grace");
}

static void check_database_failed(struct checking *k)
{
	check_failed_database(k, k->c->db);
	if (!db_is_away(k->c->db))
		return;
	if (k->s->conf->auth_grace > 0)
		atomic_store(&k->c->shared->away_until, clock_ms() + AWAY_MS);
	check_grace(k);
}

/* What the tables say no to is not taken for right while they are away. */
static void check_forget(struct checking *k)
{
	if (!k->remembers || k->a->result.verdict != VERDICT_FAILED)
		return;
	memory_forget(k->c->shared->memory, &k->tag);
	if (k->app_form)
		memory_forget(k->c->shared->memory, &k->app_tag);
}

/* Nothing that was asked knows the password; not all may have been. */
static void check_said_no(struct checking *k)
{
	if (k->app == F_TEMP && k->a->result.verdict == VERDICT_FAILED &&
	    !k->a->result.closed)
		check_failed_database(k, k->c->store);
	check_forget(k);
}

static void check_known(struct checking *k, enum fact known)
{
	if (known != F_TEMP)
		atomic_store(&k->c->shared->away_until, 0);
	switch (known) {
	case F_NO:
		if (!check_app(k))
			check_unknown(k, "unknown-user");
		check_said_no(k);
		break;
	case F_YES:
		check_rows(k);
		check_said_no(k);
		break;
	case F_TEMP:
		check_database_failed(k);
		break;
	}
}

static void check_login(struct checking *k)
{
	struct checker *c = k->c;
	enum fact known;

	if (check_is_away(k)) {
		attempt_set(k->a, VERDICT_TEMP, "database");
		check_grace(k);
		return;
	}
	k->app = find_app(k);
	FAULT_PASS(AUTH_LOOKUP);
	known = login_find(c->db, k->s->profile, &k->login, c->row, &k->n,
			   &k->more);
	if (known != F_TEMP && k->app == F_YES && find_account(k) == F_TEMP)
		known = F_TEMP;
	FAULT_PASS(AUTH_LOOKED_UP);
	check_known(k, known);
	FAULT_PASS(AUTH_HASHED);
}

/* By what the memory knows the password; a digest is none. */
static void check_tag(struct checking *k)
{
	struct span secret = buf_span(&k->a->mech.secret);
	const struct memory *m = k->c->shared->memory;

	if (digest_applies(&k->a->mech))
		return;
	k->app_form = apppass_hash(secret, k->app_hash);
	k->remembers = memory_tag(m, &k->login, secret, &k->tag) &&
		       (!k->app_form ||
			memory_tag_app(m, &k->login, k->app_hash, &k->app_tag));
}

void check_attempt(struct checker *c, const struct settings *s,
		   struct attempt *a)
{
	struct checking k = { .c = c, .s = s, .a = a, .app = F_NO };

	if (!login_parse(buf_span(&a->mech.user), s->conf->fold_local_part,
			 &k.login)) {
		check_unknown(&k, "malformed-name");
		return;
	}
	check_tag(&k);
	check_login(&k);
	explicit_bzero(c->row, LOGIN_ROWS_MAX * sizeof(*c->row));
	explicit_bzero(&k, sizeof(k));
}

/* Without a state_query by the rows with the passwords; any that is open. */
static enum fact state_by_rows(struct checker *c, const struct profile *p,
			       const struct addr *login, struct login_state *s)
{
	bool more;
	size_t n;
	enum fact f = login_find(c->db, p, login, c->row, &n, &more);

	*s = (struct login_state){ .active = false };
	for (size_t i = 0; f == F_YES && i < n; i++)
		if (!doors_closed(&c->row[i].state, DOOR_POP3))
			*s = c->row[i].state;
	explicit_bzero(c->row, LOGIN_ROWS_MAX * sizeof(*c->row));
	return f;
}

void check_state(struct checker *c, const struct settings *s, struct attempt *a)
{
	struct login_look look = { .incarnation = "" };
	struct addr login;
	enum fact f = F_NO;

	if (login_parse(buf_span(&a->mech.user), s->conf->fold_local_part,
			&login))
		f = s->profile->query[PQ_STATE].n > 0
			    ? login_look(c->db, s->profile, &login, &look)
			    : state_by_rows(c, s->profile, &login, &look.state);
	if (f == F_TEMP) {
		attempt_set(a, VERDICT_TEMP, "database");
	} else if (f == F_YES && !doors_closed(&look.state, a->door)) {
		attempt_set(a, VERDICT_OK, "open");
		a->result.user = login;
	} else {
		attempt_set(a, VERDICT_FAILED, "closed");
		a->result.closed = true;
	}
}

static void rehash(struct checker *c, const struct settings *s)
{
	struct buf hash = BUF_INIT(PASSWORD_HASH_MAX);
	struct esc_text user;
	bool changed = false;

	(void)esc_text(&user, addr_span(&c->rehash->login));
	if (!pwhash_make("", buf_span(&c->password), &hash))
		log_warn("auth: user=<%s>: cannot hash the password anew",
			 user.s);
	else if (login_rehash(c->db, s->profile, c->rehash, buf_span(&hash),
			      &changed) != DB_OK)
		log_warn("auth: user=<%s>: cannot write the new hash: %s",
			 user.s, db_why(c->db));
	else if (changed)
		log_info("auth: user=<%s>: its weak hash is replaced", user.s);
	buf_wipe(&hash);
}

void check_afterwards(struct checker *c, const struct settings *s)
{
	if (c->password.n == 0)
		return;
	if (buf_ok(&c->password))
		rehash(c, s);
	buf_wipe(&c->password);
	explicit_bzero(c->rehash, sizeof(*c->rehash));
}
