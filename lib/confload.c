/* lib/confload.c: see confload.h. */
#include "lib/confload.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

enum { PIECE = 16384 };

/* The files of one run: paths, texts, and views of both for the parser. */
struct loader {
	struct buf *problems;
	bool failed;
	size_t n;
	char **path;
	struct buf *text;
	struct conf_source *source;
};

const char *confload_file(const char *option)
{
	const char *env = getenv("MAILROW_CONF");

	if (option)
		return option;
	return env && env[0] ? env : CONF_SYSCONFDIR "/mailrow.conf";
}

static void complain(struct loader *l, const char *file, const char *why)
{
	l->failed = true;
	buf_printf(l->problems, "%s: cannot read: %s\n", file, why);
}

static const char *read_fd(int fd, struct buf *text)
{
	char *to;
	ssize_t n;

	do {
		to = buf_reserve(text, PIECE);
		if (!to)
			return "out of memory";
		n = read(fd, to, PIECE);
		if (n > 0)
			text->n += (size_t)n;
		if (text->n > CONFLOAD_FILE_MAX)
			return "larger than 1M";
	} while (n > 0 || (n < 0 && errno == EINTR));
	return n < 0 ? strerror(errno) : NULL;
}

/* NULL, or why not. O_NONBLOCK: opening a FIFO must not hold us. */
static const char *read_file(const char *file, struct buf *text)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	const char *why;
	struct stat st;

	if (fd < 0)
		return strerror(errno);
	if (fstat(fd, &st) != 0)
		why = strerror(errno);
	else if (!S_ISREG(st.st_mode))
		why = "not a regular file";
	else
		why = read_fd(fd, text);
	(void)close(fd); /* only read from */
	return why;
}

/* A file that cannot be read counts as empty, so that the mistakes of the
 * others are told too. */
static void load_file(struct loader *l, size_t i)
{
	const char *why;

	buf_init(&l->text[i], CONFLOAD_FILE_MAX + PIECE);
	why = read_file(l->path[i], &l->text[i]);
	if (why) {
		complain(l, l->path[i], why);
		buf_reset(&l->text[i]);
	}
	l->source[i].file = l->path[i];
	l->source[i].text = buf_span(&l->text[i]);
}

static int is_conf(const struct dirent *d)
{
	struct span name = span_of(d->d_name);

	return name.n > 5 && name.p[0] != '.' &&
	       span_is(span_skip(name, name.n - 5), ".conf");
}

/* By octets, whatever the locale. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* "DIR/conf.d" of "DIR/FILE". */
static void put_dir(struct buf *path, const char *file)
{
	const char *slash = strrchr(file, '/');

	if (slash)
		buf_put(path, file, (size_t)(slash - file) + 1);
	buf_puts(path, "conf.d");
}

static bool add_path(struct loader *l, const char *dir, const char *name)
{
	struct buf path = BUF_INIT(PATH_MAX);

	if (dir)
		buf_printf(&path, "%s/", dir);
	buf_puts(&path, name);
	l->path[l->n] = buf_ok(&path) ? strdup(buf_cstr(&path)) : NULL;
	buf_release(&path);
	return l->path[l->n] && ++l->n;
}

static bool make_room(struct loader *l, size_t n)
{
	l->path = calloc(n, sizeof(*l->path));
	l->text = calloc(n, sizeof(*l->text));
	l->source = calloc(n, sizeof(*l->source));
	return l->path && l->text && l->source;
}

static void list_files(struct loader *l, const char *file)
{
	struct buf dir = BUF_INIT(PATH_MAX);
	struct dirent **entry = NULL;
	bool ok;
	int n;

	put_dir(&dir, file);
	n = scandir(buf_cstr(&dir), &entry, is_conf, by_name);
	if (n < 0 && errno != ENOENT && errno != ENOTDIR)
		complain(l, buf_cstr(&dir), strerror(errno));
	if (n < 0)
		n = 0;
	ok = buf_ok(&dir) && make_room(l, (size_t)n + 1) &&
	     add_path(l, NULL, file);
	for (int i = 0; i < n; i++) {
		ok = ok && add_path(l, buf_cstr(&dir), entry[i]->d_name);
		free(entry[i]);
	}
	free(entry);
	buf_release(&dir);
	if (!ok)
		complain(l, file, "out of memory");
}

static void loader_release(struct loader *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->path[i]);
		buf_release(&l->text[i]);
	}
	free(l->path);
	free(l->text);
	free(l->source);
}

struct conf *confload(const char *file, struct buf *problems)
{
	struct loader l = { .problems = problems };
	struct conf *c;

	list_files(&l, file);
	for (size_t i = 0; i < l.n; i++)
		load_file(&l, i);
	c = conf_parse(l.source, l.n, problems);
	if (l.failed)
		conf_unref(&c);
	loader_release(&l);
	return c;
}

