/* ctl/ourjudge.c: see ourjudge.h. */
#include "ctl/ourjudge.h"

#include <sysexits.h>

#include "policy/refresh.h"

enum { ONE_CONNECTION = 1 };

static int make_pools(struct tool *t, struct ourjudge *o)
{
	struct judge *j = &o->judge;

	j->store = pool_new(t->target, ONE_CONNECTION);
	j->accounts = j->store;
	if (!db_target_same(t->target, o->accounts))
		j->accounts = pool_new(o->accounts, ONE_CONNECTION);
	j->memory = judge_memory_new();
	if (!j->store || !j->accounts || !j->memory)
		return tool_fail(EX_OSERR, "out of memory");
	return EX_OK;
}

/* The daemons may have an older one in force where rows are broken now. */
static int load_policy(struct tool *t, struct ourjudge *o)
{
	struct buf why = BUF_INIT(65536);
	struct snapshot *s =
		refresh_read(t->db, t->conf->fold_local_part, &why);
	int code = EX_OK;

	o->judge.policy = policy_data_new();
	if (!s)
		code = tool_fail(EX_TEMPFAIL,
				 "cannot read the policy: %s(mailrow check)",
				 buf_cstr(&why));
	else if (!o->judge.policy)
		code = tool_fail(EX_OSERR, "out of memory");
	if (code == EX_OK)
		policy_data_swap(o->judge.policy, s);
	else
		snapshot_put(&s);
	buf_release(&why);
	return code;
}

int ourjudge_open(struct tool *t, struct ourjudge *o)
{
	struct buf why = BUF_INIT(4096);
	int code = EX_CONFIG;

	*o = (struct ourjudge){ .judge = { .conf = t->conf } };
	o->judge.profile = tool_profile(t);
	if (!o->judge.profile)
		return EX_CONFIG;
	if (!tool_db(t))
		return EX_UNAVAILABLE;
	o->accounts = db_target_new(t->conf, PROG_TOOL, DB_ACCOUNTS, &why);
	if (o->accounts)
		code = make_pools(t, o);
	else
		tool_fail(0, "%s", buf_cstr(&why));
	buf_release(&why);
	return code == EX_OK ? load_policy(t, o) : code;
}

void ourjudge_close(struct ourjudge *o)
{
	struct judge *j = &o->judge;

	if (j->accounts != j->store)
		pool_free(&j->accounts);
	pool_free(&j->store);
	judge_memory_free(&j->memory);
	policy_data_free(&j->policy);
	db_target_free(&o->accounts);
}
