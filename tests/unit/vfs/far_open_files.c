/*
 * Open files of other cores. What a process does with a file that came from elsewhere is what it
 * would do at its home.
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

/* --- Pipes --- */

static void pipe_both_ways(void)
{
	char buf[32];
	int p[2], r, wr;

	CHECK_EQUAL(vfs_pipe2(&w[0].task, p, 0), 0);
	r = carry(0, p[0], 1);
	wr = carry(0, p[1], 2);
	CHECK_EQUAL(put(&w[2].task, wr, "hello"), 5);
	CHECK_EQUAL(get(&w[1].task, r, buf, sizeof(buf)), 5);
	CHECK_STRING(buf, "hello");
	CHECK_EQUAL(put(&w[1].task, r, "x"), -EBADF);
	CHECK_EQUAL(vfs_lseek(&w[1].task, r, 0, SEEK_SET), -ESPIPE);
	CHECK_EQUAL(vfs_close(&w[0].task, p[1]), 0);
	CHECK_EQUAL(vfs_close(&w[2].task, wr), 0);
	arrive();
	CHECK_EQUAL(get(&w[1].task, r, buf, sizeof(buf)), 0); /* end of file */
}

TEST(far_pipe_carries_bytes_and_ends_with_its_last_writer)
{
	begin();
	in_fiber(pipe_both_ways);
	end();
}

static void pipe_without_reader(void)
{
	int p[2], wr;

	CHECK_EQUAL(vfs_pipe2(&w[0].task, p, 0), 0);
	wr = carry(0, p[1], 1);
	CHECK_EQUAL(vfs_close(&w[0].task, p[0]), 0);
	CHECK_EQUAL(put(&w[1].task, wr, "x"), -EPIPE);
	CHECK_EQUAL(w[0].task_signal, SIGPIPE); /* which the personality passes on */
	CHECK(events_of(1, wr) & POLLERR);
}

TEST(far_pipe_without_reader_is_epipe)
{
	begin();
	in_fiber(pipe_without_reader);
	end();
}

static int far_fd, home_fds[2];
static s64 result;
static char got[64];

static void read_far(void *arg)
{
	(void)arg;
	result = get(&w[1].task, far_fd, got, sizeof(got));
}

static void carry_reader(void)
{
	CHECK_EQUAL(vfs_pipe2(&w[0].task, home_fds, 0), 0);
	far_fd = carry(0, home_fds[0], 1);
}

static void write_home(void)
{
	CHECK_EQUAL(put(&w[0].task, home_fds[1], "late"), 4);
}

TEST(far_read_waits_for_data)
{
	begin();
	in_fiber(carry_reader);
	world_start(&w[0], &fibers[1], read_far, NULL);
	run();
	CHECK(!fibers[1].ended);
	in_fiber(write_home);
	CHECK(fibers[1].ended);
	CHECK_EQUAL(result, 4);
	CHECK_STRING(got, "late");
	end();
}

TEST(far_read_is_interrupted)
{
	begin();
	in_fiber(carry_reader);
	world_start(&w[0], &fibers[1], read_far, NULL);
	run();
	fiber_interrupt(&fibers[1].fiber);
	run();
	CHECK(fibers[1].ended);
	CHECK_EQUAL(result, -ERESTARTSYS);
	in_fiber(write_home); /* nothing was lost */
	world_start(&w[0], &fibers[1], read_far, NULL);
	run();
	CHECK_EQUAL(result, 4);
	end();
}

static char big[200000];

static void write_big(void *arg)
{
	struct uio uio;

	(void)arg;
	for (u32 i = 0; i < sizeof(big); i++)
		big[i] = (char)(i * 7 / 3);
	uio_kernel(&uio, big, sizeof(big));
	result = vfs_write(&w[1].task, far_fd, &uio);
}

static void carry_writer(void)
{
	CHECK_EQUAL(vfs_pipe2(&w[0].task, home_fds, 0), 0);
	far_fd = carry(0, home_fds[1], 1);
}

static void read_big(void)
{
	static char back[sizeof(big)];
	size_t done = 0;

	while (done < sizeof(back)) {
		struct uio uio;
		s64 n;

		uio_kernel(&uio, back + done, sizeof(back) - done);
		n = vfs_read(&w[0].task, home_fds[0], &uio);
		REQUIRE(n > 0);
		done += (size_t)n;
	}
	CHECK_EQUAL(memcmp(back, big, sizeof(big)), 0);
}

