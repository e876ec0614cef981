/* tests/unit/test_confload.c: files and the command line of a daemon. */
#include "lib/confload.h"

#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/unit/nomem.h"

#define ROWS(a) (sizeof(a) / sizeof(*(a)))

enum { TEXT_MAX = 1 << 21 };

/* Each test works in an empty directory. */
static char dir[] = "confload-XXXXXX";

static int in_new_dir(void **state)
{
	(void)state;
	memcpy(dir + strlen(dir) - 6, "XXXXXX", 6);
	return unsetenv("MAILROW_CONF") != 0 || !mkdtemp(dir) ||
	       chdir(dir) != 0 || mkdir("conf.d", 0755) != 0;
}

static int drop_dir(void **state)
{
	static const char *const names[] = {
		"conf.d/10.conf",
		"conf.d/9.conf",
		"conf.d/.x.conf",
		"conf.d/a.txt",
		"conf.d/dir.conf",
		"conf.d/.conf",
		"mailrow.conf",
		"out",
		"err",
		"conf.d",
	};

	(void)state;
	for (size_t i = 0; i < ROWS(names); i++)
		(void)remove(names[i]); /* not every test makes each */
	return chdir("..") != 0 || rmdir(dir) != 0;
}

static void write_file(const char *name, const char *text)
{
	FILE *f = fopen(name, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
	assert_int_equal(fclose(f), 0);
}

static void read_back(const char *name, struct buf *out)
{
	FILE *f = fopen(name, "r");
	char *to = buf_reserve(out, 65536);

	assert_non_null(f);
	assert_non_null(to);
	out->n += fread(to, 1, 65536, f);
	assert_int_equal(fclose(f), 0);
}

static void assert_load_fails(const char *file, const char *expected)
{
	struct buf problems = BUF_INIT(TEXT_MAX);

	assert_null(confload(file, &problems));
	assert_string_equal(buf_cstr(&problems), expected);
	buf_release(&problems);
}

static void conf_d_is_read_in_the_order_of_names(void **state)
{
	struct buf problems = BUF_INIT(TEXT_MAX), out = BUF_INIT(TEXT_MAX);
	struct conf *c;

	(void)state;
	write_file("mailrow.conf", "hostname = main\nprofile = p\n");
	write_file("conf.d/10.conf", "hostname = ten\nlog_to = stderr");
	write_file("conf.d/9.conf", "hostname = nine\n");
	write_file("conf.d/.x.conf", "hostname = hidden\n");
	write_file("conf.d/.conf", "hostname = hidden\n");
	write_file("conf.d/a.txt", "no configuration");
	c = confload("mailrow.conf", &problems);
	assert_non_null(c);
	conf_show(c, PROG_ALL, true, &out);
	assert_string_equal(buf_cstr(&out), "# conf.d/10.conf:2\n"
					    "log_to = stderr\n"
					    "# conf.d/9.conf:1\n"
					    "hostname = nine\n"
					    "# mailrow.conf:2\nprofile = p\n");
	conf_unref(&c);
	buf_release(&out);
}

static void conf_d_lies_beside_the_file(void **state)
{
	struct buf problems = BUF_INIT(TEXT_MAX);
	char path[PATH_MAX], cwd[PATH_MAX - 20];
	struct conf *c;

	(void)state;
	assert_non_null(getcwd(cwd, sizeof(cwd)));
	(void)snprintf(path, sizeof(path), "%s/mailrow.conf", cwd);
	write_file("mailrow.conf", "");
	write_file("conf.d/9.conf", "hostname = nine\n");
	assert_int_equal(chdir("/"), 0);
	c = confload(path, &problems);
	assert_int_equal(chdir(cwd), 0);
	assert_non_null(c);
	assert_string_equal(c->hostname, "nine");
	conf_unref(&c);
}

static void a_missing_file_is_named(void **state)
{
	(void)state;
	assert_load_fails("mailrow.conf", "mailrow.conf: cannot read: No such "
					  "file or directory\n");
	assert_load_fails("/no/such/mailrow.conf",
			  "/no/such/mailrow.conf: cannot read: No such file "
			  "or directory\n");
}

static void mistakes_beside_an_unreadable_file_are_told_too(void **state)
{
	(void)state;
	write_file("conf.d/9.conf", "hostnam = nine\n");
	assert_int_equal(mkdir("conf.d/dir.conf", 0755), 0);
	assert_load_fails("mailrow.conf",
			  "mailrow.conf: cannot read: No such file or "
			  "directory\n"
			  "conf.d/dir.conf: cannot read: not a regular file\n"
			  "conf.d/9.conf:1: unknown option 'hostnam'; did you "
			  "mean 'hostname'?\n");
}

static void a_fifo_is_rejected_and_does_not_block(void **state)
{
	(void)state;
	assert_int_equal(mkfifo("mailrow.conf", 0644), 0);
	assert_load_fails("mailrow.conf",
			  "mailrow.conf: cannot read: not a regular file\n");
}

static void a_file_may_have_one_mebibyte(void **state)
{
	struct buf text = BUF_INIT(TEXT_MAX), problems = BUF_INIT(TEXT_MAX);
	struct conf *c;

	(void)state;
	while (text.n < CONFLOAD_FILE_MAX)
		buf_puts(&text, "# 4567890123456789012345678901\n"
				"# 4567890123456789012345678901234\n");
	buf_drop(&text, text.n - CONFLOAD_FILE_MAX);
	text.p[0] = '#';
	write_file("mailrow.conf", buf_cstr(&text));
	c = confload("mailrow.conf", &problems);
	assert_non_null(c);
	conf_unref(&c);
	buf_putc(&text, '\n');
	write_file("mailrow.conf", buf_cstr(&text));
	assert_load_fails("mailrow.conf",
			  "mailrow.conf: cannot read: larger than 1M\n");
	buf_release(&text);
}

static void no_memory_at_any_place_gives_no_configuration(void **state)
{
	struct conf *c = NULL;
	long failures = -1;

	(void)state;
	write_file("mailrow.conf", "hostname = a\n");
	write_file("conf.d/9.conf", "profile = b\n");
	while (!c) {
		struct buf problems = BUF_INIT(TEXT_MAX);

		nomem_at = ++failures;
		c = confload("mailrow.conf", &problems);
		nomem_at = -1;
		if (!c)
			assert_true(!buf_ok(&problems) || problems.n > 0);
		buf_release(&problems);
	}
	assert_true(failures > 20);
	assert_string_equal(c->profile, "b");
	conf_unref(&c);
}

static void the_file_is_chosen_by_option_environment_default(void **state)
{
	(void)state;
	assert_string_equal(confload_file(NULL),
			    CONF_SYSCONFDIR "/mailrow.conf");
	assert_int_equal(setenv("MAILROW_CONF", "", 1), 0);
	assert_string_equal(confload_file(NULL),
			    CONF_SYSCONFDIR "/mailrow.conf");
	assert_int_equal(setenv("MAILROW_CONF", "/e.conf", 1), 0);
	assert_string_equal(confload_file(NULL), "/e.conf");
	assert_string_equal(confload_file("o.conf"), "o.conf");
}

static int redirect(const char *name, int to)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	return fd < 0 || dup2(fd, to) < 0 || close(fd) != 0;
}

