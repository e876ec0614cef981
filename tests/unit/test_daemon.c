#include "lib/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/clock.h"
#include "lib/supervise.h"

/* Children tell what happened to them through this pipe. */
static int news[2];

static void tell(char c)
{
	if (write(news[1], &c, 1) != 1)
		_exit(99);
}

/* The next news within five seconds; 0 when there is none. */
static char hear(void)
{
	struct pollfd p = { .fd = news[0], .events = POLLIN };
	char c;

	return poll(&p, 1, 5000) == 1 && read(news[0], &c, 1) == 1 ? c : 0;
}

static int open_news(void **state)
{
	(void)state;
	return pipe(news);
}

static int close_news(void **state)
{
	(void)state;
	close(news[0]);
	close(news[1]);
	return 0;
}

/* A process that runs f and leaves with its result. */
static pid_t start(int (*f)(void *arg), void *arg)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(f(arg));
	return pid;
}

static int end_of(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status)
				 : 1000 + WTERMSIG(status);
}

/* A child that tells its signals and ends at SIGTERM with code 0. */
static int tell_signals(void *arg)
{
	const int signals[] = { SIGTERM, SIGUSR1, SIGHUP };
	int fd = daemon_signalfd(signals, 3);
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct signalfd_siginfo si;

	(void)arg;
	tell('s');
	for (;;) {
		if (poll(&p, 1, 10000) != 1 ||
		    read(fd, &si, sizeof(si)) != sizeof(si))
			return 98;
		tell(si.ssi_signo == SIGTERM   ? 'T'
		     : si.ssi_signo == SIGUSR1 ? 'U'
					       : 'H');
		if (si.ssi_signo == SIGTERM)
			return 0;
	}
}

static int crash(void *arg)
{
	(void)arg;
	tell('s');
	(void)raise(SIGKILL);
	return 0;
}

static int give_up(void *arg)
{
	const int *code = arg;

	tell('s');
	return *code;
}

static int stubborn(void *arg)
{
	(void)signal(SIGTERM, SIG_IGN);
	tell('s');
	(void)arg;
	(void)usleep(300000);
	return 7;
}

static int supervise(void *child_main)
{
	int (**f)(void *) = child_main;
	const struct supervise_child child = { "the child", *f, NULL };

	return supervise_run(&child, 1, SIGUSR1);
}

static int supervise_code(void *arg)
{
	const struct supervise_child child = { "the child", give_up, arg };

	return supervise_run(&child, 1, SIGUSR1);
}

static int supervise_two(void *arg)
{
	const struct supervise_child child[] = { { "one", tell_signals, arg },
						 { "two", tell_signals, arg } };

	return supervise_run(child, 2, SIGUSR1);
}

/* The second gives up when it is told to reload. */
static int give_up_later(void *arg)
{
	const int signals[] = { SIGUSR1 };
	int fd = daemon_signalfd(signals, 1);
	struct pollfd p = { .fd = fd, .events = POLLIN };

	(void)arg;
	tell('s');
	(void)poll(&p, 1, -1);
	return EX_CONFIG;
}

static int supervise_unlike(void *arg)
{
	const struct supervise_child child[] = {
		{ "one", tell_signals, arg }, { "two", give_up_later, arg }
	};

	return supervise_run(child, 2, SIGUSR1);
}

static void signals_pass_to_the_child_and_the_parent_ends_with_it(void **state)
{
	static const int stop[] = { SIGTERM, SIGINT };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		int (*f)(void *) = tell_signals;
		pid_t pid = start(supervise, &f);

		assert_int_equal(hear(), 's');
		assert_int_equal(kill(pid, SIGHUP), 0);
		assert_int_equal(hear(), 'U');
		assert_int_equal(kill(pid, stop[i]), 0);
		assert_int_equal(hear(), 'T');
		assert_int_equal(end_of(pid), 0);
	}
}

static void hear_twice(char c)
{
	assert_int_equal(hear(), c);
	assert_int_equal(hear(), c);
}

static void all_children_get_the_signals(void **state)
{
	pid_t pid = start(supervise_two, NULL);

	(void)state;
	hear_twice('s');
	assert_int_equal(kill(pid, SIGHUP), 0);
	hear_twice('U');
	assert_int_equal(kill(pid, SIGTERM), 0);
	hear_twice('T');
	assert_int_equal(end_of(pid), 0);
}

