/*
 * What tells of changes, and what a file that is written stands against: polling mountinfo, mounts
 * and mountstats; remounting; proc(5), mount(2).
 */
#include "place.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/mman.h>

#define CHANGED (POLLERR | POLLPRI)

/* What poll(2) says at once of @fd. */
static int told_by(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN | POLLPRI};

	return poll(&p, 1, 0) < 0 ? -1 : p.revents;
}

static int mountinfo(void)
{
	return open("/proc/self/mountinfo", O_RDONLY);
}

CASE(mountinfo_is_readable_only_before_a_change)
{
	int fd;

	place();
	fd = mountinfo();
	CHECK(fd >= 0 && told_by(fd) == POLLIN);
	CHECK(told_by(fd) == POLLIN);
}

CASE(mount_is_told_of_once)
{
	int fd;

	place();
	fd = mountinfo();
	CHECK(tmpfs("a") == 0);
	CHECK(told_by(fd) == (POLLIN | CHANGED));
	CHECK(told_by(fd) == POLLIN);
}

CASE(umount_is_told_of)
{
	int fd;

	place();
	CHECK(tmpfs("a") == 0);
	fd = mountinfo();
	CHECK(umount("a") == 0);
	CHECK(told_by(fd) & POLLERR);
}

CASE(move_is_told_of)
{
	int fd;

	place();
	CHECK(tmpfs("a") == 0);
	fd = mountinfo();
	CHECK(mount("a", "b", NULL, MS_MOVE, NULL) == 0);
	CHECK(told_by(fd) & POLLERR);
}

CASE(each_open_file_is_told_by_itself)
{
	int one, other;

	place();
	one = mountinfo();
	other = mountinfo();
	CHECK(tmpfs("a") == 0);
	CHECK(told_by(one) & POLLERR);
	CHECK(told_by(other) & POLLERR);
	CHECK(told_by(mountinfo()) == POLLIN);
}

CASE(reading_does_not_take_the_change_away)
{
	char buf[4096];
	int fd;

	place();
	fd = mountinfo();
	CHECK(tmpfs("a") == 0);
	CHECK(read(fd, buf, sizeof(buf)) > 0);
	CHECK(told_by(fd) & POLLERR);
}

CASE(mounts_is_told_of_changes)
{
	int fd;

	place();
	fd = open("/proc/self/mounts", O_RDONLY);
	CHECK(tmpfs("a") == 0);
	CHECK(told_by(fd) == (POLLIN | CHANGED));
}

CASE(mountstats_tells_of_no_change)
{
	int fd;

	place();
	fd = open("/proc/self/mountstats", O_RDONLY);
	CHECK(fd >= 0 && tmpfs("a") == 0);
	CHECK(told_by(fd) == POLLIN);
}

static void mount_elsewhere(void)
{
	if (unshare(CLONE_NEWNS) || tmpfs("a"))
		_exit(1);
}

CASE(change_of_another_namespace_is_not_told)
{
	int fd;

	place();
	fd = mountinfo();
	CHECK(status_of(mount_elsewhere) == 0);
	CHECK(told_by(fd) == POLLIN);
}

CASE(file_stays_with_the_namespace_it_was_opened_in)
{
	int fd;

	place();
	fd = mountinfo();
	CHECK(unshare(CLONE_NEWNS) == 0 && tmpfs("a") == 0);
	CHECK(told_by(fd) == POLLIN);
}

CASE(text_is_of_the_namespace_it_was_opened_in)
{
	static char buf[65536];
	int fd;
	ssize_t n;

	place();
	fd = mountinfo();
	CHECK(unshare(CLONE_NEWNS) == 0 && mount("elsewhere", "a", "tmpfs", 0, NULL) == 0);
	n = read(fd, buf, sizeof(buf) - 1);
	CHECK(n > 0);
	buf[n] = 0;
	CHECK(!strstr(buf, "elsewhere"));
	CHECK(strstr(text_of("/proc/self/mounts"), "place"));
}

CASE(change_that_spreads_here_is_told)
{
	int fd;

	place();
	CHECK(tmpfs("a") == 0 && kind("a", MS_SHARED) == 0 && mkdir("a/x", 0755) == 0);
	fd = mountinfo();
	CHECK(chdir("a") == 0);
	if (fork() == 0) {
		_exit(unshare(CLONE_NEWNS) || tmpfs("x"));
	}
	CHECK(wait(NULL) > 0);
	CHECK(told_by(fd) & POLLERR);
}

