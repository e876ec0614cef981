#include "lib/fault.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/clock.h"

static char dir[] = "/tmp/test_fault.XXXXXX";
static const char *program;

static struct fault_row *arm(const char *name, const char *order,
			     uint32_t passings, uint32_t by)
{
	struct fault_row *r = fault_row(name);

	assert_non_null(r);
	(void)snprintf(r->order, sizeof(r->order), "%s", order);
	r->by = by;
	atomic_store(&r->left, passings);
	return r;
}

static void every_point_has_its_row(void **state)
{
	static const char *const names[] = {
#define FAULT_POINT(id, name, who, can, step) name,
#include "lib/fault.def"
#undef FAULT_POINT
	};
	(void)state;
	for (size_t i = 0; i < FAULT_COUNT; i++) {
		const struct fault_row *r = fault_row(names[i]);

		assert_non_null(r);
		assert_int_equal(r - fault_row(names[0]), i);
		assert_in_range(strlen(r->name), 1, sizeof(r->name) - 1);
		assert_in_range(strlen(r->step), 1, sizeof(r->step) - 1);
		assert_true(r->who != 0);
	}
	assert_null(fault_row("no-such-point"));
}

static void passings_are_counted_for_who_passes(void **state)
{
	const struct fault_row *r = fault_row("milter-mail");

	(void)state;
	FAULT_PASS(MILTER_MAIL);
	fault_i_am(FAULT_BY_KEEPER);
	FAULT_PASS(MILTER_MAIL);
	FAULT_PASS(MILTER_MAIL);
	fault_i_am(FAULT_BY_OTHER);
	assert_int_equal(r->passed[FAULT_BY_OTHER], 1);
	assert_int_equal(r->passed[FAULT_BY_KEEPER], 2);
	assert_int_equal(fault_row("milter-rcpt")->passed[FAULT_BY_OTHER], 0);
}

static void an_order_is_carried_out_once(void **state)
{
	(void)state;
	assert_false(FAULT(MOVE_LOCK));
	arm("move-lock", "fail", 1, 0);
	assert_false(FAULT(MOVE_TRASH));
	assert_true(FAULT(MOVE_LOCK));
	assert_false(FAULT(MOVE_LOCK));
}

static void an_order_waits_for_its_passing(void **state)
{
	(void)state;
	arm("move-lock", "fail", 3, 0);
	assert_false(FAULT(MOVE_LOCK));
	assert_false(FAULT(MOVE_LOCK));
	assert_true(FAULT(MOVE_LOCK));
	assert_false(FAULT(MOVE_LOCK));
}

static void an_order_waits_for_its_program(void **state)
{
	(void)state;
	arm("move-lock", "fail", 1, 1U << FAULT_BY_LMTPD);
	assert_false(FAULT(MOVE_LOCK));
	fault_i_am(FAULT_BY_LMTPD);
	assert_true(FAULT(MOVE_LOCK));
	fault_i_am(FAULT_BY_OTHER);
}

static void what_is_no_order_does_nothing(void **state)
{
	static const char *const words[] = { "", "stall", "stall x", "dies",
					     "failing" };
	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		arm("move-lock", words[i], 1, 0);
		assert_false(FAULT(MOVE_LOCK));
	}
}

static void a_stall_lasts(void **state)
{
	int64_t begun = clock_ms();

	(void)state;
	arm("move-lock", "stall 60", 1, 0);
	assert_false(FAULT(MOVE_LOCK));
	assert_true(clock_ms() - begun >= 60);
}

/* In a process that can open nothing any more, ordered after it began. */
static void a_confined_process_obeys(void **state)
{
	const struct rlimit none = { 0, 0 };
	int status = 0, ready[2];
	char octet;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		fault_i_am(FAULT_BY_SESSION);
		(void)!write(ready[1], "", 1);
		(void)close_range(0, ~0U, 0);
		(void)setrlimit(RLIMIT_NOFILE, &none);
		for (int i = 0; i < 10000; i++) {
			FAULT_PASS(SESSION_BYE);
			usleep(1000);
		}
		_exit(0);
	}
	assert_true(pid > 0);
	assert_int_equal(read(ready[0], &octet, 1), 1);
	arm("session-bye", "die", 5, 1U << FAULT_BY_SESSION);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
	assert_true(fault_row("session-bye")->passed[FAULT_BY_SESSION] >= 5);
	(void)close(ready[0]);
	(void)close(ready[1]);
}

static bool is_shut(int fd)
{
	char octet;
	ssize_t n = recv(fd, &octet, 1, MSG_DONTWAIT);

	assert_true(n == 0 || (n < 0 && errno == EAGAIN));
	return n == 0;
}

/* The other ends tell. A number that another socket has got is left alone. */
static void cut_shuts_the_connections_that_there_are(void **state)
{
	int pair[4][2], owner[4];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair[i]),
				 0);
		fault_connected(&owner[i], pair[i][0]);
	}
	fault_disconnected(&owner[1]);
	(void)close(pair[2][0]);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair[3]), 0);
	assert_int_equal(pair[3][0], pair[2][0]);
	arm("move-lock", "cut", 1, 0);
	assert_false(FAULT(MOVE_LOCK));
	assert_true(is_shut(pair[0][1]));
	assert_false(is_shut(pair[1][1]));
	assert_false(is_shut(pair[3][1]));
	fault_disconnected(&owner[0]);
	fault_disconnected(&owner[2]);
	for (size_t i = 0; i < 4; i++) {
		if (i != 2)
			(void)close(pair[i][0]);
		(void)close(pair[i][1]);
	}
}

static int look_in(const char *where)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		setenv("MAILROW_FAULT_DIR", where, 1);
		execl(program, program, "look", NULL);
		_exit(127);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* Who could not obey ends, and no test passes by it. */
static void a_table_of_another_build_is_fatal(void **state)
{
	char path[64];

	(void)state;
	assert_int_equal(look_in(dir), 0);
	assert_int_equal(look_in("/nowhere/at/all"), EX_SOFTWARE);
	(void)snprintf(path, sizeof(path), "%s/points", dir);
	assert_int_equal(truncate(path, 4096), 0);
	assert_int_equal(look_in(dir), EX_SOFTWARE);
}

static int begin(void **state)
{
	(void)state;
	return mkdtemp(dir) && setenv("MAILROW_FAULT_DIR", dir, 1) == 0 ? 0
									: -1;
}

static int end(void **state)
{
	char path[64];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/points", dir);
	return unlink(path) == 0 && rmdir(dir) == 0 ? 0 : -1;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_point_has_its_row),
		cmocka_unit_test(passings_are_counted_for_who_passes),
		cmocka_unit_test(an_order_is_carried_out_once),
		cmocka_unit_test(an_order_waits_for_its_passing),
		cmocka_unit_test(an_order_waits_for_its_program),
		cmocka_unit_test(what_is_no_order_does_nothing),
		cmocka_unit_test(a_stall_lasts),
		cmocka_unit_test(a_confined_process_obeys),
		cmocka_unit_test(cut_shuts_the_connections_that_there_are),
		cmocka_unit_test(a_table_of_another_build_is_fatal),
	};

	if (argc > 1)
		return fault_row("milter-mail") ? 0 : 1;
	program = argv[0];
	return cmocka_run_group_tests(tests, begin, end);
}