TEST(far_pipe_carries_more_than_it_holds)
{
	begin();
	in_fiber(carry_writer);
	world_start(&w[0], &fibers[1], write_big, NULL);
	in_fiber(read_big);
	CHECK(fibers[1].ended);
	CHECK_EQUAL(result, sizeof(big));
	end();
}

static void nonblocking(void)
{
	char buf[8];
	int p[2], r;

	CHECK_EQUAL(vfs_pipe2(&w[0].task, p, 0), 0);
	r = carry(0, p[0], 1);
	CHECK_EQUAL(vfs_fcntl(&w[1].task, r, F_SETFL, O_NONBLOCK), 0);
	CHECK(vfs_fcntl(&w[0].task, p[0], F_GETFL, 0) & O_NONBLOCK); /* one open file */
	CHECK(vfs_fcntl(&w[1].task, r, F_GETFL, 0) & O_NONBLOCK);
	CHECK_EQUAL(get(&w[1].task, r, buf, sizeof(buf)), -EAGAIN);
	CHECK_EQUAL(vfs_fcntl(&w[1].task, r, F_GETPIPE_SZ, 0), 65536);
	CHECK_EQUAL(vfs_fcntl(&w[1].task, r, F_SETPIPE_SZ, 4096), 4096);
	CHECK_EQUAL(vfs_fcntl(&w[0].task, p[0], F_GETPIPE_SZ, 0), 4096);
}

TEST(far_flags_are_the_open_files)
{
	begin();
	in_fiber(nonblocking);
	end();
}

static void counts_bytes(void)
{
	int p[2], r, n = 0;

	CHECK_EQUAL(vfs_pipe2(&w[0].task, p, 0), 0);
	r = carry(0, p[0], 1);
	put(&w[0].task, p[1], "12345");
	CHECK_EQUAL(vfs_ioctl(&w[1].task, r, FIONREAD, (u64)(uintptr_t)&n), 0);
	CHECK_EQUAL(n, 5);
	CHECK_EQUAL(vfs_ioctl(&w[1].task, r, TIOCGWINSZ, (u64)(uintptr_t)&n), -ENOTTY);
}

TEST(far_ioctl_reaches_the_file)
{
	begin();
	in_fiber(counts_bytes);
	end();
}

/* --- Identity and references --- */

static void comes_home(void)
{
	int p[2], there, back, again;
	struct file *a, *b;

	CHECK_EQUAL(vfs_pipe2(&w[0].task, p, 0), 0);
	there = carry(0, p[0], 1);
	again = carry(0, p[0], 1);
	back = carry(1, there, 0);
	a = fd_peek(&w[0].task, p[0]);
	b = fd_peek(&w[0].task, back);
	CHECK(a == b);
	CHECK(fd_peek(&w[1].task, there) == fd_peek(&w[1].task, again));
	CHECK(file_is_far(fd_peek(&w[1].task, there)));
	CHECK(!file_is_far(b));
	CHECK_EQUAL(far_files_proxies(w[1].vfs), 1);
}

TEST(far_file_that_comes_home_is_the_file_itself)
{
	begin();
	in_fiber(comes_home);
	end();
}

static void goes_on(void)
{
	char buf[8];
	int p[2], at1, at2;

	CHECK_EQUAL(vfs_pipe2(&w[0].task, p, 0), 0);
	at1 = carry(0, p[0], 1);
	at2 = carry(1, at1, 2);
	CHECK_EQUAL(vfs_close(&w[1].task, at1), 0);
	CHECK_EQUAL(vfs_close(&w[0].task, p[0]), 0);
	arrive();
	put(&w[0].task, p[1], "via");
	CHECK_EQUAL(get(&w[2].task, at2, buf, sizeof(buf)), 3);
}

TEST(far_file_goes_on_to_a_third_core)
{
	begin();
	in_fiber(goes_on);
	end();
}

static void stays_after_all(void)
{
	struct file_desc desc;
	int p[2];

	CHECK_EQUAL(vfs_pipe2(&w[0].task, p, 0), 0);
	CHECK_EQUAL(file_export(fd_peek(&w[0].task, p[0]), 1, &desc), 0);
	CHECK_EQUAL(far_files_exports(w[0].vfs), 1);
	file_unexport(w[0].vfs, &desc, 1);
	CHECK_EQUAL(far_files_exports(w[0].vfs), 0);
}

