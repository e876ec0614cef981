/* tests/fuzz/fuzz_popline.c: whatever the line, it is a row of the table with
 * arguments inside the line, or there is a reply that says why not. First
 * octet: the state. */
#include "tests/fuzz/fuzz.h"

#include "pop3d/popcmd.h"
#include "pop3d/popstate.h"

static void check_args(struct span line, const struct popcmd *cmd,
		       const struct popcmd_args *a)
{
	MUST(a->n >= cmd->least && a->n <= cmd->most);
	for (size_t i = 0; i < a->n && i < POPCMD_ARGS_MAX; i++) {
		MUST(a->arg[i].p >= line.p &&
		     a->arg[i].p + a->arg[i].n <= line.p + line.n);
		MUST(cmd->most > POPCMD_ARGS_MAX ||
		     span_find(a->arg[i], ' ') == a->arg[i].n);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span line = fuzz_input(data, size);
	unsigned state = fuzz_octet(&line) % 2 ? ST_TRANS : ST_AUTH;
	const struct popcmd *cmd = NULL;
	struct popcmd_args args;
	enum reply_id why = popcmd_find(line, state, &cmd, &args);

	MUST(cmd != NULL);
	MUST(why == R_NONE || why == R_POP_LONG || why == R_POP_STATE ||
	     why == R_POP_ARGS);
	if (why != R_NONE)
		return 0;
	MUST((cmd->states & state) != 0);
	MUST(line.n <= POPCMD_LINE_MAX || cmd->most > POPCMD_ARGS_MAX);
	MUST(cmd->verb[0] == '\0' ||
	     span_starts_nocase(line, span_of(cmd->verb)));
	check_args(line, cmd, &args);
	return 0;
}
