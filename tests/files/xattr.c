/* Extended attributes: xattr(7). */
#include "check.h"
#include "scratch.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

static char buf[70000];

CASE(attribute_is_set_read_and_removed)
{
	scratch();
	make("f", "");
	CHECK(setxattr("f", "user.a", "value", 5, 0) == 0);
	CHECK(getxattr("f", "user.a", buf, sizeof(buf)) == 5 && !memcmp(buf, "value", 5));
	CHECK(setxattr("f", "user.a", "", 0, 0) == 0);
	CHECK(getxattr("f", "user.a", buf, sizeof(buf)) == 0);
	CHECK(removexattr("f", "user.a") == 0);
	CHECK_ERROR(getxattr("f", "user.a", buf, sizeof(buf)), ENODATA);
	CHECK_ERROR(removexattr("f", "user.a"), ENODATA);
}

CASE(attribute_create_and_replace_mind_what_is_there)
{
	scratch();
	make("f", "");
	CHECK_ERROR(setxattr("f", "user.a", "x", 1, XATTR_REPLACE), ENODATA);
	CHECK(setxattr("f", "user.a", "x", 1, XATTR_CREATE) == 0);
	CHECK_ERROR(setxattr("f", "user.a", "x", 1, XATTR_CREATE), EEXIST);
	CHECK(setxattr("f", "user.a", "longer", 6, XATTR_REPLACE) == 0);
	CHECK(getxattr("f", "user.a", NULL, 0) == 6);
	CHECK_ERROR(setxattr("f", "user.a", "x", 1, 4), EINVAL);
}

CASE(attribute_buffer_too_small_is_erange)
{
	scratch();
	make("f", "");
	CHECK(setxattr("f", "user.a", "value", 5, 0) == 0);
	CHECK(getxattr("f", "user.a", NULL, 0) == 5);
	CHECK_ERROR(getxattr("f", "user.a", buf, 4), ERANGE);
	CHECK(listxattr("f", NULL, 0) >= 7);
	CHECK_ERROR(listxattr("f", buf, 3), ERANGE);
}

CASE(attribute_names_and_sizes_are_limited)
{
	char name[300] = "user.";

	scratch();
	make("f", "");
	CHECK_ERROR(setxattr("f", "", "x", 1, 0), ERANGE);
	memset(name + 5, 'n', 251);
	CHECK_ERROR(setxattr("f", name, "x", 1, 0), ERANGE);
	name[255] = 0;
	CHECK(setxattr("f", name, "x", 1, 0) == 0);
	CHECK(setxattr("f", "trusted.big", buf, 65536, 0) == 0);
	CHECK(getxattr("f", "trusted.big", buf, sizeof(buf)) == 65536);
	CHECK_ERROR(setxattr("f", "trusted.big", buf, 65537, 0), E2BIG);
}

CASE(attribute_of_an_unknown_namespace_is_eopnotsupp)
{
	scratch();
	make("f", "");
	CHECK_ERROR(setxattr("f", "nothing.a", "x", 1, 0), EOPNOTSUPP);
	CHECK_ERROR(getxattr("f", "user", buf, 1), EOPNOTSUPP);
	CHECK_ERROR(setxattr("f", "user.", "x", 1, 0), EINVAL);
	CHECK_ERROR(getxattr("/proc/version", "user.a", buf, 1), EOPNOTSUPP);
}

static int in_list(const char *name, ssize_t n)
{
	int found = 0;

	for (ssize_t i = 0; i < n; i += (ssize_t)strlen(buf + i) + 1)
		found += !strcmp(buf + i, name);
	return found;
}

CASE(attributes_are_listed_by_names_with_nuls)
{
	ssize_t n;

	scratch();
	make("f", "");
	setxattr("f", "user.one", "1", 1, 0);
	setxattr("f", "user.two", "2", 1, 0);
	setxattr("f", "trusted.three", "3", 1, 0);
	n = listxattr("f", buf, sizeof(buf));
	CHECK(n > 0 && buf[n - 1] == 0 && listxattr("f", NULL, 0) == n);
	CHECK(in_list("user.one", n) == 1 && in_list("user.two", n) == 1);
	CHECK(in_list("trusted.three", n) == 1);
}

CASE(attribute_calls_follow_links_but_for_the_l_forms)
{
	scratch();
	make("f", "");
	symlink("f", "l");
	CHECK(setxattr("l", "user.a", "x", 1, 0) == 0);
	CHECK(getxattr("f", "user.a", buf, 1) == 1);
	CHECK_ERROR(lsetxattr("l", "user.a", "x", 1, 0), EPERM);
	CHECK_ERROR(lgetxattr("l", "user.a", buf, 1), ENODATA);
	CHECK(lsetxattr("l", "trusted.a", "x", 1, 0) == 0);
	CHECK_ERROR(getxattr("f", "trusted.a", buf, 1), ENODATA);
	CHECK(lremovexattr("l", "trusted.a") == 0);
}

CASE(attribute_calls_on_descriptors)
{
	int fd;

	scratch();
	make("f", "");
	fd = open("f", O_RDONLY);
	CHECK(fsetxattr(fd, "user.a", "x", 1, 0) == 0);
	CHECK(fgetxattr(fd, "user.a", buf, 9) == 1 && flistxattr(fd, buf, 70000) >= 7);
	CHECK(fremovexattr(fd, "user.a") == 0);
	CHECK_ERROR(fgetxattr(99, "user.a", buf, 9), EBADF);
	CHECK_ERROR(fsetxattr(open("f", O_PATH), "user.a", "x", 1, 0), EBADF);
}

