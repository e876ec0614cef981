#include "lib/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* The head stays in memory, only what exceeds it goes to the file. */
struct spool {
	struct buf head;
	uint64_t tail; /* octets in the file */
	int fd;
	char why[160];
	char dir[];
};

struct spool *spool_new(const char *dir, size_t memory)
{
	size_t n = strlen(dir) + 1;
	struct spool *s = calloc(1, sizeof(*s) + n);

	if (!s)
		return NULL;
	buf_init(&s->head, memory);
	s->fd = -1;
	memcpy(s->dir, dir, n);
	return s;
}

void spool_free(struct spool **s)
{
	if (!*s)
		return;
	buf_release(&(*s)->head);
	if ((*s)->fd >= 0)
		close((*s)->fd);
	free(*s);
	*s = NULL;
}

static bool spool_failed(struct spool *s, const char *what, const char *reason)
{
	(void)snprintf(s->why, sizeof(s->why), "cannot %s in '%.80s': %s", what,
		       s->dir, reason);
	return false;
}

/* For file systems that have no O_TMPFILE. */
static int spool_open_named(const char *dir)
{
	char path[4096];
	int fd;

	if (snprintf(path, sizeof(path), "%s/spool.XXXXXX", dir) >=
	    (int)sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		(void)unlink(path);
	return fd;
}

static bool spool_open_file(struct spool *s)
{
	if (s->fd >= 0)
		return true;
	s->fd = open(s->dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (s->fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR))
		s->fd = spool_open_named(s->dir);
	if (s->fd < 0)
		return spool_failed(s, "create a temporary file",
				    strerror(errno));
	return true;
}

static bool spool_put_file(struct spool *s, struct span piece)
{
	ssize_t n;

	if (!spool_open_file(s))
		return false;
	while (piece.n) {
		n = pwrite(s->fd, piece.p, piece.n, (off_t)s->tail);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return spool_failed(s, "write a temporary file",
					    strerror(n < 0 ? errno : ENOSPC));
		s->tail += (uint64_t)n;
		piece = span_skip(piece, (size_t)n);
	}
	return true;
}

bool spool_put(struct spool *s, struct span piece)
{
	size_t room = s->head.max - s->head.n;
	struct span head = span_head(piece, room);

	if (s->why[0])
		return false;
	buf_put_span(&s->head, head);
	if (!buf_ok(&s->head))
		return spool_failed(s, "keep a message", "out of memory");
	piece = span_skip(piece, head.n);
	return piece.n == 0 || spool_put_file(s, piece);
}

const char *spool_why(const struct spool *s)
{
	return s->why;
}

uint64_t spool_size(const struct spool *s)
{
	return s->head.n + s->tail;
}

static int64_t spool_read_file(struct spool *s, uint64_t offset, char *p,
			       size_t n)
{
	size_t done = 0;
	ssize_t got;

	if (offset >= s->tail)
		return 0;
	if (n > s->tail - offset)
		n = (size_t)(s->tail - offset);
	while (done < n) {
		got = pread(s->fd, p + done, n - done, (off_t)(offset + done));
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			(void)spool_failed(s, "read a temporary file",
					   strerror(got < 0 ? errno : EIO));
			return -1;
		}
		done += (size_t)got;
	}
	return (int64_t)done;
}

int64_t spool_read(struct spool *s, uint64_t offset, char *p, size_t n)
{
	size_t done = 0;
	int64_t more;

	if (offset < s->head.n) {
		struct span h = span_skip(buf_span(&s->head), (size_t)offset);

		h = span_head(h, n);
		memcpy(p, h.p, h.n);
		done = h.n;
	}
	if (done == n)
		return (int64_t)done;
	more = spool_read_file(s, offset + done - s->head.n, p + done,
			       n - done);
	return more < 0 ? -1 : (int64_t)done + more;
}
