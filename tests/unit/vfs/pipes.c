/*
 * Pipes, FIFOs and locks, with tasks that wait: pipe(7), fifo(7), fcntl(2), flock(2).
 */
#include "world.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>

static struct world w;
static struct vfs_task *const t = &w.task;
static int p[2];
static char big[100000];

/* What a fiber did. */
static struct {
	s64 result;
	char buf[64];
	struct vfs_task *task;
	const char *path;
	int fd, flags;
	struct vfs_flock lock;
} other;

static void read_pipe(void *arg)
{
	(void)arg;
	other.result = get(t, p[0], other.buf, sizeof(other.buf));
}

static void write_big(void *arg)
{
	struct uio uio;

	(void)arg;
	uio_kernel(&uio, big, sizeof(big));
	other.result = vfs_write(t, p[1], &uio);
}

static void open_fifo(void *arg)
{
	(void)arg;
	other.fd = vfs_openat(t, AT_FDCWD, other.path, other.flags, 0);
}

static void begin(void)
{
	world_begin(&w);
	other.result = 99;
	other.fd = 99;
	CHECK_EQUAL(vfs_pipe2(t, p, 0), 0);
}

static u32 events(int fd)
{
	struct file *file = fd_get(t, fd);
	u32 e = file_poll(file, NULL);

	file_put(file);
	return e;
}

TEST(reader_waits_for_a_writer)
{
	struct world_fiber f;

	begin();
	world_start(&w, &f, read_pipe, NULL);
	world_run(&w);
	CHECK(!f.ended);
	CHECK_EQUAL(put(t, p[1], "hello"), 5);
	world_run(&w);
	CHECK(f.ended);
	CHECK_EQUAL(other.result, 5);
	CHECK_STRING(other.buf, "hello");
	world_end(&w);
}

TEST(reader_gets_end_of_file_when_writers_are_gone)
{
	struct world_fiber f;

	begin();
	world_start(&w, &f, read_pipe, NULL);
	world_run(&w);
	vfs_close(t, p[1]);
	world_run(&w);
	CHECK(f.ended);
	CHECK_EQUAL(other.result, 0);
	world_end(&w);
}

TEST(signal_interrupts_a_waiting_reader)
{
	struct world_fiber f;

	begin();
	world_start(&w, &f, read_pipe, NULL);
	world_run(&w);
	fiber_interrupt(&f.fiber);
	world_run(&w);
	CHECK(f.ended);
	CHECK_EQUAL(other.result, -ERESTARTSYS);
	world_end(&w);
}

TEST(write_without_readers_is_epipe_and_sigpipe)
{
	begin();
	vfs_close(t, p[0]);
	CHECK_EQUAL(put(t, p[1], "x"), -EPIPE);
	CHECK_EQUAL(w.task_signal, SIGPIPE);
	CHECK(events(p[1]) & POLLERR);
	world_end(&w);
}

TEST(pipe_holds_64_kib_and_then_blocks)
{
	struct uio uio;
	struct world_fiber f;
	char *at = big + 50000;

	begin();
	vfs_fcntl(t, p[1], F_SETFL, O_NONBLOCK);
	uio_kernel(&uio, big, sizeof(big));
	CHECK_EQUAL(vfs_write(t, p[1], &uio), 65536);
	CHECK_EQUAL(put(t, p[1], "x"), -EAGAIN);
	CHECK(!(events(p[1]) & POLLOUT));
	vfs_fcntl(t, p[1], F_SETFL, 0);
	world_start(&w, &f, write_big, NULL);
	world_run(&w);
	CHECK(!f.ended);
	for (int i = 0; i < 20 && !f.ended; i++) {
		uio_kernel(&uio, at, 50000);
		vfs_read(t, p[0], &uio);
		world_run(&w);
	}
	CHECK(f.ended);
	CHECK_EQUAL(other.result, sizeof(big));
	world_end(&w);
}

