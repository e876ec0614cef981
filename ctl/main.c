/* ctl/main.c: mailrow(1): finds the verb and runs it. */
#include "ctl/tool.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "lib/confload.h"
#include "lib/fault.h"

static const struct verb *const nouns[] = {
	schema_verbs,  domain_verbs,    alias_verbs,   lookup_verbs,
	serve_verbs,   retention_verbs, account_verbs, mailbox_verbs,
	purge_verbs,   undelete_verbs,  verify_verbs,  check_verbs,
	status_verbs,  metrics_verbs,   pop3_verbs,    auth_verbs,
	network_verbs, access_verbs,    send_as_verbs, limit_verbs,
	policy_verbs,  explain_verbs,
};
enum { NOUNS = sizeof(nouns) / sizeof(nouns[0]) };

static void print_verb(FILE *out, const struct verb *v)
{
	char left[320];

	snprintf(left, sizeof(left), "%s%s%s%s%s", v->noun,
		 v->name[0] ? " " : "", v->name, v->usage[0] ? " " : "",
		 v->usage);
	/* two blanks, by which completion tells them apart */
	fprintf(out, "  %-33s  %s\n", left, v->help);
}

static void print_help(FILE *out)
{
	const struct verb *v;
	size_t i;

	fputs("usage: mailrow [-c FILE] [--json] NOUN VERB [ARGUMENT ...]\n\n",
	      out);
	for (i = 0; i < NOUNS; i++)
		for (v = nouns[i]; v->noun; v++)
			print_verb(out, v);
	fputs("\noptions:\n"
	      "  -c, --config FILE    configuration file, else $MAILROW_CONF, "
	      "else\n"
	      "                       " CONF_SYSCONFDIR "/mailrow.conf\n"
	      "      --json           lists and tables as JSON\n"
	      "      --show-config    the configuration in force (-n: only "
	      "what is set)\n"
	      "      --check-config   check the configuration and exit\n"
	      "  -h, --help           this text\n"
	      "      --version        the version\n",
	      out);
}

static int usage_error(const char *fmt, ...)
	__attribute__((format(printf, 1, 2)));

static int usage_error(const char *fmt, ...)
{
	va_list ap;

	fputs("mailrow: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputs("; see mailrow --help\n", stderr);
	return EX_USAGE;
}

static const struct verb *noun_find(const char *noun)
{
	size_t i;

	for (i = 0; i < NOUNS; i++)
		if (strcmp(nouns[i]->noun, noun) == 0)
			return nouns[i];
	return NULL;
}

static const struct verb *verb_find(const struct verb *v, const char *name)
{
	for (; v->noun; v++)
		if (!v->name[0] || strcmp(v->name, name) == 0)
			return v;
	return NULL;
}

static int verb_usage(const struct verb *v)
{
	return usage_error("usage: mailrow %s%s%s %s", v->noun,
			   v->name[0] ? " " : "", v->name, v->usage);
}

/* A long option whose val is a letter has that for its short form. */
static void short_options(const struct option *o, char letters[32])
{
	size_t n = 0;

	for (; o->name && n + 2 < 32; o++) {
		if (o->val < 'A' || o->val > 'z')
			continue;
		letters[n++] = (char)o->val;
		if (o->has_arg == required_argument)
			letters[n++] = ':';
	}
	letters[n] = '\0';
}

/* The verb's own options; what else stands behind it is counted first. argv[0]
 * is the word before them, for getopt to name us by. */
static int run_with_options(struct tool *t, const struct verb *v, int argc,
			    char **argv)
{
	static char name[] = "mailrow";
	char letters[32];
	int code, c;

	short_options(v->options, letters);
	argv[0] = name;
	optind = 0;
	while ((c = getopt_long(argc, argv, letters, v->options, NULL)) != -1) {
		code = c == '?' ? EX_USAGE : v->option(t, c, optarg);
		if (code != EX_OK)
			return code;
	}
	argc -= optind;
	if (argc < v->min_args || argc > v->max_args)
		return verb_usage(v);
	return v->run(t, argc, argv + optind);
}

static bool has_option(int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		if (argv[i][0] == '-')
			return true;
	return false;
}

/* argv[0] is the noun. */
static int run_verb(struct tool *t, int argc, char **argv)
{
	const struct verb *v = noun_find(argv[0]);
	int skip;

	if (!v)
		return usage_error("no noun '%s'", argv[0]);
	v = verb_find(v, argc > 1 ? argv[1] : "");
	if (!v && argc < 2)
		return usage_error("'%s' needs a verb", argv[0]);
	if (!v)
		return usage_error("'%s' has no verb '%s'", argv[0], argv[1]);
	skip = v->name[0] ? 2 : 1;
	argc -= skip;
	argv += skip;
	if (v->options)
		return run_with_options(t, v, argc + 1, argv - 1);
	if (argc < v->min_args || argc > v->max_args ||
	    (argc > 0 && has_option(argc, argv)))
		return verb_usage(v);
	return v->run(t, argc, argv);
}

struct options {
	const char *conf_file;
	bool json, show, check, changed;
};

enum { OPT_SHOW = 256, OPT_CHECK, OPT_VERSION };

static const struct option long_options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "show-config", no_argument, NULL, OPT_SHOW },
	{ "check-config", no_argument, NULL, OPT_CHECK },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ NULL, 0, NULL, 0 }
};

