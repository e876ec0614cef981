#include "lib/net.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/clock.h"

static int net_refuse(struct buf *why, const char *what, const char *subject,
		      const char *reason)
{
	buf_printf(why, "cannot %s '%s': %s", what, subject, reason);
	return -1;
}

static void net_close_keep_errno(int fd)
{
	int saved = errno;

	close(fd);
	errno = saved;
}

/* "host:port", "[host]:port" -> NUL-terminated host and port. */
static bool net_split(struct span address, char host[64], char port[8])
{
	struct span h, p;
	size_t colon = address.n;

	while (colon > 0 && address.p[colon - 1] != ':')
		colon--;
	if (colon == 0)
		return false;
	h = span_head(address, colon - 1);
	p = span_skip(address, colon);
	if (h.n >= 2 && h.p[0] == '[' && h.p[h.n - 1] == ']')
		h = span_head(span_skip(h, 1), h.n - 2);
	else if (span_find(h, ':') < h.n)
		return false;
	if (h.n == 0 || h.n >= 64 || p.n == 0 || p.n >= 8)
		return false;
	memcpy(host, h.p, h.n);
	host[h.n] = '\0';
	memcpy(port, p.p, p.n);
	port[p.n] = '\0';
	return true;
}

static int net_bind_inet(const struct addrinfo *ai, int backlog)
{
	int one = 1;
	int fd = socket(ai->ai_family,
			SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (ai->ai_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one,
				 sizeof(one));
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) == 0 &&
	    listen(fd, backlog) == 0)
		return fd;
	net_close_keep_errno(fd);
	return -1;
}

int net_listen_inet(struct span address, int backlog, struct buf *why)
{
	struct addrinfo hint = {
		.ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV,
		.ai_socktype = SOCK_STREAM,
	};
	struct addrinfo *ai = NULL;
	char text[96], host[64], port[8];
	int fd, error;

	(void)snprintf(text, sizeof(text), "%.*s",
		       (int)span_head(address, 90).n, address.p);
	if (!net_split(address, host, port) ||
	    getaddrinfo(host, port, &hint, &ai) != 0) {
		(void)net_refuse(why, "listen on", text,
				 "not ADDRESS:PORT or [ADDRESS]:PORT");
		errno = EINVAL;
		return -1;
	}
	fd = net_bind_inet(ai, backlog);
	error = errno;
	freeaddrinfo(ai);
	if (fd < 0)
		(void)net_refuse(why, "listen on", text, strerror(error));
	errno = error;
	return fd;
}

static bool net_unix_address(const char *path, struct sockaddr_un *a)
{
	size_t n = strlen(path);

	memset(a, 0, sizeof(*a));
	a->sun_family = AF_UNIX;
	if (n >= sizeof(a->sun_path)) {
		errno = ENAMETOOLONG;
		return false;
	}
	memcpy(a->sun_path, path, n);
	return true;
}

static int net_try_connect(const struct sockaddr_un *a)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	if (connect(fd, (const struct sockaddr *)a, sizeof(*a)) == 0)
		return fd;
	net_close_keep_errno(fd);
	return -1;
}

/* Nobody listens on a stale socket: a connect is refused, it does not wait. */
static int net_remove_stale(const char *path, const struct sockaddr_un *a,
			    struct buf *why)
{
	struct stat st;
	int fd;

	if (lstat(path, &st) != 0) {
		if (errno == ENOENT)
			return 0;
		return net_refuse(why, "look at", path, strerror(errno));
	}
	if (!S_ISSOCK(st.st_mode))
		return net_refuse(why, "listen on", path,
				  "there is a file that is no socket");
	fd = net_try_connect(a);
	if (fd >= 0)
		close(fd);
	if (fd >= 0 || errno != ECONNREFUSED)
		return net_refuse(why, "listen on", path,
				  fd >= 0 || errno == EAGAIN
					  ? "another process listens on it"
					  : strerror(errno));
	if (unlink(path) != 0 && errno != ENOENT)
		return net_refuse(why, "remove stale socket", path,
				  strerror(errno));
	return 0;
}

/* The mode comes from the umask and the group by lchown(), so that no name
 * in a directory of somebody else's is followed. */
static bool net_bind_unix(int fd, const struct sockaddr_un *a, gid_t group)
{
	mode_t saved = umask(0117);
	bool ok = bind(fd, (const struct sockaddr *)a, sizeof(*a)) == 0;

	(void)umask(saved);
	return ok && lchown(a->sun_path, (uid_t)-1, group) == 0;
}

int net_listen_unix(const char *path, gid_t group, int backlog, struct buf *why)
{
	struct sockaddr_un a;
	int fd;

	if (!net_unix_address(path, &a))
		return net_refuse(why, "listen on", path, strerror(errno));
	if (net_remove_stale(path, &a, why) != 0)
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return net_refuse(why, "make socket", path, strerror(errno));
	if (net_bind_unix(fd, &a, group) && listen(fd, backlog) == 0)
		return fd;
	net_close_keep_errno(fd);
	return net_refuse(why, "listen on", path, strerror(errno));
}