TEST(small_writes_are_whole_or_not_at_all)
{
	static char piece[4096];
	struct uio uio;

	begin();
	vfs_fcntl(t, p[1], F_SETFL, O_NONBLOCK);
	uio_kernel(&uio, big, 65536 - 100);
	CHECK_EQUAL(vfs_write(t, p[1], &uio), 65436);
	uio_kernel(&uio, piece, 101);
	CHECK_EQUAL(vfs_write(t, p[1], &uio), -EAGAIN);
	uio_kernel(&uio, piece, 100);
	CHECK_EQUAL(vfs_write(t, p[1], &uio), 100);
	world_end(&w);
}

TEST(bytes_keep_their_order_at_every_size)
{
	static u8 sent, got;
	static u8 buf[9000];
	u64 seed = 3;
	struct uio uio;

	begin();
	sent = got = 0;
	vfs_fcntl(t, p[0], F_SETFL, O_NONBLOCK);
	vfs_fcntl(t, p[1], F_SETFL, O_NONBLOCK);
	for (int i = 0; i < 3000; i++) {
		bool filling = i / 50 % 2; /* full and empty again, many times */
		u32 len = (u32)(unit_random(&seed) >> 40) % sizeof(buf);
		s64 n;

		len = filling ? len : 0;
		for (u32 k = 0; k < len; k++)
			buf[k] = (u8)(sent + k);
		uio_kernel(&uio, buf, len);
		n = vfs_write(t, p[1], &uio);
		sent = (u8)(sent + (n > 0 ? n : 0));
		len = (u32)(unit_random(&seed) >> 40) % (filling ? 500 : sizeof(buf));
		uio_kernel(&uio, buf, len);
		n = vfs_read(t, p[0], &uio);
		for (s64 k = 0; k < n; k++)
			REQUIRE(buf[k] == got++);
	}
	world_end(&w);
}

/* A reader whose memory is slow: other fibers run while it copies. */
static size_t copy_slowly(struct uio *uio, void *kernel, size_t len, bool in)
{
	fiber_yield(&w.loop);
	memcpy((char *)uio->base + uio->done, kernel, in ? 0 : len);
	fiber_yield(&w.loop);
	return len;
}

static char halves[2][4];

static void read_slowly(void *arg)
{
	struct uio uio = {.left = 3, .base = arg, .copy = copy_slowly};

	CHECK_EQUAL(vfs_read(t, p[0], &uio), 3);
}

TEST(readers_whose_memory_is_slow_share_without_loss)
{
	struct world_fiber a, b;

	begin();
	memset(halves, 0, sizeof(halves));
	CHECK_EQUAL(put(t, p[1], "abcdef"), 6);
	world_start(&w, &a, read_slowly, halves[0]);
	world_start(&w, &b, read_slowly, halves[1]);
	world_run(&w);
	CHECK(a.ended && b.ended);
	CHECK_STRING(halves[0], "abc");
	CHECK_STRING(halves[1], "def");
	world_end(&w);
}

TEST(pipe_size_can_be_set)
{
	begin();
	CHECK_EQUAL(vfs_fcntl(t, p[0], F_GETPIPE_SZ, 0), 65536);
	CHECK_EQUAL(vfs_fcntl(t, p[0], F_SETPIPE_SZ, 5000), 8192);
	CHECK_EQUAL(put(t, p[1], "data"), 4);
	CHECK_EQUAL(vfs_fcntl(t, p[0], F_SETPIPE_SZ, 1 << 20), 1 << 20);
	CHECK_EQUAL(get(t, p[0], other.buf, 10), 4);
	t->cred.caps = 0;
	CHECK_EQUAL(vfs_fcntl(t, p[0], F_SETPIPE_SZ, 1 << 21), -EPERM);
	world_end(&w);
}