enum action { ACT_RUN, ACT_SHOW, ACT_CHECK, ACT_HELP, ACT_VERSION, ACT_BAD };

struct request {
	enum action action;
	bool changed_only;
	const char *file;
};

static void __attribute__((noreturn)) finish(int code)
{
	if (fflush(stdout) != 0) {
		(void)fprintf(stderr, "cannot write: %s\n", strerror(errno));
		exit(EX_IOERR);
	}
	exit(code);
}

static void print_help(const char *name, const char *about)
{
	(void)printf("%s: %s\n\n"
		     "usage: %s [-c FILE]\n"
		     "       %s [-c FILE] --show-config [-n] | --check-config\n"
		     "       %s --help | --version\n\n"
		     "  -c FILE         read FILE and conf.d beside it; "
		     "otherwise $MAILROW_CONF,\n"
		     "                  otherwise " CONF_SYSCONFDIR
		     "/mailrow.conf\n"
		     "  --show-config   print the options in effect; "
		     "with -n those that a file sets\n"
		     "  --check-config  tell all mistakes in the "
		     "configuration\n"
		     "  -h, --help      print this\n"
		     "  --version       print the version\n",
		     name, about, name, name, name);
}

static void __attribute__((noreturn)) fail_usage(const char *name)
{
	(void)fprintf(stderr, "%s: bad usage; try %s --help\n", name, name);
	exit(EX_USAGE);
}

static struct request parse_args(int argc, char **argv)
{
	static const struct option options[] = {
		{ "show-config", no_argument, NULL, ACT_SHOW },
		{ "check-config", no_argument, NULL, ACT_CHECK },
		{ "help", no_argument, NULL, ACT_HELP },
		{ "version", no_argument, NULL, ACT_VERSION },
		{ NULL, 0, NULL, 0 },
	};
	struct request r = { .action = ACT_RUN };
	int c;

	while ((c = getopt_long(argc, argv, "c:nh", options, NULL)) != -1) {
		if (c == 'c')
			r.file = optarg;
		else if (c == 'n')
			r.changed_only = true;
		else if (c == '?' || r.action != ACT_RUN)
			r.action = ACT_BAD;
		else
			r.action = c == 'h' ? ACT_HELP : (enum action)c;
	}
	if (optind < argc || (r.changed_only && r.action != ACT_SHOW))
		r.action = ACT_BAD;
	return r;
}

/* Exits when the configuration is wrong. */
static struct conf *load_or_exit(const char *name, const char *file)
{
	struct buf problems = BUF_INIT(CONFLOAD_PROBLEMS_MAX);
	struct conf *c = confload(file, &problems);

	if (!c) {
		(void)fwrite(problems.p, 1, problems.n, stderr);
		if (!buf_ok(&problems))
			(void)fprintf(stderr,
				      "%s: too many mistakes to tell, or out "
				      "of memory\n",
				      name);
		exit(EX_CONFIG);
	}
	buf_release(&problems);
	return c;
}

static void __attribute__((noreturn))
show_config(struct conf *c, unsigned self, bool changed_only)
{
	struct buf out = BUF_INIT((size_t)16 * CONFLOAD_FILE_MAX);
	bool ok;

	conf_show(c, self, changed_only, &out);
	conf_unref(&c);
	ok = buf_ok(&out);
	if (ok)
		(void)fwrite(buf_span(&out).p, 1, out.n, stdout);
	buf_release(&out);
	finish(ok ? EX_OK : EX_OSERR);
}

/* What the parser found no mistake in may still be wrong. */
static void __attribute__((noreturn))
check_config(struct conf *c, const struct cli *cli)
{
	struct buf problems = BUF_INIT(CONFLOAD_PROBLEMS_MAX);
	bool ok = !cli->check || cli->check(c, &problems);

	conf_unref(&c);
	if (ok)
		(void)printf("%s: ok\n", cli->conf_file);
	else
		(void)fwrite(problems.p, 1, problems.n, stderr);
	buf_release(&problems);
	finish(ok ? EX_OK : EX_CONFIG);
}

struct conf *cli_daemon(enum program self, const char *about, int argc,
			char **argv, struct cli *cli_r)
{
	struct request r = parse_args(argc, argv);
	const char *name = program_name(self);
	struct conf *c;

	if (r.action == ACT_BAD)
		fail_usage(name);
	if (r.action == ACT_HELP)
		print_help(name, about);
	if (r.action == ACT_VERSION)
		(void)printf("%s %s\n", name, PACKAGE_VERSION);
	if (r.action == ACT_HELP || r.action == ACT_VERSION)
		finish(EX_OK);
	cli_r->conf_file = confload_file(r.file);
	c = load_or_exit(name, cli_r->conf_file);
	if (r.action == ACT_SHOW)
		show_config(c, self, r.changed_only);
	if (r.action == ACT_CHECK)
		check_config(c, cli_r);
	return c;
}
