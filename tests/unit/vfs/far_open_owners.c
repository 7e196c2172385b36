/*
 * Whose open files are: locks, tables of descriptors that move, and cores that die.
 */
#include "far_open_world.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <vfs/epoll.h>

/* --- Locks --- */

static void record_locks(void)
{
	struct vfs_flock lock = {.type = F_WRLCK};
	int fd, at1, at2;

	make_file(&w[0].task, "/f", "data");
	fd = vfs_openat(&w[0].task, AT_FDCWD, "/f", O_RDWR, 0);
	at1 = carry(0, fd, 1);
	at2 = carry(0, fd, 2);
	w[1].task.tgid = 77;
	CHECK_EQUAL(vfs_fcntl_lock(&w[1].task, at1, F_SETLK, &lock), 0);
	CHECK_EQUAL(vfs_fcntl_lock(&w[2].task, at2, F_SETLK, &lock), -EAGAIN);
	CHECK_EQUAL(vfs_fcntl_lock(&w[0].task, fd, F_SETLK, &lock), -EAGAIN);
	CHECK_EQUAL(vfs_fcntl_lock(&w[2].task, at2, F_GETLK, &lock), 0);
	CHECK_EQUAL(lock.type, F_WRLCK);
	CHECK_EQUAL(lock.pid, 77);
	CHECK_EQUAL(vfs_close(&w[1].task, at1), 0);
	lock = (struct vfs_flock){.type = F_WRLCK};
	CHECK_EQUAL(vfs_fcntl_lock(&w[2].task, at2, F_SETLK, &lock), 0);
}

TEST(far_record_locks_end_when_a_descriptor_is_closed)
{
	begin();
	in_fiber(record_locks);
	end();
}

static void whole_file_locks(void)
{
	int fd, other, there;

	make_file(&w[0].task, "/f", "data");
	fd = vfs_openat(&w[0].task, AT_FDCWD, "/f", O_RDWR, 0);
	other = vfs_openat(&w[0].task, AT_FDCWD, "/f", O_RDWR, 0);
	there = carry(0, fd, 1);
	CHECK_EQUAL(vfs_flock(&w[1].task, there, LOCK_EX), 0);
	CHECK_EQUAL(vfs_flock(&w[0].task, fd, LOCK_EX | LOCK_NB), 0); /* the same open file */
	CHECK_EQUAL(vfs_flock(&w[0].task, other, LOCK_EX | LOCK_NB), -EWOULDBLOCK);
	CHECK_EQUAL(vfs_close(&w[0].task, fd), 0);
	CHECK_EQUAL(vfs_flock(&w[0].task, other, LOCK_EX | LOCK_NB), -EWOULDBLOCK);
	CHECK_EQUAL(vfs_close(&w[1].task, there), 0);
	arrive();
	CHECK_EQUAL(vfs_flock(&w[0].task, other, LOCK_EX | LOCK_NB), 0);
}

TEST(far_flock_is_of_the_open_file)
{
	begin();
	in_fiber(whole_file_locks);
	end();
}

/* --- Tables of descriptors --- */