TEST(fifo_open_waits_for_the_other_side)
{
	struct world_fiber f;
	int wr;

	begin();
	CHECK_EQUAL(vfs_mknodat(t, AT_FDCWD, "/fifo", S_IFIFO | 0600, 0), 0);
	CHECK_EQUAL(vfs_openat(t, AT_FDCWD, "/fifo", O_WRONLY | O_NONBLOCK, 0), -ENXIO);
	other.path = "/fifo";
	other.flags = O_RDONLY;
	world_start(&w, &f, open_fifo, NULL);
	world_run(&w);
	CHECK(!f.ended);
	wr = vfs_openat(t, AT_FDCWD, "/fifo", O_WRONLY | O_NONBLOCK, 0);
	CHECK(wr >= 0);
	world_run(&w);
	CHECK(f.ended);
	CHECK_EQUAL(put(t, wr, "through"), 7);
	CHECK_EQUAL(get(t, other.fd, other.buf, 20), 7);
	CHECK_STRING(other.buf, "through");
	world_end(&w);
}

TEST(interrupted_fifo_open_leaves_nothing)
{
	struct world_fiber f;

	begin();
	vfs_mknodat(t, AT_FDCWD, "/fifo", S_IFIFO | 0600, 0);
	other.path = "/fifo";
	other.flags = O_WRONLY;
	world_start(&w, &f, open_fifo, NULL);
	world_run(&w);
	fiber_interrupt(&f.fiber);
	world_run(&w);
	CHECK_EQUAL(other.fd, -ERESTARTSYS);
	CHECK_EQUAL(vfs_openat(t, AT_FDCWD, "/fifo", O_WRONLY | O_NONBLOCK, 0), -ENXIO);
	world_end(&w);
}

TEST(poll_entry_is_woken_by_a_write)
{
	struct world_poll poll;
	struct file *file;

	begin();
	file = fd_get(t, p[0]);
	CHECK_EQUAL(events(p[0]), 0);
	world_poll(file, &poll);
	put(t, p[1], "x");
	CHECK(poll.woken & POLLIN);
	CHECK(events(p[0]) & POLLIN);
	wait_remove(&poll.entry);
	vfs_close(t, p[1]);
	CHECK(events(p[0]) & POLLHUP);
	file_put(file);
	world_end(&w);
}

/* --- Locks --- */

static struct vfs_task child;

static int lock(struct vfs_task *task, int cmd, int type, s64 start, s64 len)
{
	struct vfs_flock l = {.type = (int16_t)type, .start = start, .len = len};

	return vfs_fcntl_lock(task, 0, cmd, &l);
}

static int locked_type(struct vfs_task *task, s64 start, s64 len)
{
	struct vfs_flock l = {.type = F_WRLCK, .start = start, .len = len};

	CHECK_EQUAL(vfs_fcntl_lock(task, 0, F_GETLK, &l), 0);
	return l.type;
}

static void begin_locks(void)
{
	world_begin(&w);
	CHECK_EQUAL(vfs_openat(t, AT_FDCWD, "/f", O_RDWR | O_CREAT, 0600), 0);
	world_task(&w, &child, 9, 0);
	other.result = 99;
}

static void end_locks(void)
{
	world_task_end(&child);
	world_end(&w);
}

TEST(record_locks_exclude_others_and_split)
{
	begin_locks();
	CHECK_EQUAL(lock(t, F_SETLK, F_WRLCK, 0, 100), 0);
	CHECK_EQUAL(lock(&child, F_SETLK, F_RDLCK, 50, 1), -EAGAIN);
	CHECK_EQUAL(lock(t, F_SETLK, F_UNLCK, 40, 20), 0);
	CHECK_EQUAL(lock(&child, F_SETLK, F_WRLCK, 40, 20), 0);
	CHECK_EQUAL(lock(&child, F_SETLK, F_WRLCK, 39, 1), -EAGAIN);
	CHECK_EQUAL(lock(&child, F_SETLK, F_WRLCK, 60, 1), -EAGAIN);
	CHECK_EQUAL(locked_type(t, 40, 1), F_WRLCK);
	CHECK_EQUAL(locked_type(t, 100, 0), F_UNLCK);
	end_locks();
}

TEST(read_locks_are_shared)
{
	begin_locks();
	CHECK_EQUAL(lock(t, F_SETLK, F_RDLCK, 0, 0), 0);
	CHECK_EQUAL(lock(&child, F_SETLK, F_RDLCK, 0, 0), 0);
	CHECK_EQUAL(lock(t, F_SETLK, F_WRLCK, 0, 0), -EAGAIN);
	CHECK_EQUAL(lock(t, F_SETLK, 7, 0, 0), -EINVAL);
	end_locks();
}

