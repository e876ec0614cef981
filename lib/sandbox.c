/* lib/sandbox.c: see sandbox.h. */
#include "lib/sandbox.h"

#include <errno.h>
#include <linux/landlock.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/syscalls.h"

struct sandbox {
	struct syscalls calls;
	int rules; /* of Landlock, -1: none */
};

/* The kernel's headers may be older than the kernel: what came later stands
 * here (landlock(7)). */
enum {
	ABI_REFER = 2,
	ABI_TRUNCATE = 3,
	ABI_NET = 4,
	ABI_IOCTL = 5,
	ABI_SCOPE = 6
};

#define FS_REFER     (1ULL << 13)
#define FS_TRUNCATE  (1ULL << 14)
#define FS_IOCTL_DEV (1ULL << 15)
#define NET_BIND     (1ULL << 0)
#define NET_CONNECT  (1ULL << 1)
#define SCOPE_SOCKET (1ULL << 0)
#define SCOPE_SIGNAL (1ULL << 1)

struct landlock_attr {
	uint64_t fs, net, scoped;
};

#define FS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)

static uint64_t fs_rights(long abi)
{
	uint64_t all = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;

	if (abi >= ABI_REFER)
		all |= FS_REFER;
	if (abi >= ABI_TRUNCATE)
		all |= FS_TRUNCATE;
	if (abi >= ABI_IOCTL)
		all |= FS_IOCTL_DEV;
	return all;
}

/* A right that is named and to which no rule makes an exception is gone. A
 * service must read its files and connect anywhere; its devices are
 * /dev/null. */
static struct landlock_attr landlock_rights(enum sandbox_role role, long abi)
{
	struct landlock_attr a = { .fs = fs_rights(abi) };

	if (abi >= ABI_SCOPE)
		a.scoped = SCOPE_SIGNAL;
	if (role == SANDBOX_SESSION) {
		a.net = abi >= ABI_NET ? NET_BIND | NET_CONNECT : 0;
		a.scoped |= abi >= ABI_SCOPE ? SCOPE_SOCKET : 0;
	} else {
		a.fs &= ~(FS_READ | FS_IOCTL_DEV);
	}
	return a;
}

/* How much of the struct a kernel knows. */
static size_t landlock_size(long abi)
{
	return abi >= ABI_SCOPE ? 24 : abi >= ABI_NET ? 16 : 8;
}

static int landlock_rules(enum sandbox_role role)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
			   LANDLOCK_CREATE_RULESET_VERSION);
	struct landlock_attr a;

	if (abi < 1)
		return -1;
	a = landlock_rights(role, abi);
	return (int)syscall(SYS_landlock_create_ruleset, &a, landlock_size(abi),
			    0);
}

static void lacks(struct buf *why, const char *what)
{
	if (why->n > 0)
		buf_puts(why, "; ");
	buf_puts(why, what);
}

struct sandbox *sandbox_new(enum sandbox_role role, struct buf *why)
{
	struct sandbox *s = malloc(sizeof(*s));
	const char *lacking;

	if (!s) {
		buf_puts(why, "out of memory");
		return NULL;
	}
	if (!syscalls_compile(role, &s->calls, &lacking))
		lacks(why, lacking);
	s->rules = landlock_rules(role);
	if (s->rules < 0)
		lacks(why, "no Landlock in this kernel");
	return s;
}

void sandbox_free(struct sandbox **sp)
{
	struct sandbox *s = *sp;

	if (!s)
		return;
	syscalls_release(&s->calls);
	if (s->rules >= 0)
		(void)close(s->rules);
	free(s);
	*sp = NULL;
}

bool sandbox_drop_files(const struct sandbox *s)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return false;
	return !s || s->rules < 0 ||
	       syscall(SYS_landlock_restrict_self, s->rules, 0) == 0;
}

bool sandbox_drop_calls(const struct sandbox *s)
{
	return !s || syscalls_confine(&s->calls);
}
