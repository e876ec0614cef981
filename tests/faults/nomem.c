/* tests/faults/nomem.c: preloaded into a daemon, fails one allocation: the
 * n-th after it was told to, by whom it was told to. The orders stand in the
 * file $MAILROW_NOMEM, which all processes share, confined ones too; there is
 * also noted where the allocation was. See nomem.py. */
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { FRAMES = 24, OBJECT_SIZE = 40, SPARED = 8 };

struct frame {
	char object[OBJECT_SIZE];
	uint64_t offset;
};

struct orders {
	_Atomic int64_t left; /* allocations until one fails, 0 = none does */
	int32_t only;         /* process id, 0 = any */
	int32_t spared[SPARED];
	_Atomic uint32_t failed;
	uint32_t frames;
	struct frame frame[FRAMES];
};

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t size);
extern void *__libc_memalign(size_t align, size_t size);

static struct orders *orders;
static pid_t self;

static void know_self(void)
{
	self = getpid();
}

/* backtrace() loads what it needs at its first call. */
__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("MAILROW_NOMEM");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *frame[1], *p;

	(void)backtrace(frame, 1);
	(void)pthread_atfork(NULL, NULL, know_self);
	know_self();
	if (fd < 0)
		return;
	p = mmap(NULL, sizeof(*orders), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		 0);
	(void)close(fd);
	if (p != MAP_FAILED)
		orders = p;
}

static bool is_for_us(void)
{
	if (orders->only)
		return orders->only == self;
	for (size_t i = 0; i < SPARED; i++)
		if (orders->spared[i] == self)
			return false;
	return true;
}

static void note_where(void)
{
	void *at[FRAMES + 3];
	int n = backtrace(at, FRAMES + 3);
	uint32_t frames = 0;

	for (int i = 3; i < n; i++) {
		struct frame *f = &orders->frame[frames++];
		const char *name;
		Dl_info info;

		if (!dladdr(at[i], &info) || !info.dli_fname) {
			f->object[0] = '\0';
			continue;
		}
		name = strrchr(info.dli_fname, '/');
		name = name ? name + 1 : info.dli_fname;
		memset(f->object, 0, sizeof(f->object));
		memcpy(f->object, name, strnlen(name, OBJECT_SIZE - 1));
		f->offset = (uint64_t)((char *)at[i] - (char *)info.dli_fbase);
	}
	orders->frames = frames;
}

static __attribute__((noinline)) bool fails(void)
{
	if (!orders || atomic_load(&orders->left) <= 0 || !is_for_us() ||
	    atomic_fetch_sub(&orders->left, 1) != 1)
		return false;
	note_where();
	atomic_store(&orders->failed, 1);
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	return fails() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
	return fails() ? NULL : __libc_realloc(p, size);
}

void *reallocarray(void *p, size_t n, size_t size)
{
	size_t octets;

	if (__builtin_mul_overflow(n, size, &octets)) {
		errno = ENOMEM;
		return NULL;
	}
	return fails() ? NULL : __libc_realloc(p, octets);
}

void *memalign(size_t align, size_t size)
{
	return fails() ? NULL : __libc_memalign(align, size);
}

void *aligned_alloc(size_t align, size_t size)
{
	return fails() ? NULL : __libc_memalign(align, size);
}

int posix_memalign(void **p, size_t align, size_t size)
{
	void *got = fails() ? NULL : __libc_memalign(align, size);

	if (!got)
		return ENOMEM;
	*p = got;
	return 0;
}