TEST(closing_any_descriptor_drops_record_locks)
{
	int fd;

	begin_locks();
	CHECK_EQUAL(lock(t, F_SETLK, F_WRLCK, 0, 0), 0);
	fd = vfs_openat(t, AT_FDCWD, "/f", O_RDONLY, 0);
	vfs_close(t, fd);
	CHECK_EQUAL(lock(&child, F_SETLK, F_WRLCK, 0, 0), 0);
	end_locks();
}

TEST(ofd_locks_belong_to_the_open_file)
{
	int fd;

	begin_locks();
	CHECK_EQUAL(lock(t, F_OFD_SETLK, F_WRLCK, 0, 0), 0);
	CHECK_EQUAL(lock(&child, F_OFD_SETLK, F_WRLCK, 0, 0), 0); /* the same open file */
	fd = vfs_openat(t, AT_FDCWD, "/f", O_RDWR, 0);
	vfs_close(t, fd);
	CHECK_EQUAL(lock(t, F_SETLK, F_WRLCK, 0, 0), -EAGAIN);
	end_locks();
}

static void wait_for_lock(void *arg)
{
	(void)arg;
	other.result = lock(&child, F_SETLKW, F_WRLCK, 0, 0);
}

TEST(waiting_for_a_lock_ends_when_it_is_given_up)
{
	struct world_fiber f;

	begin_locks();
	CHECK_EQUAL(lock(t, F_SETLK, F_WRLCK, 0, 0), 0);
	world_start(&w, &f, wait_for_lock, NULL);
	world_run(&w);
	CHECK(!f.ended);
	CHECK_EQUAL(lock(t, F_SETLK, F_UNLCK, 0, 0), 0);
	world_run(&w);
	CHECK(f.ended);
	CHECK_EQUAL(other.result, 0);
	end_locks();
}

static void lock_second_of_child(void *arg)
{
	(void)arg;
	other.result = lock(&child, F_SETLKW, F_WRLCK, 0, 1);
}

TEST(circle_of_waiters_is_edeadlk)
{
	struct world_fiber f;

	begin_locks();
	CHECK_EQUAL(lock(t, F_SETLK, F_WRLCK, 0, 1), 0);
	CHECK_EQUAL(lock(&child, F_SETLK, F_WRLCK, 1, 1), 0);
	world_start(&w, &f, lock_second_of_child, NULL);
	world_run(&w);
	CHECK_EQUAL(lock(t, F_SETLKW, F_WRLCK, 1, 1), -EDEADLK);
	lock(t, F_SETLK, F_UNLCK, 0, 0);
	world_run(&w);
	CHECK(f.ended);
	end_locks();
}

TEST(flock_is_apart_and_of_the_open_file)
{
	int fd;

	begin_locks();
	CHECK_EQUAL(lock(t, F_SETLK, F_WRLCK, 0, 0), 0);
	fd = vfs_openat(&child, AT_FDCWD, "/f", O_RDWR, 0);
	CHECK_EQUAL(vfs_flock(&child, fd, LOCK_EX | LOCK_NB), 0);
	CHECK_EQUAL(vfs_flock(t, 0, LOCK_SH | LOCK_NB), -EAGAIN);
	CHECK_EQUAL(vfs_flock(&child, fd, LOCK_SH | LOCK_NB), 0);
	CHECK_EQUAL(vfs_flock(t, 0, LOCK_SH | LOCK_NB), 0);
	CHECK_EQUAL(vfs_flock(t, 0, LOCK_EX | LOCK_NB), -EAGAIN);
	CHECK_EQUAL(vfs_flock(t, 0, 77), -EINVAL);
	vfs_close(&child, fd);
	CHECK_EQUAL(vfs_flock(t, 0, LOCK_EX | LOCK_NB), 0);
	end_locks();
}