/* It takes its signals only after a while. */
static int start_slowly(void *arg)
{
	tell('s');
	(void)usleep(300000);
	return tell_signals(arg);
}

static void a_reload_waits_for_a_child_that_is_starting(void **state)
{
	int (*f)(void *) = start_slowly;
	pid_t pid = start(supervise, &f);

	(void)state;
	assert_int_equal(hear(), 's');
	assert_int_equal(kill(pid, SIGHUP), 0);
	assert_int_equal(hear(), 's');
	assert_int_equal(hear(), 'U');
	assert_int_equal(kill(pid, SIGTERM), 0);
	assert_int_equal(hear(), 'T');
	assert_int_equal(end_of(pid), 0);
}

/* Whoever has taken a child over can write what he likes to its parent. */
static int tell_lies(void *arg)
{
	unsigned char lie[256];
	struct stat st;

	memset(lie, 0x7f, sizeof(lie));
	for (int fd = 3; fd < 64; fd++)
		if (fd != news[0] && fd != news[1] && fstat(fd, &st) == 0 &&
		    S_ISFIFO(st.st_mode) &&
		    (fcntl(fd, F_GETFL) & O_ACCMODE) == O_WRONLY &&
		    write(fd, lie, sizeof(lie)) == (ssize_t)sizeof(lie))
			tell('l');
	return tell_signals(arg);
}

static void a_child_cannot_harm_its_parent(void **state)
{
	int (*f)(void *) = tell_lies;
	pid_t pid = start(supervise, &f);

	(void)state;
	assert_int_equal(hear(), 'l');
	assert_int_equal(hear(), 's');
	assert_int_equal(kill(pid, SIGTERM), 0);
	assert_int_equal(hear(), 'T');
	assert_int_equal(end_of(pid), 0);
}

static void one_that_gives_up_ends_them_all(void **state)
{
	pid_t pid = start(supervise_unlike, NULL);
	char heard[2];

	(void)state;
	hear_twice('s');
	assert_int_equal(kill(pid, SIGHUP), 0);
	heard[0] = hear();
	heard[1] = hear();
	assert_int_equal(heard[0], 'U');
	assert_int_equal(heard[1], 'T');
	assert_int_equal(end_of(pid), EX_CONFIG);
}

static void a_dead_child_is_started_again_after_a_pause(void **state)
{
	int (*f)(void *) = crash;
	int64_t begin = clock_ms();
	pid_t pid = start(supervise, &f);

	(void)state;
	assert_int_equal(hear(), 's');
	assert_int_equal(hear(), 's');
	assert_in_range(clock_ms() - begin, 1000, 1900);
	assert_int_equal(hear(), 's');
	assert_in_range(clock_ms() - begin, 3000, 4500);
	(void)usleep(300000); /* it is dead now, and the parent knows it */
	assert_int_equal(kill(pid, SIGTERM), 0);
	assert_int_equal(end_of(pid), 0);
}

static void what_no_restart_repairs_ends_the_parent(void **state)
{
	static int code[] = { EX_CONFIG, EX_USAGE, EX_NOUSER, EX_NOPERM };

	(void)state;
	for (size_t i = 0; i < sizeof(code) / sizeof(*code); i++) {
		pid_t pid = start(supervise_code, &code[i]);

		assert_int_equal(hear(), 's');
		assert_int_equal(end_of(pid), code[i]);
	}
}

static void the_exit_code_is_that_of_the_child_that_was_stopped(void **state)
{
	int (*f)(void *) = stubborn;
	pid_t pid = start(supervise, &f);

	(void)state;
	assert_int_equal(hear(), 's');
	assert_int_equal(kill(pid, SIGTERM), 0);
	assert_int_equal(end_of(pid), 7);
}

static void a_child_ends_when_its_parent_is_killed(void **state)
{
	int (*f)(void *) = tell_signals;
	pid_t pid = start(supervise, &f);

	(void)state;
	assert_int_equal(hear(), 's');
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(hear(), 'T');
	assert_int_equal(end_of(pid), 1000 + SIGKILL);
}

