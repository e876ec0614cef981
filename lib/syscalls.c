/* lib/syscalls.c: see syscalls.h. */
#include "lib/syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <seccomp.h>

/* What a session does: talk, wait, keep memory, end. */
static const int session_calls[] = {
	SCMP_SYS(brk),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(close),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	SCMP_SYS(futex),
	SCMP_SYS(getpid),
	SCMP_SYS(getrandom),
	SCMP_SYS(getsockopt),
	SCMP_SYS(gettid),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(madvise),
	SCMP_SYS(mremap),
	SCMP_SYS(munmap),
	SCMP_SYS(nanosleep),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(read),
	SCMP_SYS(readv),
	SCMP_SYS(recvfrom),
	SCMP_SYS(recvmsg),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigpending),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sendmsg),
	SCMP_SYS(sendto),
	SCMP_SYS(setsockopt),
	SCMP_SYS(shutdown),
	SCMP_SYS(time),
	SCMP_SYS(write),
	SCMP_SYS(writev),
};

/* What a service does beside: connect, read files, have threads. */
static const int service_calls[] = {
	SCMP_SYS(accept4),
	SCMP_SYS(access),
	SCMP_SYS(bind),
	SCMP_SYS(close_range),
	SCMP_SYS(connect),
	SCMP_SYS(dup),
	SCMP_SYS(dup2),
	SCMP_SYS(dup3),
	SCMP_SYS(epoll_create1),
	SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_pwait),
	SCMP_SYS(epoll_wait),
	SCMP_SYS(eventfd2),
	SCMP_SYS(faccessat),
	SCMP_SYS(faccessat2),
	SCMP_SYS(fadvise64),
	SCMP_SYS(fcntl),
	SCMP_SYS(fstat),
	SCMP_SYS(getcwd),
	SCMP_SYS(getdents64),
	SCMP_SYS(getegid),
	SCMP_SYS(geteuid),
	SCMP_SYS(getgid),
	SCMP_SYS(getpeername),
	SCMP_SYS(getppid),
	SCMP_SYS(getresgid),
	SCMP_SYS(getresuid),
	SCMP_SYS(getrlimit),
	SCMP_SYS(getrusage),
	SCMP_SYS(getsockname),
	SCMP_SYS(getuid),
	SCMP_SYS(ioctl),
	SCMP_SYS(kill),
	SCMP_SYS(lseek),
	SCMP_SYS(lstat),
	SCMP_SYS(membarrier),
	SCMP_SYS(mlock),
	SCMP_SYS(mlock2),
	SCMP_SYS(munlock),
	SCMP_SYS(newfstatat),
	SCMP_SYS(pipe2),
	SCMP_SYS(prctl),
	SCMP_SYS(pread64),
	SCMP_SYS(prlimit64),
	SCMP_SYS(readlink),
	SCMP_SYS(readlinkat),
	SCMP_SYS(recvmmsg),
	SCMP_SYS(rseq),
	SCMP_SYS(rt_sigsuspend),
	SCMP_SYS(rt_sigtimedwait),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(sched_yield),
	SCMP_SYS(select),
	SCMP_SYS(pselect6),
	SCMP_SYS(sendmmsg),
	SCMP_SYS(set_robust_list),
	SCMP_SYS(setitimer),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(signalfd4),
	SCMP_SYS(socketpair),
	SCMP_SYS(stat),
	SCMP_SYS(statfs),
	SCMP_SYS(statx),
	SCMP_SYS(sysinfo),
	SCMP_SYS(tgkill),
	SCMP_SYS(uname),
};

/* Nobody makes these but an intruder: they end the process, so that it is
 * seen, where others only fail. */
static const int hostile_calls[] = {
	SCMP_SYS(execve),
	SCMP_SYS(execveat),
	SCMP_SYS(ptrace),
	SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev),
	SCMP_SYS(mount),
	SCMP_SYS(umount2),
	SCMP_SYS(pivot_root),
	SCMP_SYS(chroot),
	SCMP_SYS(init_module),
	SCMP_SYS(finit_module),
	SCMP_SYS(kexec_load),
	SCMP_SYS(bpf),
	SCMP_SYS(userfaultfd),
	SCMP_SYS(perf_event_open),
	SCMP_SYS(keyctl),
	SCMP_SYS(add_key),
	SCMP_SYS(unshare),
	SCMP_SYS(setns),
	SCMP_SYS(memfd_create),
};

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static bool act_on(scmp_filter_ctx f, uint32_t act, const int *call, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		/* one that this architecture does not have is no fault */
		int r = seccomp_rule_add(f, act, call[i], 0);

		if (r != 0 && r != -EDOM)
			return false;
	}
	return true;
}

/* Allows a call when the bits of mask in its argument are those of value. */
static bool allow_if(scmp_filter_ctx f, int call, unsigned arg, uint64_t mask,
		     uint64_t value)
{
	return seccomp_rule_add(
		       f, SCMP_ACT_ALLOW, call, 1,
		       SCMP_CMP(arg, SCMP_CMP_MASKED_EQ, mask, value)) == 0;
}