/* --json may stand anywhere. */
static int take_json(int argc, char **argv, bool *json)
{
	int n = 0;

	for (int i = 0; i < argc; i++)
		if (strcmp(argv[i], "--json") == 0)
			*json = true;
		else
			argv[n++] = argv[i];
	return n;
}

/* -1: go on; else the exit code. Options end at the noun; what follows belongs
 * to the verb. */
static int parse_options(int argc, char **argv, struct options *o)
{
	int c;

	while ((c = getopt_long(argc, argv, "+c:nh", long_options, NULL)) != -1)
		switch (c) {
		case 'c':
			o->conf_file = optarg;
			break;
		case 'n':
			o->changed = true;
			break;
		case OPT_SHOW:
			o->show = true;
			break;
		case OPT_CHECK:
			o->check = true;
			break;
		case OPT_VERSION:
			puts("mailrow " PACKAGE_VERSION);
			return EX_OK;
		case 'h':
			print_help(stdout);
			return EX_OK;
		default:
			return EX_USAGE;
		}
	return -1;
}

static int show_config(const struct conf *c, bool changed_only)
{
	struct buf b = BUF_INIT(1 << 20);

	conf_show(c, PROG_ALL, changed_only, &b);
	fwrite(buf_span(&b).p, 1, b.n, stdout);
	buf_release(&b);
	return EX_OK;
}

static int run(const struct options *o, const struct conf *c, int argc,
	       char **argv)
{
	struct tool t = { .conf = c,
			  .conf_file = o->conf_file,
			  .json = o->json };
	int code;

	if (o->show)
		return show_config(c, o->changed);
	if (o->check) {
		printf("%s: ok\n", o->conf_file);
		return EX_OK;
	}
	if (argc < 1) {
		print_help(stderr);
		return EX_USAGE;
	}
	db_library_init();
	code = run_verb(&t, argc, argv);
	db_free(&t.accounts);
	db_target_free(&t.accounts_target);
	db_free(&t.mender);
	db_target_free(&t.mender_target);
	db_free(&t.db);
	db_target_free(&t.target);
	profile_free(&t.profile);
	db_library_end();
	if (fflush(stdout) != 0 || ferror(stdout))
		return tool_fail(EX_IOERR, "cannot write to standard output");
	return code;
}

int main(int argc, char **argv)
{
	struct options o = { .conf_file = NULL };
	struct buf problems = BUF_INIT(1 << 20);
	struct conf *c;
	int code;

	fault_i_am(FAULT_BY_TOOL);
	argc = take_json(argc, argv, &o.json);
	code = parse_options(argc, argv, &o);
	if (code >= 0)
		return code;
	o.conf_file = confload_file(o.conf_file);
	c = confload(o.conf_file, &problems);
	if (!c) {
		fwrite(buf_span(&problems).p, 1, problems.n, stderr);
		buf_release(&problems);
		return EX_CONFIG;
	}
	code = run(&o, c, argc - optind, argv + optind);
	conf_unref(&c);
	buf_release(&problems);
	return code;
}
