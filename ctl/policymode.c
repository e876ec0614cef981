/* ctl/policymode.c: mailrow policy modes and mode: which predicates hold. */
#include "ctl/policy.h"

#include <sysexits.h>

#include "ctl/out.h"
#include "policy/predicate.h"

static const struct out_column mode_columns[] = { { "predicate", OUT_TEXT },
						  { "domain", OUT_TEXT },
						  { "mode", OUT_TEXT },
						  { NULL, OUT_TEXT } };

static enum native_result list_all(struct db *db, native_row row, void *arg)
{
	return native_list(db, Q_MODE_LIST, NULL, row, arg);
}

int policy_modes_run(struct tool *t, int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return tool_print_list(t, "modes", mode_columns, list_all, NULL);
}

static bool is_mode(struct span s)
{
	return span_is(s, "off") || span_is(s, "shadow") ||
	       span_is(s, "enforce");
}

static int set(struct tool *t, char **argv, struct span domain)
{
	struct span mode = span_of(argv[1]);
	const struct sqlval param[] = { sql_bytes(span_of(argv[0])),
					sql_bytes(domain), sql_bytes(mode) };
	enum predicate_id id = predicate_find(span_of(argv[0]));

	if (id == PREDICATE_COUNT)
		return tool_fail(EX_DATAERR,
				 "'%s' is no predicate; see mailrow policy "
				 "list",
				 argv[0]);
	if (!is_mode(mode))
		return tool_fail(EX_DATAERR,
				 "'%s' is no mode: off, shadow, enforce or "
				 "default",
				 argv[1]);
	if (predicate_get(id)->mode == M_FIXED)
		return tool_fail(EX_DATAERR, "'%s' is always enforced",
				 argv[0]);
	return tool_set(t, Q_MODE_PUT, param);
}

/* What is no domain stays as it was typed. */
static int unset(struct tool *t, const char *predicate, const char *typed)
{
	char domain[ADDR_DOMAIN_MAX + 1];
	size_t n;
	bool ok = addr_domain_parse(span_of(typed), domain, &n) == ADDR_OK;
	const struct sqlval raw[] = { sql_bytes(span_of(predicate)),
				      sql_bytes(span_of(typed)) };
	const struct sqlval canonical[] = { raw[0],
					    ok ? sql_bytes(span_make(domain, n))
					       : raw[1] };

	return tool_unset(t, Q_MODE_DELETE, raw, canonical, predicate);
}

int policy_mode_run(struct tool *t, int argc, char **argv)
{
	const char *typed = argc > 2 ? argv[2] : "";
	char domain[ADDR_DOMAIN_MAX + 1] = "";

	if (span_is(span_of(argv[1]), "default"))
		return unset(t, argv[0], typed);
	if (typed[0] && !tool_domain(typed, domain))
		return EX_DATAERR;
	return set(t, argv, span_of(domain));
}