TEST(far_file_that_does_not_go_leaves_nothing)
{
	begin();
	in_fiber(stays_after_all);
	end();
}

static void bad_descriptions(void)
{
	struct file_desc desc = {.kind = FILE_KIND_PROXY, .home = 0, .id = 12345};
	struct file *file;

	CHECK_EQUAL(file_import(w[0].vfs, &desc, &file), -EBADMSG); /* nothing of ours */
	desc.home = 99;
	CHECK_EQUAL(file_import(w[1].vfs, &desc, &file), -EBADMSG);
	desc.home = 0;
	desc.kind = 7;
	CHECK_EQUAL(file_import(w[1].vfs, &desc, &file), -EBADMSG);
	desc.kind = FILE_KIND_SIGNALFD; /* nobody registered it */
	CHECK_EQUAL(file_import(w[1].vfs, &desc, &file), -EBADMSG);
	desc.kind = FILE_KIND_PROXY;
	memset(desc.name, 'x', sizeof(desc.name));
	CHECK_EQUAL(file_import(w[1].vfs, &desc, &file), -EBADMSG);
}

TEST(bad_descriptions_of_files_are_refused)
{
	begin();
	in_fiber(bad_descriptions);
	end();
}

/* --- Regular files --- */

static void one_offset(void)
{
	struct vfs_stat st;
	char buf[32];
	int fd, there;

	make_file(&w[0].task, "/f", "0123456789");
	fd = vfs_openat(&w[0].task, AT_FDCWD, "/f", O_RDWR, 0);
	there = carry(0, fd, 1);
	CHECK_EQUAL(get(&w[0].task, fd, buf, 4), 3);
	CHECK_EQUAL(get(&w[1].task, there, buf, 4), 3);
	CHECK_STRING(buf, "345");
	CHECK_EQUAL(vfs_lseek(&w[1].task, there, 1, SEEK_CUR), 7);
	CHECK_EQUAL(vfs_lseek(&w[0].task, fd, 0, SEEK_CUR), 7);
	CHECK_EQUAL(put(&w[1].task, there, "xy"), 2);
	CHECK_STRING(contents(&w[0].task, "/f"), "0123456xy9");
	CHECK_EQUAL(vfs_lseek(&w[1].task, there, 0, SEEK_END), 10);
	CHECK_EQUAL(vfs_ftruncate(&w[1].task, there, 4), 0);
	CHECK_STRING(contents(&w[0].task, "/f"), "0123");
	CHECK_EQUAL(vfs_fstat(&w[1].task, there, &st), 0);
	CHECK_EQUAL(st.size, 4);
	CHECK_EQUAL(vfs_fallocate(&w[1].task, there, 0, 0, 100), 0);
	CHECK_EQUAL(vfs_fsync(&w[1].task, there, false), 0);
	CHECK_EQUAL(vfs_fstat(&w[1].task, there, &st), 0);
	CHECK_EQUAL(st.size, 100);
}

TEST(far_regular_file_has_one_offset_and_one_size)
{
	begin();
	in_fiber(one_offset);
	end();
}

static void positioned(void)
{
	struct uio uio;
	char buf[8] = {0};
	int fd, there;

	make_file(&w[0].task, "/f", "0123456789");
	fd = vfs_openat(&w[0].task, AT_FDCWD, "/f", O_RDWR, 0);
	there = carry(0, fd, 1);
	uio_kernel(&uio, buf, 3);
	CHECK_EQUAL(vfs_pread(&w[1].task, there, &uio, 5, 0), 3);
	CHECK_STRING(buf, "567");
	uio_kernel(&uio, "ab", 2);
	CHECK_EQUAL(vfs_pwrite(&w[1].task, there, &uio, 2, 0), 2);
	uio_kernel(&uio, "cd", 2);
	CHECK_EQUAL(vfs_pwritev2(&w[1].task, there, &uio, 0, 0x10), 2); /* RWF_APPEND */
	CHECK_STRING(contents(&w[0].task, "/f"), "01ab456789cd");
	CHECK_EQUAL(vfs_lseek(&w[1].task, there, 0, SEEK_CUR), 0);
	CHECK_EQUAL(vfs_fcntl(&w[1].task, there, F_SETFL, O_APPEND), 0);
	CHECK_EQUAL(put(&w[1].task, there, "e"), 1);
	CHECK_STRING(contents(&w[0].task, "/f"), "01ab456789cde");
}

TEST(far_file_reads_and_writes_at_places)
{
	begin();
	in_fiber(positioned);
	end();
}