int net_connect_unix(const char *path, int64_t deadline)
{
	struct sockaddr_un a;
	int fd;

	if (!net_unix_address(path, &a))
		return -1;
	/* EAGAIN: the queue of the listener is full; there is no event to
	 * wait for, so look again a little later */
	while ((fd = net_try_connect(&a)) < 0 &&
	       (errno == EAGAIN || errno == EINTR)) {
		if (deadline_left(deadline) == 0) {
			errno = ETIMEDOUT;
			return -1;
		}
		(void)poll(NULL, 0, 10);
	}
	if (fd >= 0 && !net_set_nonblocking(fd, false)) {
		net_close_keep_errno(fd);
		return -1;
	}
	return fd;
}

static void net_take_address(const struct sockaddr_storage *ss,
			     struct ipaddr *a_r, uint16_t *port_r)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	memset(a_r, 0, sizeof(*a_r));
	*port_r = 0;
	if (ss->ss_family == AF_INET) {
		memcpy(&in, ss, sizeof(in));
		memcpy(a_r->octet, mapped, sizeof(mapped));
		memcpy(a_r->octet + 12, &in.sin_addr, 4);
		*port_r = ntohs(in.sin_port);
	} else if (ss->ss_family == AF_INET6) {
		memcpy(&in6, ss, sizeof(in6));
		memcpy(a_r->octet, &in6.sin6_addr, 16);
		*port_r = ntohs(in6.sin6_port);
	}
}

int net_accept(int listener, bool nonblocking, struct net_peer *peer_r)
{
	struct sockaddr_storage ss = { .ss_family = AF_UNSPEC };
	socklen_t n = sizeof(ss);
	int fd;

	fd = accept4(listener, (struct sockaddr *)&ss, &n,
		     SOCK_CLOEXEC | (nonblocking ? SOCK_NONBLOCK : 0));
	if (fd < 0)
		return -1;
	net_take_address(&ss, &peer_r->remote, &peer_r->remote_port);
	n = sizeof(ss);
	if (getsockname(fd, (struct sockaddr *)&ss, &n) != 0)
		ss.ss_family = AF_UNSPEC;
	net_take_address(&ss, &peer_r->local, &peer_r->local_port);
	return fd;
}

bool net_set_nonblocking(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return false;
	flags = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
	return fcntl(fd, F_SETFL, flags) == 0;
}

void net_set_nodelay(int fd)
{
	int one = 1;

	/* not on UNIX sockets; there it is not needed either */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

/* Ancillary data wants the alignment of its header. */
union net_control {
	struct cmsghdr header;
	char room[CMSG_SPACE(sizeof(int))];
};

bool net_send_fd(int sock, struct span message, int fd)
{
	union net_control control;
	char copy[4096];
	struct iovec iov = { .iov_base = copy, .iov_len = message.n };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;
	ssize_t n;

	/* without an octet of data a stream socket drops the descriptor */
	if (message.n == 0 || message.n > sizeof(copy)) {
		errno = EMSGSIZE;
		return false;
	}
	memcpy(copy, message.p, message.n);
	memset(&control, 0, sizeof(control));
	m.msg_control = &control;
	m.msg_controllen = sizeof(control.room);
	c = CMSG_FIRSTHDR(&m);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
	do {
		n = sendmsg(sock, &m, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	explicit_bzero(copy, message.n);
	return n == (ssize_t)message.n;
}

/* There is room for one descriptor; the kernel closes those beyond it. */
static int net_take_fd(struct msghdr *m)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(m);
	int fd;

	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS ||
	    c->cmsg_len != CMSG_LEN(sizeof(int)))
		return -1;
	memcpy(&fd, CMSG_DATA(c), sizeof(int));
	return fd;
}

ssize_t net_recv_fd(int sock, char *message, size_t size, int *fd_r)
{
	union net_control control;
	struct iovec iov = { .iov_base = message, .iov_len = size };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	*fd_r = -1;
	memset(&control, 0, sizeof(control));
	m.msg_control = &control;
	m.msg_controllen = sizeof(control.room);
	do {
		n = recvmsg(sock, &m, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -1;
	*fd_r = net_take_fd(&m);
	if ((m.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0)
		return n;
	if (*fd_r >= 0)
		close(*fd_r);
	*fd_r = -1;
	errno = EMSGSIZE;
	return -1;
}

static char net_own_name[256];

static void net_read_own_name(void)
{
	if (gethostname(net_own_name, sizeof(net_own_name) - 1) != 0 ||
	    net_own_name[0] == '\0')
		(void)snprintf(net_own_name, sizeof(net_own_name), "localhost");
}

const char *net_hostname(const char *configured)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	if (configured && configured[0])
		return configured;
	(void)pthread_once(&once, net_read_own_name);
	return net_own_name;
}