/* No memory that is both written and run. */
static bool add_memory(scmp_filter_ctx f)
{
	return allow_if(f, SCMP_SYS(mmap), 2, PROT_EXEC, 0) &&
	       allow_if(f, SCMP_SYS(mprotect), 2, PROT_EXEC, 0);
}

/* abort() makes the best of it, and dies of another signal. */
static bool add_session(scmp_filter_ctx f)
{
	const int signals[] = { SCMP_SYS(kill), SCMP_SYS(tgkill) };

	return act_on(f, SCMP_ACT_ALLOW, session_calls, COUNT(session_calls)) &&
	       act_on(f, SCMP_ACT_ERRNO(EPERM), signals, COUNT(signals)) &&
	       add_memory(f);
}

static bool allow_family(scmp_filter_ctx f, int family)
{
	return seccomp_rule_add(
		       f, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
		       SCMP_CMP(0, SCMP_CMP_EQ, (scmp_datum_t)family, 0)) == 0;
}

/* What would change a file, also one that is opened to be read. */
enum { OPEN_CHANGES = O_ACCMODE | O_CREAT | O_TRUNC };

/* A file is opened to be read; a clone is a thread. Of clone3() the filter
 * cannot see the flags: the C library then takes the old one. The resolver
 * asks the kernel for its addresses by netlink. */
static bool add_service(scmp_filter_ctx f)
{
	const int clone3[] = { SCMP_SYS(clone3) };

	return act_on(f, SCMP_ACT_ALLOW, session_calls, COUNT(session_calls)) &&
	       act_on(f, SCMP_ACT_ALLOW, service_calls, COUNT(service_calls)) &&
	       act_on(f, SCMP_ACT_KILL_PROCESS, hostile_calls,
		      COUNT(hostile_calls)) &&
	       act_on(f, SCMP_ACT_ERRNO(ENOSYS), clone3, 1) && add_memory(f) &&
	       allow_if(f, SCMP_SYS(clone), 0, CLONE_THREAD, CLONE_THREAD) &&
	       allow_if(f, SCMP_SYS(open), 1, OPEN_CHANGES, 0) &&
	       allow_if(f, SCMP_SYS(openat), 2, OPEN_CHANGES, 0) &&
	       allow_family(f, AF_UNIX) && allow_family(f, AF_INET) &&
	       allow_family(f, AF_INET6) && allow_family(f, AF_NETLINK);
}

static const struct {
	uint32_t otherwise;
	bool (*add)(scmp_filter_ctx);
} roles[] = {
	[SANDBOX_SESSION] = { SCMP_ACT_KILL_PROCESS, add_session },
	[SANDBOX_SERVICE] = { SCMP_ACT_ERRNO(EPERM), add_service },
};

/* libseccomp writes a program only into a file. */
static bool export(scmp_filter_ctx f, struct syscalls *s_r)
{
	int fd = memfd_create("filter", MFD_CLOEXEC);
	off_t size;
	bool ok;

	if (fd < 0)
		return false;
	ok = seccomp_export_bpf(f, fd) == 0;
	size = lseek(fd, 0, SEEK_END);
	s_r->octets = size > 0 ? (size_t)size : 0;
	s_r->program = ok && size > 0 ? malloc(s_r->octets) : NULL;
	ok = s_r->program && pread(fd, s_r->program, s_r->octets, 0) == size;
	(void)close(fd);
	return ok;
}

/* A kernel that has no filters does not look at the program. */
static bool is_supported(void)
{
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL, 0, 0) == 0 ||
	       errno == EFAULT;
}

/* As a tree: the most usual calls are found in few steps. */
bool syscalls_compile(enum sandbox_role role, struct syscalls *s_r,
		      const char **why_r)
{
	scmp_filter_ctx f;
	bool ok;

	*s_r = (struct syscalls){ NULL, 0 };
	*why_r = "this kernel cannot filter system calls";
	if (!is_supported())
		return false;
	*why_r = "cannot make the filter of system calls";
	f = seccomp_init(roles[role].otherwise);
	if (!f)
		return false;
	(void)seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	(void)seccomp_attr_set(f, SCMP_FLTATR_CTL_LOG, 1);
	ok = roles[role].add(f) && export(f, s_r);
	seccomp_release(f);
	if (!ok)
		syscalls_release(s_r);
	return ok;
}

void syscalls_release(struct syscalls *s)
{
	free(s->program);
	*s = (struct syscalls){ NULL, 0 };
}

bool syscalls_confine(const struct syscalls *s)
{
	const struct sock_fprog program = {
		.len = (unsigned short)(s->octets / sizeof(struct sock_filter)),
		.filter = s->program,
	};

	return s->octets == 0 ||
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}
