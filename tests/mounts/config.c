/*
 * fsopen(2), fsconfig(2), fsmount(2), fspick(2).
 */
#include "place.h"

enum {
	SET_FLAG,
	SET_STRING,
	SET_BINARY,
	SET_PATH,
	SET_PATH_EMPTY,
	SET_FD,
	CREATE,
	RECONFIGURE,
	CREATE_EXCL
};

static int fsopen_(const char *type, unsigned flags)
{
	return (int)syscall(NR_fsopen, type, flags);
}

static int config(int fd, unsigned cmd, const char *key, const void *value, int aux)
{
	return (int)syscall(NR_fsconfig, fd, cmd, key, value, aux);
}

static int fsmount_(int fd, unsigned flags, unsigned attr)
{
	return (int)syscall(NR_fsmount, fd, flags, attr);
}

static int attach(int fd, const char *where)
{
	return move_mount_(fd, "", AT_FDCWD, where, MOVE_F_EMPTY);
}

CASE(file_system_is_made_step_by_step)
{
	int fd, mnt;

	place();
	fd = fsopen_("tmpfs", 1);
	CHECK(fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
	CHECK(config(fd, SET_STRING, "source", "here", 0) == 0);
	CHECK(config(fd, SET_STRING, "size", "64k", 0) == 0);
	CHECK(config(fd, SET_FLAG, "ro", NULL, 0) == 0);
	CHECK(config(fd, CREATE, NULL, NULL, 0) == 0);
	mnt = fsmount_(fd, 1, ATTR_NOSUID | ATTR_NODEV);
	CHECK(mnt >= 0);
	CHECK(attach(mnt, "a") == 0);
	CHECK(strstr(info_of("a"), " rw,nosuid,nodev,relatime - tmpfs here ro,size=64k"));
	CHECK_ERROR(touch("a/f"), EROFS);
}

CASE(source_is_none_if_it_is_not_set)
{
	int fd;

	place();
	fd = fsopen_("tmpfs", 0);
	CHECK(config(fd, CREATE, NULL, NULL, 0) == 0);
	CHECK(attach(fsmount_(fd, 0, ATTR_STRICTATIME), "a") == 0);
	CHECK(strstr(info_of("a"), " rw - tmpfs none rw"));
}

CASE(unknown_type_is_enodev)
{
	CHECK_ERROR(fsopen_("nosuchfs", 0), ENODEV);
	CHECK_ERROR(fsopen_("tmpfs", 2), EINVAL);
	CHECK_ERROR(fsopen_((char *)8, 0), EFAULT);
}

CASE(without_privilege_is_eperm)
{
	int fd;

	place();
	fd = fsopen_("tmpfs", 0);
	CHECK(config(fd, CREATE, NULL, NULL, 0) == 0);
	CHECK(setresuid(1000, 1000, 1000) == 0);
	CHECK_ERROR(fsopen_("tmpfs", 0), EPERM);
	CHECK_ERROR(fsmount_(fd, 0, 0), EPERM);
	CHECK_ERROR(syscall(NR_fspick, AT_FDCWD, "/tmp", 0), EPERM);
}

CASE(arguments_must_fit_the_command)
{
	int fd = fsopen_("tmpfs", 0);

	CHECK_ERROR(config(fd, SET_FLAG, NULL, NULL, 0), EINVAL);
	CHECK_ERROR(config(fd, SET_FLAG, "ro", "x", 0), EINVAL);
	CHECK_ERROR(config(fd, SET_FLAG, "ro", NULL, 1), EINVAL);
	CHECK_ERROR(config(fd, SET_STRING, "size", NULL, 0), EINVAL);
	CHECK_ERROR(config(fd, SET_BINARY, "x", "y", 0), EINVAL);
	CHECK_ERROR(config(fd, SET_PATH, "x", "/", -5), EINVAL);
	CHECK_ERROR(config(fd, SET_FD, "x", NULL, -1), EINVAL);
	CHECK_ERROR(config(fd, CREATE, "x", NULL, 0), EINVAL);
	CHECK_ERROR(config(fd, 99, NULL, NULL, 0), EOPNOTSUPP);
	CHECK_ERROR(config(-1, CREATE, NULL, NULL, 0), EINVAL);
	CHECK_ERROR(config(99, CREATE, NULL, NULL, 0), EBADF);
	CHECK_ERROR(config(0, CREATE, NULL, NULL, 0), EINVAL);
}

CASE(unknown_option_is_said)
{
	char line[128];
	int fd = fsopen_("tmpfs", 0);
	ssize_t n;

	CHECK_ERROR(config(fd, SET_STRING, "nosuch", "x", 0), EINVAL);
	n = read(fd, line, sizeof(line) - 1);
	CHECK(n > 0);
	line[n] = 0;
	CHECK(!strcmp(line, "e tmpfs: Unknown parameter 'nosuch'\n"));
	CHECK_ERROR(read(fd, line, sizeof(line)), ENODATA);
}

CASE(bad_value_is_said)
{
	char line[128];
	int fd = fsopen_("tmpfs", 0);
	ssize_t n;

	CHECK_ERROR(config(fd, SET_STRING, "size", "nonsense", 0), EINVAL);
	CHECK_ERROR(read(fd, line, 3), EMSGSIZE);
	n = read(fd, line, sizeof(line) - 1);
	CHECK(n > 0);
	line[n] = 0;
	CHECK(!strcmp(line, "e tmpfs: Bad value for 'size'\n"));
}

CASE(source_is_set_once)
{
	int fd = fsopen_("tmpfs", 0);

	CHECK(config(fd, SET_STRING, "source", "x", 0) == 0);
	CHECK_ERROR(config(fd, SET_STRING, "source", "y", 0), EINVAL);
}

CASE(mounting_before_it_is_made_is_einval)
{
	int fd = fsopen_("tmpfs", 0);

	CHECK_ERROR(fsmount_(fd, 0, 0), EINVAL);
	CHECK_ERROR(fsmount_(fd, 4, 0), EINVAL);
	CHECK_ERROR(fsmount_(fd, 0, ATTR_IDMAP), EINVAL);
	CHECK_ERROR(fsmount_(99, 0, 0), EBADF);
	CHECK_ERROR(fsmount_(0, 0, 0), EINVAL);
}

CASE(steps_out_of_order_are_ebusy)
{
	int fd = fsopen_("tmpfs", 0);

	CHECK_ERROR(config(fd, RECONFIGURE, NULL, NULL, 0), EBUSY);
	CHECK(config(fd, CREATE, NULL, NULL, 0) == 0);
	CHECK_ERROR(config(fd, CREATE, NULL, NULL, 0), EBUSY);
	CHECK_ERROR(config(fd, SET_STRING, "size", "1m", 0), EBUSY);
	CHECK(fsmount_(fd, 0, 0) >= 0);
	CHECK_ERROR(fsmount_(fd, 0, 0), EBUSY);
}

CASE(picked_file_system_is_reconfigured)
{
	int fd;

	place();
	CHECK(tmpfs("a") == 0 && bind_("a", "b", 0) == 0);
	fd = (int)syscall(NR_fspick, AT_FDCWD, "a", 1);
	CHECK(fd >= 0);
	CHECK(config(fd, SET_FLAG, "ro", NULL, 0) == 0);
	CHECK(config(fd, RECONFIGURE, NULL, NULL, 0) == 0);
	CHECK_ERROR(touch("b/f"), EROFS);
}

CASE(pick_of_what_is_no_mount_is_einval)
{
	place();
	CHECK_ERROR(syscall(NR_fspick, AT_FDCWD, "a", 0), EINVAL);
	CHECK_ERROR(syscall(NR_fspick, AT_FDCWD, "nothing", 0), ENOENT);
	CHECK_ERROR(syscall(NR_fspick, AT_FDCWD, "a", 0x10), EINVAL);
}

CASE(detached_file_system_is_used_without_a_place)
{
	int fd, mnt;

	place();
	fd = fsopen_("tmpfs", 0);
	CHECK(config(fd, CREATE, NULL, NULL, 0) == 0);
	mnt = fsmount_(fd, 0, 0);
	CHECK(mkdirat(mnt, "x", 0755) == 0);
	CHECK(faccessat(mnt, "x", F_OK, 0) == 0);
	CHECK(attach(mnt, "a") == 0 && there("a/x"));
}

CASE(namespace_of_a_new_file_system)
{
	int fd, ns;

	place();
	fd = fsopen_("tmpfs", 0);
	CHECK(config(fd, CREATE, NULL, NULL, 0) == 0);
	ns = fsmount_(fd, 3, ATTR_NOSUID);
	CHECK(ns >= 0);
	CHECK(setns(ns, CLONE_NEWNS) == 0);
	CHECK(!there("/tmp") && mkdir("/proc", 0755) == 0);
	CHECK(mount("proc", "/proc", "proc", 0, NULL) == 0);
	CHECK(count_mounts() == 2);
}
