#include "pop3d/popcmd.h"

#include "pop3d/popstate.h"

enum { REST = POPCMD_ARGS_MAX + 1 };

static const struct popcmd commands[] = {
#define POP_CMD(verb, states, least, most, handler)                            \
	{ #verb, states, least, most, pop_##handler },
#include "pop3d/popcmd.def"
#undef POP_CMD
};

enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static const struct popcmd *find_verb(struct span verb)
{
	size_t i = 0;

	while (i < COMMANDS - 1 &&
	       !span_eq_nocase(verb, span_of(commands[i].verb)))
		i++;
	return &commands[i];
}

static struct span without_trailing_blanks(struct span s)
{
	while (s.n && s.p[s.n - 1] == ' ')
		s.n--;
	return s;
}

/* One blank separates, so two of them hold an empty argument between them
 * (RFC 1939 s.3). More than fit are counted only. */
static void cut_args(struct span s, struct popcmd_args *args_r)
{
	struct span arg;
	bool more = true;

	while (more) {
		more = span_cut(s, ' ', &arg, &s);
		if (args_r->n < POPCMD_ARGS_MAX)
			args_r->arg[args_r->n] = arg;
		args_r->n++;
	}
}

static void cut_rest(struct span s, struct popcmd_args *args_r)
{
	args_r->arg[0] = s;
	args_r->n = 1;
}

enum reply_id popcmd_find(struct span line, unsigned state,
			  const struct popcmd **cmd_r,
			  struct popcmd_args *args_r)
{
	struct span verb, rest;
	const struct popcmd *cmd;

	*args_r = (struct popcmd_args){ .n = 0 };
	(void)span_cut(line, ' ', &verb, &rest);
	*cmd_r = cmd = find_verb(verb);
	if (line.n > POPCMD_LINE_MAX && cmd->most != REST)
		return R_POP_LONG;
	if ((cmd->states & state) == 0)
		return R_POP_STATE;
	if (cmd->most != REST)
		rest = without_trailing_blanks(rest);
	if (rest.n && cmd->most == REST)
		cut_rest(rest, args_r);
	else if (rest.n)
		cut_args(rest, args_r);
	return args_r->n < cmd->least || args_r->n > cmd->most ? R_POP_ARGS
							       : R_NONE;
}
