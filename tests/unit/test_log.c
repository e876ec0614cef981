static char syslog_path[100];
#define LOG_SYSLOG_PATH syslog_path
#include "lib/log.c"

#include <setjmp.h>
#include <sys/wait.h>

#include <cmocka.h>

static char dir[64];
static int syslog_fd = -1;

static int make_dir(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/test_log.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	(void)snprintf(syslog_path, sizeof(syslog_path), "%s/log", dir);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	log_off();
	(void)unlink(syslog_path);
	return rmdir(dir);
}

static void start_syslog(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s", syslog_path);
	syslog_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(syslog_fd, (struct sockaddr *)&a, sizeof(a)), 0);
}

static void stop_syslog(void)
{
	close(syslog_fd);
	assert_int_equal(unlink(syslog_path), 0);
}

static void open_log(const char *to, bool debug)
{
	static char way[8], facility[] = "local3";
	struct conf c = { .log_to = way,
			  .syslog_facility = facility,
			  .log_debug = debug };

	(void)snprintf(way, sizeof(way), "%s", to);
	log_open(&c, "postfix/mailrow");
}

/* The next line the syslog got; "" when there is none. */
static const char *next_line(void)
{
	static char line[4096];
	ssize_t n = recv(syslog_fd, line, sizeof(line) - 1, 0);

	line[n < 0 ? 0 : n] = '\0';
	return line;
}

/* Behind "<PRI>Mmm dd hh:mm:ss ". */
static const char *text_of(const char *line, const char *pri)
{
	size_t n = strlen(pri);

	assert_memory_equal(line, pri, n);
	assert_int_equal(line[n + 3], ' ');
	assert_int_equal(line[n + 9], ':');
	assert_int_equal(line[n + 15], ' ');
	return line + n + 16;
}

static void assert_line(const char *pri, const char *text)
{
	char want[256];

	(void)snprintf(want, sizeof(want), "postfix/mailrow[%ld]: %s",
		       (long)getpid(), text);
	assert_string_equal(text_of(next_line(), pri), want);
}

static void lines_have_the_shape_of_syslog(void **state)
{
	(void)state;
	start_syslog();
	open_log("syslog", true);
	errno = EXDEV;
	log_info("hello %d", 5);
	assert_int_equal(errno, EXDEV);
	assert_line("<158>", "hello 5");
	log_warn("cannot open '%s'", "x");
	assert_line("<156>", "warning: cannot open 'x'");
	log_debug("step");
	assert_line("<159>", "debug: step");
	open_log("syslog", false);
	log_debug("step");
	assert_string_equal(next_line(), "");
	stop_syslog();
}

static void control_characters_do_not_make_lines(void **state)
{
	(void)state;
	start_syslog();
	log_info("a\nb\tc\x7f"
		 "d\x1b[0m");
	assert_line("<158>", "a?b?c?d?[0m");
	stop_syslog();
}

static void a_long_line_is_cut(void **state)
{
	static char big[5000];
	const char *line;

	(void)state;
	start_syslog();
	memset(big, 'x', sizeof(big) - 1);
	log_info("%s", big);
	line = next_line();
	assert_int_equal(strlen(line), LOG_LINE_MAX - 2);
	assert_string_equal(line + LOG_LINE_MAX - 2 - 5, "xx...");
	stop_syslog();
}

static void a_restarted_syslog_is_found_again(void **state)
{
	(void)state;
	start_syslog();
	log_info("one");
	assert_line("<158>", "one");
	stop_syslog();
	start_syslog();
	log_info("two");
	assert_line("<158>", "two");
	stop_syslog();
}

static void lost_lines_are_counted_and_reported(void **state)
{
	(void)state;
	log_info("nobody is there");
	log_info("still nobody");
	start_syslog();
	log_info("at last");
	assert_line("<156>", "warning: 2 log lines were lost");
	assert_line("<158>", "at last");
	log_info("again");
	assert_line("<158>", "again");
	stop_syslog();
}

static void a_syslog_that_does_not_read_does_not_block(void **state)
{
	unsigned got = 0;
	const char *line;

	(void)state;
	start_syslog();
	for (int i = 0; i < 5000; i++)
		log_info("flood");
	while (next_line()[0])
		got++;
	assert_in_range(got, 1, 4999);
	log_info("after");
	line = text_of(next_line(), "<156>");
	assert_non_null(strstr(line, "log lines were lost"));
	assert_int_equal(strtoul(strstr(line, "warning: ") + 9, NULL, 10),
			 5000 - got);
	assert_line("<158>", "after");
	stop_syslog();
}

/* Runs f in a child; what it wrote to stderr goes to out, its status is
 * returned. */
static int run_with_stderr(void (*f)(void), char *out, size_t size)
{
	size_t have = 0;
	int p[2], status;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(p), 0);
	pid = fork();
	if (pid == 0) {
		(void)dup2(p[1], STDERR_FILENO);
		f();
		_exit(0);
	}
	close(p[1]);
	while ((n = read(p[0], out + have, size - 1 - have)) > 0)
		have += (size_t)n;
	out[have] = '\0';
	close(p[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void say_to_stderr(void)
{
	open_log("stderr", false);
	log_warn("to stderr");
}

static void die_without_syslog(void)
{
	open_log("syslog", false);
	log_fatal(78, "cannot go on");
}

static void panic(void)
{
	open_log("stderr", false);
	log_panic("this cannot be");
}

static void say_nothing(void)
{
	open_log("stderr", false);
	log_off();
	log_warn("unheard");
}

static void stderr_gets_the_same_line(void **state)
{
	char out[512];

	(void)state;
	assert_int_equal(run_with_stderr(say_to_stderr, out, sizeof(out)), 0);
	assert_memory_equal(text_of(out, ""), "postfix/mailrow[", 16);
	assert_non_null(strstr(out, "]: warning: to stderr\n"));
}

static void a_fatal_line_is_seen_without_syslog(void **state)
{
	char out[512];
	int status = run_with_stderr(die_without_syslog, out, sizeof(out));

	(void)state;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 78);
	assert_non_null(strstr(out, "fatal: cannot go on\n"));
}

static void a_panic_aborts(void **state)
{
	char out[512];
	int status = run_with_stderr(panic, out, sizeof(out));

	(void)state;
	assert_true(WIFSIGNALED(status));
	assert_non_null(strstr(out, "panic: this cannot be\n"));
}

static void a_log_that_is_off_is_silent(void **state)
{
	char out[512];

	(void)state;
	assert_int_equal(run_with_stderr(say_nothing, out, sizeof(out)), 0);
	assert_string_equal(out, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_have_the_shape_of_syslog),
		cmocka_unit_test(control_characters_do_not_make_lines),
		cmocka_unit_test(a_long_line_is_cut),
		cmocka_unit_test(a_restarted_syslog_is_found_again),
		cmocka_unit_test(lost_lines_are_counted_and_reported),
		cmocka_unit_test(a_syslog_that_does_not_read_does_not_block),
		cmocka_unit_test(stderr_gets_the_same_line),
		cmocka_unit_test(a_fatal_line_is_seen_without_syslog),
		cmocka_unit_test(a_panic_aborts),
		cmocka_unit_test(a_log_that_is_off_is_silent),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
