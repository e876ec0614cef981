/* What the filter of system calls allows a service by itself: a kernel whose
 * Landlock is old leaves it no other help. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/syscalls.h"

static char path[64];
static struct syscalls calls;

static int setup(void **state)
{
	const char *why;
	int fd;

	(void)state;
	(void)snprintf(path, sizeof(path), "/tmp/test_syscalls.XXXXXX");
	fd = mkstemp(path);
	if (fd < 0 || write(fd, "kept", 4) != 4 || close(fd) != 0)
		return -1;
	if (!syscalls_compile(SANDBOX_SERVICE, &calls, &why))
		print_message("no filter: %s\n", why);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	syscalls_release(&calls);
	return unlink(path);
}

/* The errno of an open() in a service, 0: none. */
static int errno_of(long call, int flags)
{
	pid_t pid = fork();
	int status;
	long fd;

	assert_true(pid >= 0);
	if (pid == 0) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
		    !syscalls_confine(&calls))
			_exit(255);
		fd = call == SYS_openat
			     ? syscall(call, AT_FDCWD, path, flags, 0)
			     : syscall(call, path, flags, 0);
		_exit(fd < 0 ? errno : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void opens(long call)
{
	const int changing[] = { O_WRONLY, O_RDWR, O_RDONLY | O_CREAT,
				 O_RDONLY | O_TRUNC };
	struct stat st;

	if (calls.octets == 0)
		skip();
	assert_int_equal(errno_of(call, O_RDONLY), 0);
	assert_int_equal(errno_of(call, O_RDONLY | O_CLOEXEC | O_DIRECTORY),
			 ENOTDIR);
	for (size_t i = 0; i < sizeof(changing) / sizeof(*changing); i++)
		assert_int_equal(errno_of(call, changing[i]), EPERM);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 4);
}

static void a_service_opens_files_to_read_them_only(void **state)
{
	(void)state;
	opens(SYS_openat);
#ifdef SYS_open
	opens(SYS_open);
#endif
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_service_opens_files_to_read_them_only),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