static void folder(void)
{
	static char names[4096];
	struct uio uio;
	int fd, there;

	mkdir_at(&w[0].task, "/d");
	make_file(&w[0].task, "/d/one", "");
	make_file(&w[0].task, "/d/two", "");
	fd = vfs_openat(&w[0].task, AT_FDCWD, "/d", O_RDONLY | O_DIRECTORY, 0);
	there = carry(0, fd, 1);
	uio_kernel(&uio, names, 72); /* three names of 24 */
	CHECK_EQUAL(vfs_getdents(&w[1].task, there, &uio, false), 72);
	uio_kernel(&uio, names, sizeof(names));
	CHECK_EQUAL(vfs_getdents(&w[0].task, fd, &uio, false), 24); /* goes on there */
	uio_kernel(&uio, names, sizeof(names));
	CHECK_EQUAL(vfs_getdents(&w[1].task, there, &uio, false), 0);
}

TEST(far_folder_is_listed_once)
{
	begin();
	in_fiber(folder);
	end();
}

static void copies(void)
{
	int from, to, far_from, far_to;

	make_file(&w[0].task, "/from", "abcdefgh");
	make_file(&w[2].task, "/to", "");
	from = vfs_openat(&w[0].task, AT_FDCWD, "/from", O_RDONLY, 0);
	to = vfs_openat(&w[2].task, AT_FDCWD, "/to", O_RDWR, 0);
	far_from = carry(0, from, 1);
	far_to = carry(2, to, 1);
	CHECK_EQUAL(vfs_sendfile(&w[1].task, far_to, far_from, NULL, 3), 3);
	CHECK_EQUAL(vfs_lseek(&w[0].task, from, 0, SEEK_CUR), 3);
	CHECK_EQUAL(vfs_lseek(&w[2].task, to, 0, SEEK_CUR), 3);
	CHECK_EQUAL(vfs_copy_file_range(&w[1].task, far_from, NULL, far_to, NULL, 100, 0), 5);
	CHECK_STRING(contents(&w[2].task, "/to"), "abcdefgh");
	CHECK_EQUAL(vfs_lseek(&w[0].task, from, 0, SEEK_CUR), 8);
}

TEST(far_files_are_copied)
{
	begin();
	in_fiber(copies);
	end();
}

/* --- Readiness --- */

struct waiter {
	struct poll_table table;
	struct wait_entry entry;
	u32 woken;
};

static void waiter_wake(struct wait_entry *entry, u32 events)
{
	container_of(entry, struct waiter, entry)->woken |= events;
}

static void waiter_add(struct poll_table *table, struct wait_queue *queue)
{
	wait_add(queue, &container_of(table, struct waiter, table)->entry);
}

static void polls(void)
{
	struct waiter waiter = {.table.add = waiter_add, .entry.wake = waiter_wake};
	char buf[8];
	struct file *file;
	int p[2], r;

	CHECK_EQUAL(vfs_pipe2(&w[0].task, p, 0), 0);
	r = carry(0, p[0], 1);
	CHECK_EQUAL(events_of(1, r), 0);
	put(&w[0].task, p[1], "x");
	CHECK_EQUAL(events_of(1, r) & POLLIN, POLLIN); /* at once */
	get(&w[0].task, p[0], buf, sizeof(buf));
	CHECK_EQUAL(events_of(1, r) & POLLIN, 0);
	file = fd_get(&w[1].task, r);
	file_settle(&w[1].task, file, false);
	CHECK_EQUAL(file_poll(file, &waiter.table), 0);
	put(&w[0].task, p[1], "x");
	arrive();
	CHECK(waiter.woken & POLLIN);
	CHECK(file_poll(file, NULL) & POLLIN);
	wait_remove(&waiter.entry);
	file_put(file);
}

TEST(far_file_tells_when_it_is_ready)
{
	begin();
	in_fiber(polls);
	end();
}

