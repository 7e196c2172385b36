/*
 * A core dies: what its processes had open and what they had locked.
 */
#include "death.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

SCENARIO(a_pipe_that_was_written_there_ends)
{
	int p[2];
	char c;
	pid_t child;

	CHECK(pipe(p) == 0);
	child = on_core(DOOMED, sleep_for_ever, &p[0]);
	close(p[1]);
	usleep(100000);
	the_core_dies();
	CHECK(read(p[0], &c, 1) == 0);
	CHECK(end_of(child) == -SIGKILL);
}

SCENARIO(a_pipe_that_was_read_there_is_broken)
{
	struct pollfd poller;
	int p[2];
	pid_t child;

	signal(SIGPIPE, SIG_IGN);
	CHECK(pipe(p) == 0);
	child = on_core(DOOMED, sleep_for_ever, &p[1]);
	close(p[0]);
	usleep(100000);
	CHECK(write(p[1], "x", 1) == 1);
	the_core_dies();
	poller = (struct pollfd){.fd = p[1], .events = POLLOUT};
	CHECK(poll(&poller, 1, 5000) == 1 && poller.revents & POLLERR);
	CHECK_ERROR(write(p[1], "x", 1), EPIPE);
	CHECK(end_of(child) == -SIGKILL);
}

static int lock_all(void *arg)
{
	int fd = *(int *)arg;
	struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 10, .l_len = 10};

	MUST(fcntl(fd, F_SETLK, &l) == 0);
	l.l_start = 30;
	MUST(fcntl(fd, F_OFD_SETLK, &l) == 0 || errno == EINVAL);
	shared[1] = 1;
	return sleep_for_ever(NULL);
}

static int wait_for_lock(void *arg)
{
	struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 15, .l_len = 1};

	shared[2] = 1;
	MUST(fcntl(*(int *)arg, F_SETLKW, &l) == 0);
	shared[3] = 1;
	return 0;
}

SCENARIO(record_locks_of_the_dead_are_dropped)
{
	struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 10, .l_len = 10};
	int fd = open("/tmp/death-records", O_RDWR | O_CREAT, 0600);
	pid_t child, waiter;

	CHECK(fd >= 0);
	child = on_core(DOOMED, lock_all, &fd);
	await_shared(1, 1);
	waiter = on_core(LIVING, wait_for_lock, &fd);
	await_shared(2, 1);
	usleep(100000);
	CHECK_ERROR(fcntl(fd, F_SETLK, &l), EAGAIN);
	CHECK(!shared[3]);
	the_core_dies();
	CHECK(end_of(waiter) == 0);
	CHECK(fcntl(fd, F_SETLK, &l) == 0);
	CHECK(end_of(child) == -SIGKILL);
}

static int lock_file(void *arg)
{
	int fd = open(arg, O_RDWR);

	MUST(fd >= 0 && flock(fd, LOCK_EX) == 0);
	shared[1] = 1;
	return sleep_for_ever(NULL);
}

SCENARIO(a_flock_of_the_dead_is_dropped)
{
	int fd = open("/tmp/death-flock", O_RDWR | O_CREAT, 0600);
	int other = open("/tmp/death-flock", O_RDWR);
	pid_t child;

	CHECK(fd >= 0 && other >= 0);
	child = on_core(DOOMED, lock_file, "/tmp/death-flock");
	await_shared(1, 1);
	the_core_dies();
	CHECK(flock(fd, LOCK_EX | LOCK_NB) == 0);
	CHECK(end_of(child) == -SIGKILL);
}

/* --- Mounts --- */

static int mount_and_wait(void *arg)
{
	MUST(mount("death", arg, "tmpfs", 0, NULL) == 0);
	shared[1] = 1;
	return sleep_for_ever(NULL);
}

SCENARIO(the_namespace_of_all_goes_on)
{
	pid_t child;

	CHECK(mkdir("/tmp/death-mnt", 0755) == 0);
	child = on_core(DOOMED, mount_and_wait, "/tmp/death-mnt");
	await_shared(1, 1);
	the_core_dies();
	CHECK(end_of(child) == -SIGKILL);
	CHECK(umount2("/tmp/death-mnt", MNT_DETACH) == 0);
	CHECK(mount("again", "/tmp/death-mnt", "tmpfs", 0, NULL) == 0);
	CHECK(mkdir("/tmp/death-mnt/x", 0755) == 0);
	CHECK(umount("/tmp/death-mnt") == 0);
	CHECK(rmdir("/tmp/death-mnt") == 0);
}

/* --- A terminal --- */

static int lead_session(void *arg)
{
	int fd;

	MUST(setsid() > 0);
	fd = open(arg, O_RDWR);
	MUST(fd >= 0 && ioctl(fd, TIOCSCTTY, 0) == 0);
	MUST(write(fd, "up", 2) == 2);
	shared[1] = 1;
	return sleep_for_ever(NULL);
}

SCENARIO(a_terminal_of_a_dead_session_hangs_up)
{
	char name[64], text[8];
	int master = posix_openpt(O_RDWR | O_NOCTTY);
	pid_t child;

	CHECK(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
	CHECK(ptsname_r(master, name, sizeof(name)) == 0);
	child = on_core(DOOMED, lead_session, name);
	await_shared(1, 1);
	CHECK(read(master, text, sizeof(text)) == 2);
	the_core_dies();
	CHECK_ERROR(read(master, text, sizeof(text)), EIO);
	CHECK(end_of(child) == -SIGKILL);
}