static void table_moves(void)
{
	struct vfs_flock lock = {.type = F_WRLCK};
	struct fd_desc desc[8];
	struct vfs_task mover;
	struct fd_table *there;
	char buf[8];
	int p[2], fd, null;
	u32 n;

	world_task(&w[0], &mover, 50, 0);
	make_file(&w[0].task, "/f", "data");
	CHECK_EQUAL(vfs_pipe2(&mover, p, O_CLOEXEC), 0);
	fd = vfs_openat(&mover, AT_FDCWD, "/f", O_RDWR, 0);
	null = vfs_openat(&mover, AT_FDCWD, "/f", O_RDWR, 0);
	CHECK_EQUAL(vfs_dup2(&mover, fd, 7), 7);
	CHECK_EQUAL(vfs_close(&mover, null), 0);
	CHECK_EQUAL(vfs_fcntl_lock(&mover, fd, F_SETLK, &lock), 0);
	n = fd_table_count(mover.files);
	CHECK_EQUAL(n, 4);
	CHECK_EQUAL(fd_table_export(mover.files, 1, desc), 0);
	CHECK_EQUAL(fd_table_import(w[1].vfs, desc, n, fd_table_owner(mover.files), &there), 0);
	fd_table_put(NULL, mover.files);
	mover.files = there;
	mover.vfs = w[1].vfs;
	CHECK(fd_cloexec(&mover, p[0]));
	CHECK(!fd_cloexec(&mover, fd));
	CHECK(fd_peek(&mover, 7) == fd_peek(&mover, fd));
	CHECK_EQUAL(put(&mover, p[1], "x"), 1);
	CHECK_EQUAL(get(&mover, p[0], buf, sizeof(buf)), 1);
	/* The lock is still his, and another's not. */
	fd = vfs_openat(&w[0].task, AT_FDCWD, "/f", O_RDWR, 0);
	CHECK_EQUAL(vfs_fcntl_lock(&w[0].task, fd, F_SETLK, &lock), -EAGAIN);
	CHECK_EQUAL(vfs_fcntl_lock(&mover, 7, F_SETLK, &lock), 0);
	CHECK_EQUAL(vfs_close(&mover, 7), 0);
	CHECK_EQUAL(vfs_fcntl_lock(&w[0].task, fd, F_SETLK, &lock), 0);
	fd_table_put(&mover, there);
	fs_context_put(mover.fs);
}

TEST(far_table_of_descriptors_moves_with_its_locks)
{
	begin();
	in_fiber(table_moves);
	end();
}

/* --- Death --- */

static int far_fd, home_fds[2];
static s64 result;

static void read_far(void *arg)
{
	char got[8];

	(void)arg;
	result = get(&w[1].task, far_fd, got, sizeof(got));
}

static void carry_reader(void)
{
	CHECK_EQUAL(vfs_pipe2(&w[0].task, home_fds, 0), 0);
	far_fd = carry(0, home_fds[0], 1);
}

static void carry_writer(void)
{
	CHECK_EQUAL(vfs_pipe2(&w[0].task, home_fds, 0), 0);
	far_fd = carry(0, home_fds[1], 1);
}

TEST(far_file_of_a_dead_core_is_eio)
{
	begin();
	in_fiber(carry_reader);
	world_start(&w[0], &fibers[1], read_far, NULL);
	run();
	CHECK(!fibers[1].ended);
	shard_loopback_kill(lo, 0);
	run();
	CHECK(fibers[1].ended);
	CHECK_EQUAL(result, -EIO);
	CHECK(file_poll(fd_peek(&w[1].task, far_fd), NULL) & POLLHUP);
	CHECK_EQUAL(vfs_close(&w[1].task, far_fd), 0);
	end();
}

static void read_end(void)
{
	char buf[8];
	int fd = vfs_openat(&w[0].task, AT_FDCWD, "/f", O_RDWR, 0);
	struct vfs_flock lock = {.type = F_WRLCK};

	CHECK_EQUAL(get(&w[0].task, home_fds[0], buf, sizeof(buf)), 0);
	CHECK_EQUAL(vfs_fcntl_lock(&w[0].task, fd, F_SETLK, &lock), 0);
}

static void lock_and_carry(void)
{
	struct vfs_flock lock = {.type = F_WRLCK};
	int fd;

	carry_writer();
	CHECK_EQUAL(vfs_close(&w[0].task, home_fds[1]), 0);
	make_file(&w[0].task, "/f", "data");
	fd = carry(0, vfs_openat(&w[0].task, AT_FDCWD, "/f", O_RDWR, 0), 1);
	CHECK_EQUAL(vfs_fcntl_lock(&w[1].task, fd, F_SETLK, &lock), 0);
}

TEST(far_core_that_dies_closes_its_files_and_drops_its_locks)
{
	begin();
	in_fiber(lock_and_carry);
	shard_loopback_kill(lo, 1);
	run();
	in_fiber(read_end);
	CHECK_EQUAL(far_files_exports(w[0].vfs), 0);
	end();
}