/* The child of the supervisor gives up root, then its parent is killed. */
static int become_and_tell(void *arg)
{
	struct daemon_user u;
	gid_t extra = 54321, got[4];
	int n;

	daemon_find_user("nobody", &u);
	daemon_become(&u, extra);
	n = getgroups(4, got);
	if (getuid() != u.uid || getgid() != u.gid || setuid(0) == 0 ||
	    n != 1 || got[0] != extra)
		tell('!');
	return tell_signals(arg);
}

static void giving_up_root_is_for_good_and_keeps_the_death_signal(void **state)
{
	int (*f)(void *) = become_and_tell;
	pid_t pid;

	(void)state;
	if (geteuid() != 0)
		skip();
	pid = start(supervise, &f);
	assert_int_equal(hear(), 's');
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(hear(), 'T');
	(void)end_of(pid);
}

static int become_somebody_else(void *arg)
{
	struct daemon_user u = { .uid = getuid() + 1, .name = "else" };

	(void)arg;
	if (geteuid() == 0) {
		struct daemon_user nobody;

		daemon_find_user("nobody", &nobody);
		daemon_become(&nobody, (gid_t)-1);
		if (getgroups(0, NULL) != 0)
			return 97;
	}
	daemon_become(&u, (gid_t)-1);
	return 0;
}

static int find_user(void *arg)
{
	struct daemon_user u;

	daemon_find_user(arg, &u);
	return 0;
}

static int find_group(void *arg)
{
	return daemon_find_group(arg) == 0 ? 0 : 96;
}

static void unknown_users_are_fatal(void **state)
{
	static char root[] = "root", none[] = "no-such-user-here";

	(void)state;
	assert_int_equal(end_of(start(find_user, root)), 0);
	assert_int_equal(end_of(start(find_user, none)), EX_NOUSER);
	assert_int_equal(end_of(start(find_group, root)), 0);
	assert_int_equal(end_of(start(find_group, none)), EX_NOUSER);
	assert_int_equal(end_of(start(become_somebody_else, NULL)), EX_NOPERM);
}

static int prepared(void *arg)
{
	struct rlimit core;
	struct stat in, null;
	int fd;

	(void)arg;
	close(1);
	daemon_prepare();
	fd = open("/dev/null", O_RDONLY);
	if (fd < 3 || fstat(0, &in) != 0 || fstat(fd, &null) != 0 ||
	    in.st_rdev != null.st_rdev)
		return 1;
	if (umask(0) != 027 || getrlimit(RLIMIT_CORE, &core) != 0 ||
	    core.rlim_cur != 0)
		return 2;
	(void)raise(SIGPIPE);
	return 0;
}

static void a_prepared_daemon_has_a_safe_environment(void **state)
{
	(void)state;
	assert_int_equal(end_of(start(prepared, NULL)), 0);
}

static int need_files(void *arg)
{
	struct rlimit l = { 64, 128 };

	(void)arg;
	if (setrlimit(RLIMIT_NOFILE, &l) != 0 || !daemon_need_files(60) ||
	    !daemon_need_files(100) || daemon_need_files(1000))
		return 1;
	return getrlimit(RLIMIT_NOFILE, &l) != 0 || l.rlim_cur != 128;
}

static void descriptors_are_raised_to_the_hard_limit(void **state)
{
	(void)state;
	assert_int_equal(end_of(start(need_files, NULL)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			signals_pass_to_the_child_and_the_parent_ends_with_it),
		cmocka_unit_test(all_children_get_the_signals),
		cmocka_unit_test(a_reload_waits_for_a_child_that_is_starting),
		cmocka_unit_test(a_child_cannot_harm_its_parent),
		cmocka_unit_test(one_that_gives_up_ends_them_all),
		cmocka_unit_test(a_dead_child_is_started_again_after_a_pause),
		cmocka_unit_test(what_no_restart_repairs_ends_the_parent),
		cmocka_unit_test(
			the_exit_code_is_that_of_the_child_that_was_stopped),
		cmocka_unit_test(a_child_ends_when_its_parent_is_killed),
		cmocka_unit_test(
			giving_up_root_is_for_good_and_keeps_the_death_signal),
		cmocka_unit_test(unknown_users_are_fatal),
		cmocka_unit_test(a_prepared_daemon_has_a_safe_environment),
		cmocka_unit_test(descriptors_are_raised_to_the_hard_limit),
	};

	return cmocka_run_group_tests(tests, open_news, close_news);
}
