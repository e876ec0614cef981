/* policy/notice_hook.c: see notice_hook.h. */
#include "policy/notice_hook.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"

enum { ARGUMENTS = 12, NUMBER_MAX = 24, POLL_MS = 20 };

struct arguments {
	char number[7][NUMBER_MAX];
	char subject[ADDR_MAX + 1];
	char *v[ARGUMENTS + 1];
};

static void put_number(char to[NUMBER_MAX], uint64_t number)
{
	if (number == UINT64_MAX)
		(void)snprintf(to, NUMBER_MAX, "-");
	else
		(void)snprintf(to, NUMBER_MAX, "%llu",
			       (unsigned long long)number);
}

/* execve() wants them without const, and changes nothing. */
static char *word(const char *s)
{
	union {
		const char *c;
		char *p;
	} u = { .c = s };

	return u.p;
}

static void fill(struct arguments *a, const char *command,
		 const struct notice *n)
{
	const uint64_t numbers[] = { n->seconds,         n->used.messages,
				     n->most.messages,   n->used.recipients,
				     n->most.recipients, n->used.octets,
				     n->most.octets };
	size_t i = 0;

	memcpy(a->subject, n->subject, sizeof(a->subject));
	a->v[i++] = word(command);
	a->v[i++] = word("limit");
	a->v[i++] = word(noticetext_kind(n));
	a->v[i++] = word(limit_direction_name(n->direction));
	a->v[i++] = a->subject;
	for (size_t k = 0; k < 7; k++) {
		put_number(a->number[k], numbers[k]);
		a->v[i++] = a->number[k];
	}
	a->v[i] = NULL;
}

/* Nothing of ours is open in it: neither the MTA's connections nor the
 * database's. */
static int set_files(posix_spawn_file_actions_t *act)
{
	int e = posix_spawn_file_actions_addopen(act, 0, "/dev/null", O_RDWR,
						 0);

	if (e == 0)
		e = posix_spawn_file_actions_adddup2(act, 0, 1);
	if (e == 0)
		e = posix_spawn_file_actions_adddup2(act, 0, 2);
	if (e == 0)
		e = posix_spawn_file_actions_addclosefrom_np(act, 3);
	return e;
}

/* Signals as a program expects them, and a process group of its own, so that
 * all of it can be killed. */
static int set_signals(posix_spawnattr_t *attr)
{
	sigset_t none, all;
	int e;

	(void)sigemptyset(&none);
	(void)sigfillset(&all);
	e = posix_spawnattr_setsigmask(attr, &none);
	if (e == 0)
		e = posix_spawnattr_setsigdefault(attr, &all);
	if (e == 0)
		e = posix_spawnattr_setpgroup(attr, 0);
	if (e == 0)
		e = posix_spawnattr_setflags(
			attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
				      POSIX_SPAWN_SETPGROUP);
	return e;
}

static int start(char **argv, pid_t *pid_r)
{
	static char path[] = "PATH=/usr/local/bin:/usr/bin:/bin";
	char *environment[] = { path, NULL };
	posix_spawn_file_actions_t act;
	posix_spawnattr_t attr;
	int e = posix_spawn_file_actions_init(&act);

	if (e != 0)
		return e;
	e = posix_spawnattr_init(&attr);
	if (e == 0) {
		e = set_files(&act);
		if (e == 0)
			e = set_signals(&attr);
		if (e == 0)
			e = posix_spawn(pid_r, argv[0], &act, &attr, argv,
					environment);
		(void)posix_spawnattr_destroy(&attr);
	}
	(void)posix_spawn_file_actions_destroy(&act);
	return e;
}

static void log_end(const char *command, int status)
{
	if (WIFSIGNALED(status))
		log_warn("notify_command '%s' was killed by signal %d", command,
			 WTERMSIG(status));
	else if (WEXITSTATUS(status) != 0)
		log_warn("notify_command '%s' ended with code %d", command,
			 WEXITSTATUS(status));
}

static void await(const char *command, pid_t pid)
{
	const struct timespec pause = { 0, POLL_MS * 1000000L };
	int64_t deadline = deadline_in(NOTICE_HOOK_MS);
	int status = 0;
	pid_t ended;

	while ((ended = waitpid(pid, &status, WNOHANG)) == 0 &&
	       deadline_left(deadline) > 0)
		(void)nanosleep(&pause, NULL);
	if (ended == 0) {
		log_warn("notify_command '%s' takes more than %d s: killed",
			 command, NOTICE_HOOK_MS / 1000);
		(void)kill(-pid, SIGKILL);
		ended = waitpid(pid, &status, 0);
		return;
	}
	if (ended == pid)
		log_end(command, status);
}

void notice_hook(const char *command, const struct notice *n)
{
	struct arguments a;
	pid_t pid;
	int e;

	fill(&a, command, n);
	e = start(a.v, &pid);
	if (e == 0)
		await(command, pid);
	else
		log_warn("cannot run notify_command '%s': %s", command,
			 strerror(e));
}