CASE(trusted_attributes_are_for_the_administrator)
{
	ssize_t n;

	scratch();
	chmod(".", 0777);
	make("f", "");
	chmod("f", 0666);
	setxattr("f", "trusted.a", "x", 1, 0);
	setxattr("f", "user.b", "x", 1, 0);
	CHECK(be_user(1000) == 0);
	CHECK_ERROR(setxattr("f", "trusted.b", "x", 1, 0), EPERM);
	CHECK_ERROR(getxattr("f", "trusted.a", buf, 1), ENODATA);
	n = listxattr("f", buf, sizeof(buf));
	CHECK(in_list("user.b", n) == 1 && in_list("trusted.a", n) == 0);
}

CASE(user_attributes_need_the_files_permission)
{
	scratch();
	make("f", "");
	chmod("f", 0640);
	setxattr("f", "user.a", "x", 1, 0);
	CHECK(be_user(1000) == 0);
	CHECK_ERROR(getxattr("f", "user.a", buf, 1), EACCES);
	CHECK_ERROR(setxattr("f", "user.a", "x", 1, 0), EACCES);
}

CASE(user_attributes_are_for_files_and_folders)
{
	scratch();
	chmod(".", 0755);
	mkfifo("p", 0600);
	mkdir("d", 0755);
	CHECK_ERROR(setxattr("p", "user.a", "x", 1, 0), EPERM);
	CHECK_ERROR(getxattr("p", "user.a", buf, 1), ENODATA);
	CHECK(setxattr("d", "user.a", "x", 1, 0) == 0);
	chmod("d", 01777);
	CHECK(be_user(1000) == 0);
	CHECK_ERROR(setxattr("d", "user.a", "x", 1, 0), EPERM);
}

CASE(file_capabilities_must_be_well_formed)
{
	struct {
		unsigned int magic, data[4];
	} caps = {0x02000001, {1 << 10, 0, 0, 0}};

	scratch();
	make("f", "");
	CHECK_ERROR(setxattr("f", "security.capability", "junk", 4, 0), EINVAL);
	CHECK(setxattr("f", "security.capability", &caps, sizeof(caps), 0) == 0);
	CHECK(getxattr("f", "security.capability", buf, sizeof(buf)) == sizeof(caps));
	CHECK(!memcmp(buf, &caps, sizeof(caps)));
	CHECK(removexattr("f", "security.capability") == 0);
}

CASE(attribute_changes_the_change_time_only)
{
	struct timespec old[2] = {{1, 0}, {1, 0}};
	struct stat was, st;

	scratch();
	make("f", "");
	utimensat(AT_FDCWD, "f", old, 0);
	stat("f", &was);
	usleep(20000);
	CHECK(setxattr("f", "user.a", "x", 1, 0) == 0 && stat("f", &st) == 0);
	CHECK(st.st_mtim.tv_sec == 1 && st.st_atim.tv_sec == 1);
	CHECK(st.st_ctim.tv_sec > was.st_ctim.tv_sec || st.st_ctim.tv_nsec > was.st_ctim.tv_nsec);
}

CASE(attributes_stay_with_the_file_through_links_and_renames)
{
	scratch();
	make("f", "");
	setxattr("f", "user.a", "x", 1, 0);
	CHECK(link("f", "g") == 0 && rename("f", "h") == 0);
	CHECK(getxattr("g", "user.a", buf, 1) == 1);
	CHECK(setxattr("h", "user.a", "y", 1, 0) == 0);
	CHECK(getxattr("g", "user.a", buf, 1) == 1 && buf[0] == 'y');
}

CASE(bad_addresses_of_attributes_are_efault)
{
	char *volatile nowhere = (char *)8;

	scratch();
	make("f", "");
	CHECK_ERROR(setxattr("f", nowhere, "x", 1, 0), EFAULT);
	CHECK_ERROR(setxattr("f", "user.a", nowhere, 1, 0), EFAULT);
	setxattr("f", "user.a", "x", 1, 0);
	CHECK_ERROR(getxattr("f", "user.a", nowhere, 9), EFAULT);
	CHECK_ERROR(getxattr(nowhere, "user.a", buf, 9), EFAULT);
	CHECK_ERROR(getxattr("none", "user.a", buf, 9), ENOENT);
}

#ifndef SYS_setxattrat
#define SYS_setxattrat    463
#define SYS_getxattrat    464
#define SYS_listxattrat   465
#define SYS_removexattrat 466
#endif

CASE(attribute_calls_by_folder_and_name)
{
	struct {
		unsigned long value;
		unsigned int size, flags;
	} args = {(unsigned long)"x", 1, 0};
	int fd;

	scratch();
	mkdir("d", 0755);
	make("d/f", "");
	fd = open("d", O_PATH);
	CHECK(syscall(SYS_setxattrat, fd, "f", 0, "user.a", &args, sizeof(args)) == 0);
	args.value = (unsigned long)buf;
	args.size = 9;
	CHECK(syscall(SYS_getxattrat, fd, "f", 0, "user.a", &args, sizeof(args)) == 1);
	CHECK(syscall(SYS_listxattrat, fd, "f", 0, buf, 100) >= 7);
	CHECK_ERROR(syscall(SYS_getxattrat, fd, "f", 1, "user.a", &args, sizeof(args)), EINVAL);
	CHECK_ERROR(syscall(SYS_getxattrat, fd, "f", 0, "user.a", &args, 8), EINVAL);
	CHECK(syscall(SYS_removexattrat, fd, "f", 0, "user.a") == 0);
}