/* cli_daemon() in a child: its exit code, 99 when it returned. */
static int run_daemon(const char *const *args)
{
	char *argv[8] = { NULL };
	int argc = 0, status;
	pid_t pid;

	for (; args[argc]; argc++) {
		assert_true(argc < 7);
		argv[argc] = strdup(args[argc]);
	}
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct cli cli = { .check = NULL };
		struct conf *c;

		if (redirect("out", 1) || redirect("err", 2))
			_exit(98);
		c = cli_daemon(PROG_POP3D, "serves mail", argc, argv, &cli);
		(void)printf("runs with %s %s\n", cli.conf_file, c->hostname);
		(void)fflush(stdout);
		_exit(99);
	}
	for (int i = 0; i < argc; i++)
		free(argv[i]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void assert_file_has(const char *name, const char *part)
{
	struct buf b = BUF_INIT(TEXT_MAX);

	read_back(name, &b);
	if (part[0])
		assert_non_null(strstr(buf_cstr(&b), part));
	else
		assert_int_equal(b.n, 0);
	buf_release(&b);
}

static void the_command_line_decides(void **state)
{
	static const struct {
		const char *args[8];
		int code;
		const char *out, *err;
	} row[] = {
		{ { "d", "-c", "mailrow.conf" },
		  99,
		  "runs with mailrow.conf mx\n",
		  "" },
		{ { "d", "-c", "mailrow.conf", "--check-config" },
		  EX_OK,
		  "mailrow.conf: ok\n",
		  "" },
		{ { "d", "--show-config", "-c", "mailrow.conf" },
		  EX_OK,
		  "\nhostname = mx\n",
		  "" },
		{ { "d", "--show-config", "-n", "-c", "mailrow.conf" },
		  EX_OK,
		  "# mailrow.conf:2\nhostname = mx\n",
		  "" },
		{ { "d", "--version" },
		  EX_OK,
		  "mailrow-pop3d " PACKAGE_VERSION "\n",
		  "" },
		{ { "d", "--help" },
		  EX_OK,
		  "mailrow-pop3d: serves mail\n",
		  "" },
		{ { "d", "-h" }, EX_OK, "--show-config", "" },
		{ { "d", "--bogus" }, EX_USAGE, "", "--help" },
		{ { "d", "--bogus", "--help" }, EX_USAGE, "", "--help" },
		{ { "d", "-x" }, EX_USAGE, "", "--help" },
		{ { "d", "-c" }, EX_USAGE, "", "--help" },
		{ { "d", "word" }, EX_USAGE, "", "--help" },
		{ { "d", "-n" }, EX_USAGE, "", "--help" },
		{ { "d", "--check-config", "--show-config" },
		  EX_USAGE,
		  "",
		  "--help" },
		{ { "d", "-c", "conf.d/9.conf" },
		  EX_CONFIG,
		  "",
		  "conf.d/9.conf:1: unknown option 'x'" },
		{ { "d", "--check-config", "-c", "gone" },
		  EX_CONFIG,
		  "",
		  "gone: cannot read: No such file" },
	};

	(void)state;
	write_file("mailrow.conf", "\nhostname = mx\n");
	for (size_t i = 0; i < ROWS(row); i++) {
		if (row[i].code == EX_CONFIG)
			write_file("conf.d/9.conf", "x = 1\n");
		assert_int_equal(run_daemon(row[i].args), row[i].code);
		assert_file_has("out", row[i].out);
		assert_file_has("err", row[i].err);
	}
}

static void show_config_without_room_to_write_fails(void **state)
{
	static const char *const args[] = { "d", "--show-config", "-c",
					    "mailrow.conf", NULL };

	(void)state;
	if (access("/dev/full", W_OK) != 0)
		skip();
	write_file("mailrow.conf", "");
	assert_int_equal(symlink("/dev/full", "out"), 0);
	assert_int_equal(run_daemon(args), EX_IOERR);
}

#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, in_new_dir, drop_dir)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		IN_DIR(conf_d_is_read_in_the_order_of_names),
		IN_DIR(conf_d_lies_beside_the_file),
		IN_DIR(a_missing_file_is_named),
		IN_DIR(mistakes_beside_an_unreadable_file_are_told_too),
		IN_DIR(a_fifo_is_rejected_and_does_not_block),
		IN_DIR(a_file_may_have_one_mebibyte),
		IN_DIR(no_memory_at_any_place_gives_no_configuration),
		IN_DIR(the_file_is_chosen_by_option_environment_default),
		IN_DIR(the_command_line_decides),
		IN_DIR(show_config_without_room_to_write_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