static void watches(void)
{
	struct epoll_event_abi in = {.events = POLLIN, .data = 42}, out;
	struct file *set;
	char buf[8];
	int *p = home_fds, r, ep = epoll_new(&w[1].task, 0);
	u32 left;

	CHECK_EQUAL(vfs_pipe2(&w[0].task, p, 0), 0);
	r = carry(0, p[0], 1);
	CHECK_EQUAL(epoll_change(&w[1].task, ep, EPOLL_CTL_ADD, r, &in), 0);
	CHECK_EQUAL(epoll_get(&w[1].task, ep, &set), 0);
	CHECK_EQUAL(epoll_ready_count(set), 0);
	for (int round = 0; round < 3; round++) {
		put(&w[0].task, p[1], "x");
		CHECK_EQUAL(epoll_block(set, &w[0].loop, FIBER_FOREVER), 0);
		left = epoll_ready_count(set);
		epoll_settle(&w[1].task, set, false);
		CHECK_EQUAL(epoll_take(set, &out, 1, &left), 1);
		CHECK_EQUAL(out.data, 42);
		CHECK_EQUAL(get(&w[1].task, r, buf, sizeof(buf)), 1);
		left = epoll_ready_count(set);
		epoll_settle(&w[1].task, set, false);
		CHECK_EQUAL(epoll_take(set, &out, 1, &left), 0);
	}
	file_put(set);
	CHECK_EQUAL(vfs_close(&w[1].task, ep), 0);
	for (int i = 0; i < 2; i++) { /* nobody watches: the home is told, and stops telling */
		put(&w[0].task, p[1], "x");
		arrive();
	}
}

TEST(far_file_in_an_epoll_set)
{
	u64 before;

	begin();
	in_fiber(watches);
	before = shard_counts(shard_loopback_net(lo, 0), 1, SHARD_FILES).sent;
	in_fiber(write_home);
	CHECK_EQUAL(shard_counts(shard_loopback_net(lo, 0), 1, SHARD_FILES).sent, before);
	end();
}

static int far_set, other_pipe[2];

static void set_of_another_core(void)
{
	struct epoll_event_abi in = {.events = POLLIN, .data = 1}, out[4];
	int ep = epoll_new(&w[0].task, 0);
	struct file *set;

	far_set = carry(0, ep, 1);
	CHECK_EQUAL(vfs_pipe2(&w[0].task, home_fds, 0), 0);
	far_fd = carry(0, home_fds[0], 1);
	CHECK_EQUAL(vfs_pipe2(&w[1].task, other_pipe, 0), 0);
	CHECK_EQUAL(epoll_change(&w[1].task, far_set, EPOLL_CTL_ADD, far_fd, &in), 0);
	CHECK_EQUAL(epoll_change(&w[1].task, far_set, EPOLL_CTL_ADD, far_fd, &in), -EEXIST);
	in.data = 2;
	CHECK_EQUAL(epoll_change(&w[1].task, far_set, EPOLL_CTL_ADD, other_pipe[0], &in), 0);
	CHECK_EQUAL(epoll_change(&w[1].task, far_set, EPOLL_CTL_ADD, far_set, &in), -EINVAL);
	CHECK_EQUAL(epoll_get(&w[1].task, far_set, &set), 0);
	CHECK_EQUAL(far_epoll_wait(&w[1].task, set, out, 4, 0), 0);
	put(&w[1].task, other_pipe[1], "x");
	CHECK_EQUAL(far_epoll_wait(&w[1].task, set, out, 4, UINT64_MAX), 1);
	CHECK_EQUAL(out[0].data, 2);
	put(&w[0].task, home_fds[1], "x");
	CHECK_EQUAL(far_epoll_wait(&w[1].task, set, out, 4, 0), 2);
	in.events = POLLIN | EPOLL_ONESHOT;
	CHECK_EQUAL(epoll_change(&w[1].task, far_set, EPOLL_CTL_MOD, far_fd, &in), 0);
	CHECK_EQUAL(epoll_change(&w[1].task, far_set, EPOLL_CTL_DEL, far_fd, &in), 0);
	CHECK_EQUAL(epoll_change(&w[1].task, far_set, EPOLL_CTL_DEL, far_fd, &in), -ENOENT);
	/* A file that is closed leaves the set, though its proxy is there. */
	CHECK_EQUAL(far_files_proxies(w[0].vfs), 1);
	CHECK_EQUAL(vfs_close(&w[1].task, other_pipe[0]), 0);
	CHECK_EQUAL(put(&w[1].task, other_pipe[1], "x"), -EPIPE);
	arrive();
	CHECK_EQUAL(far_files_proxies(w[0].vfs), 0);
	CHECK_EQUAL(far_epoll_wait(&w[1].task, set, out, 4, 0), 0);
	file_put(set);
}

TEST(far_epoll_set_watches_files_of_all_cores)
{
	begin();
	in_fiber(set_of_another_core);
	end();
}