CASE(waiting_ends_with_a_change)
{
	struct pollfd p = {.events = POLLPRI};
	int status;

	place();
	p.fd = mountinfo();
	if (fork() == 0) {
		usleep(50000);
		_exit(tmpfs("a") ? 1 : 0);
	}
	CHECK(poll(&p, 1, 20000) == 1 && p.revents & POLLPRI);
	CHECK(wait(&status) > 0 && status == 0);
}

CASE(epoll_waits_for_a_change)
{
	struct epoll_event event = {.events = EPOLLPRI};
	int fd, ep = epoll_create1(0);

	place();
	fd = mountinfo();
	CHECK(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event) == 0);
	CHECK(epoll_wait(ep, &event, 1, 0) == 0);
	CHECK(tmpfs("a") == 0);
	CHECK(epoll_wait(ep, &event, 1, 10000) == 1);
	CHECK(event.events & EPOLLPRI && event.events & EPOLLERR);
}

CASE(readonly_with_a_writer_is_ebusy)
{
	int fd;

	place();
	CHECK(tmpfs("a") == 0);
	fd = open("a/f", O_RDWR | O_CREAT, 0644);
	CHECK(fd >= 0);
	CHECK_ERROR(mount(NULL, "a", NULL, MS_REMOUNT | MS_RDONLY, NULL), EBUSY);
	CHECK_ERROR(mount(NULL, "a", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL), EBUSY);
	CHECK_ERROR(setattr_(AT_FDCWD, "a", 0, ATTR_RDONLY, 0, 0), EBUSY);
	CHECK(close(fd) == 0);
	CHECK(mount(NULL, "a", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) == 0);
	CHECK_ERROR(open("a/f", O_WRONLY), EROFS);
}

CASE(writer_of_another_mount_does_not_matter)
{
	int fd;

	place();
	CHECK(tmpfs("a") == 0 && bind_("a", "b", 0) == 0);
	fd = open("b/f", O_RDWR | O_CREAT, 0644);
	CHECK(fd >= 0);
	CHECK(mount(NULL, "a", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) == 0);
	/* But the file system is one. */
	CHECK_ERROR(mount(NULL, "a", NULL, MS_REMOUNT | MS_RDONLY, NULL), EBUSY);
	CHECK(write(fd, "x", 1) == 1);
}

CASE(reader_does_not_matter)
{
	place();
	CHECK(tmpfs("a") == 0 && touch("a/f") == 0);
	CHECK(open("a/f", O_RDONLY) >= 0);
	CHECK(mount(NULL, "a", NULL, MS_REMOUNT | MS_RDONLY, NULL) == 0);
}

CASE(mapping_that_is_written_keeps_the_mount_writable)
{
	char *p;
	int fd;

	place();
	CHECK(tmpfs("a") == 0);
	fd = open("a/f", O_RDWR | O_CREAT, 0644);
	CHECK(fd >= 0 && ftruncate(fd, 4096) == 0);
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED && close(fd) == 0);
	CHECK_ERROR(mount(NULL, "a", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL), EBUSY);
	CHECK(munmap(p, 4096) == 0);
	CHECK(mount(NULL, "a", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) == 0);
}

CASE(recursive_readonly_with_a_writer_below_changes_nothing)
{
	place();
	CHECK(tmpfs("a") == 0 && mkdir("a/x", 0755) == 0 && tmpfs("a/x") == 0);
	CHECK(open("a/x/f", O_RDWR | O_CREAT, 0644) >= 0);
	CHECK_ERROR(setattr_(AT_FDCWD, "a", AT_RECURSIVE_, ATTR_RDONLY, 0, 0), EBUSY);
	CHECK(touch("a/g") == 0);
}

CASE(readonly_again_with_a_writer_of_before_is_no_change)
{
	place();
	CHECK(tmpfs("a") == 0 && touch("a/f") == 0);
	CHECK(mount(NULL, "a", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) == 0);
	CHECK(mount(NULL, "a", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOEXEC, NULL) == 0);
	CHECK(strstr(info_of("a"), "ro,noexec"));
}
