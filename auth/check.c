#include "auth/check.h"

#include "lib/fault.h"
#include "lib/pwhash.h"
#include "auth/digest.h"

bool checker_init(struct checker *c, const struct settings *s)
{
	memset(c, 0, sizeof(*c));
	c->db = db_new(s->accounts);
	c->row = calloc(LOGIN_ROWS_MAX, sizeof(*c->row));
	return c->db && c->row;
}

void checker_release(struct checker *c)
{
	if (c->db)
		db_free(&c->db);
	free(c->row);
	explicit_bzero(c, sizeof(*c));
}

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
	return pwhash_verify(span_of(row->hash), buf_span(&m->secret));
}

static bool row_door(const struct login_row *row, enum door door)
{
	switch (door) {
	case DOOR_SMTP:
		return row->smtp;
	case DOOR_POP3:
		return row->pop3;
	case DOOR_NONE:
		break;
	}
	return false;
}

/* What one row says; the first of these that any row says is the answer, but
 * that a password which can not be checked is our trouble, not the user's. */
enum row_verdict {
	ROW_OK,
	ROW_UNKNOWN,
	ROW_DISABLED,
	ROW_DOOR,
	ROW_WRONG,
	ROW_VERDICTS
};

static const struct {
	enum verdict verdict;
	const char *reason;
} row_answer[ROW_VERDICTS] = {
	[ROW_OK] = { VERDICT_OK, "verified" },
	[ROW_UNKNOWN] = { VERDICT_TEMP, "unknown-hash-scheme" },
	[ROW_DISABLED] = { VERDICT_FAILED, "account-disabled" },
	[ROW_DOOR] = { VERDICT_FAILED, "door-closed" },
	[ROW_WRONG] = { VERDICT_FAILED, "wrong-password" },
};

/* The password of a disabled account is verified as well: its answer shall
 * take the same time. */
static enum row_verdict row_judge(const struct login_row *row,
				  const struct attempt *a)
{
	enum pwhash_result r = row_verify(row, &a->mech);

	if (r == PWHASH_WRONG)
		return ROW_WRONG;
	if (!row->active)
		return r == PWHASH_OK ? ROW_DISABLED : ROW_WRONG;
	if (!row_door(row, a->door))
		return r == PWHASH_OK ? ROW_DOOR : ROW_WRONG;
	return r == PWHASH_OK ? ROW_OK : ROW_UNKNOWN;
}

static void check_take(struct check_result *r, const struct login_row *row)
{
	r->user = row->login;
	r->mailbox = row->mailbox;
	memcpy(r->incarnation, row->incarnation, sizeof(r->incarnation));
}

static void check_rows(struct checker *c, struct attempt *a, size_t n)
{
	enum row_verdict best = ROW_WRONG;

	for (size_t i = 0; i < n && best != ROW_OK; i++) {
		enum row_verdict v = row_judge(&c->row[i], a);

		if (v == ROW_OK)
			check_take(&a->result, &c->row[i]);
		if (v < best)
			best = v;
	}
	attempt_set(a, row_answer[best].verdict, row_answer[best].reason);
	a->result.closed = best == ROW_DISABLED || best == ROW_DOOR;
	if (best != ROW_UNKNOWN)
		memcpy(c->like, c->row[0].hash, sizeof(c->like));
}

static void check_unknown(struct checker *c, struct attempt *a,
			  const char *reason)
{
	/* a digest costs next to nothing, whether there is an account or not */
	if (!digest_applies(&a->mech))
		pwhash_dummy(span_of(c->like), buf_span(&a->mech.secret));
	attempt_set(a, VERDICT_FAILED, reason);
}

void check_attempt(struct checker *c, const struct settings *s,
		   struct attempt *a)
{
	struct addr login;
	enum fact known;
	size_t n = 0;

	if (!login_parse(buf_span(&a->mech.user), s->conf->fold_local_part,
			 &login)) {
		check_unknown(c, a, "malformed-name");
		return;
	}
	FAULT_PASS(AUTH_LOOKUP);
	known = accounts_login(c->db, s->profile, &login, c->row, &n);
	FAULT_PASS(AUTH_LOOKED_UP);
	switch (known) {
	case F_NO:
		check_unknown(c, a, "unknown-user");
		break;
	case F_YES:
		check_rows(c, a, n);
		break;
	case F_TEMP:
		attempt_set(a, VERDICT_TEMP, "database");
		(void)snprintf(a->result.detail, sizeof(a->result.detail), "%s",
			       db_why(c->db));
		break;
	}
	FAULT_PASS(AUTH_HASHED);
	explicit_bzero(c->row, LOGIN_ROWS_MAX * sizeof(*c->row));
}
