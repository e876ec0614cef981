/* sql/readfile.c: see readfile.h. */
#include "sql/readfile.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static bool read_all(int fd, struct buf *b)
{
	enum { PIECE = 4096 };

	for (;;) {
		char *p = buf_reserve(b, PIECE);
		ssize_t n;

		if (!p) {
			errno = EFBIG;
			return false;
		}
		n = read(fd, p, PIECE);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0;
		b->n += (size_t)n;
	}
}

/* O_NONBLOCK: to open a FIFO must not wait for its writer. */
bool readfile(const char *path, struct buf *b, mode_t *mode_r)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	bool ok;
	int saved;

	if (fd < 0)
		return false;
	ok = fstat(fd, &st) == 0;
	if (ok && !S_ISREG(st.st_mode)) {
		errno = EINVAL;
		ok = false;
	}
	ok = ok && read_all(fd, b);
	saved = errno;
	if (ok && mode_r)
		*mode_r = st.st_mode;
	close(fd);
	errno = saved;
	return ok;
}
