/*
 * open_tree(2), move_mount(2), mount_setattr(2): trees that are detached, attached, beneath others,
 * namespaces of their own.
 */
#include "place.h"

#include <sys/ioctl.h>

static int clone_tree(const char *path, unsigned flags)
{
	return open_tree_(AT_FDCWD, path, OPEN_TREE_CLONE_ | O_CLOEXEC | flags);
}

static int attach(int fd, const char *where, unsigned flags)
{
	return move_mount_(fd, "", AT_FDCWD, where, MOVE_F_EMPTY | flags);
}

CASE(open_tree_without_clone_is_a_path)
{
	int fd;

	place();
	CHECK(touch("a/f") == 0);
	fd = open_tree_(AT_FDCWD, "a", O_CLOEXEC);
	CHECK(fd >= 0 && faccessat(fd, "f", F_OK, 0) == 0);
	CHECK(fcntl(fd, F_GETFL) & O_PATH);
	CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC);
	CHECK_ERROR(read(fd, &fd, 1), EBADF);
}

CASE(open_tree_of_bad_flags_is_einval)
{
	place();
	CHECK_ERROR(open_tree_(AT_FDCWD, "a", AT_RECURSIVE_), EINVAL);
	CHECK_ERROR(open_tree_(AT_FDCWD, "a", 0x40), EINVAL);
	CHECK_ERROR(open_tree_(AT_FDCWD, "a", OPEN_TREE_CLONE_ | OPEN_TREE_NAMESPACE_), EINVAL);
	CHECK_ERROR(open_tree_(AT_FDCWD, "nothing", OPEN_TREE_CLONE_), ENOENT);
	CHECK_ERROR(open_tree_(AT_FDCWD, "", OPEN_TREE_CLONE_), ENOENT);
	CHECK_ERROR(open_tree_(99, "a", OPEN_TREE_CLONE_), EBADF);
}

CASE(open_tree_without_privilege)
{
	place();
	CHECK(setresuid(1000, 1000, 1000) == 0);
	CHECK(open_tree_(AT_FDCWD, "a", 0) >= 0);
	CHECK_ERROR(open_tree_(AT_FDCWD, "a", OPEN_TREE_CLONE_), EPERM);
	CHECK_ERROR(open_tree_(AT_FDCWD, "a", OPEN_TREE_NAMESPACE_), EPERM);
}

CASE(detached_copy_is_seen_by_its_descriptor_only)
{
	int fd, before;

	place();
	CHECK(tmpfs("a") == 0 && touch("a/f") == 0);
	before = count_mounts();
	fd = clone_tree("a", 0);
	CHECK(fd >= 0 && count_mounts() == before);
	CHECK(faccessat(fd, "f", F_OK, 0) == 0);
	CHECK(umount("a") == 0);
	CHECK(faccessat(fd, "f", F_OK, 0) == 0);
}

CASE(detached_copy_is_attached)
{
	int fd;

	place();
	CHECK(tmpfs("a") == 0 && touch("a/f") == 0);
	fd = clone_tree("a", 0);
	CHECK(attach(fd, "b", 0) == 0);
	CHECK(there("b/f"));
	close(fd);
	CHECK(there("b/f"));
	CHECK(umount("b") == 0);
}

CASE(detached_copy_ends_with_its_descriptor)
{
	int fd, file;

	place();
	CHECK(tmpfs("a") == 0 && touch("a/f") == 0);
	fd = clone_tree("a", 0);
	file = openat(fd, ".", O_RDONLY | O_DIRECTORY);
	close(fd);
	CHECK_ERROR(move_mount_(file, "", AT_FDCWD, "b", MOVE_F_EMPTY), EINVAL);
	CHECK(faccessat(file, "f", F_OK, 0) == 0);
}

CASE(attached_copy_is_moved_by_its_descriptor)
{
	int fd;

	place();
	CHECK(tmpfs("a") == 0 && touch("a/f") == 0);
	fd = clone_tree("a", 0);
	CHECK(attach(fd, "b", 0) == 0);
	CHECK(attach(fd, "c", 0) == 0);
	CHECK(!there("b/f") && there("c/f"));
}

CASE(recursive_copy_has_submounts)
{
	int one, all;

	place();
	CHECK(tmpfs("a") == 0 && mkdir("a/s", 0755) == 0 && tmpfs("a/s") == 0 &&
	      touch("a/s/f") == 0);
	one = clone_tree("a", 0);
	all = clone_tree("a", AT_RECURSIVE_);
	CHECK(faccessat(one, "s/f", F_OK, 0) == -1);
	CHECK(faccessat(all, "s/f", F_OK, 0) == 0);
}

CASE(copy_of_a_detached_mount)
{
	int fd, again;

	place();
	CHECK(tmpfs("a") == 0 && touch("a/f") == 0);
	fd = clone_tree("a", 0);
	again = open_tree_(fd, "", OPEN_TREE_CLONE_ | AT_EMPTY_PATH);
	CHECK(again >= 0);
	CHECK(attach(again, "b", 0) == 0 && there("b/f"));
}

CASE(copy_of_an_unmounted_mount_is_einval)
{
	place();
	CHECK(tmpfs("a") == 0 && chdir("a") == 0);
	CHECK(umount2("/tmp/a", MNT_DETACH) == 0);
	CHECK_ERROR(clone_tree(".", 0), EINVAL);
}

CASE(copy_of_an_unbindable_mount_is_einval)
{
	place();
	CHECK(tmpfs("a") == 0 && kind("a", MS_UNBINDABLE) == 0);
	CHECK_ERROR(clone_tree("a", 0), EINVAL);
	CHECK_ERROR(open_tree_(AT_FDCWD, "a", OPEN_TREE_NAMESPACE_), EINVAL);
}

CASE(mounting_on_a_detached_tree)
{
	int fd, other;

	place();
	CHECK(tmpfs("a") == 0 && mkdir("a/s", 0755) == 0);
	CHECK(tmpfs("b") == 0 && touch("b/f") == 0);
	fd = clone_tree("a", 0);
	other = clone_tree("b", 0);
	CHECK(move_mount_(other, "", fd, "s", MOVE_F_EMPTY) == 0);
	CHECK(faccessat(fd, "s/f", F_OK, 0) == 0);
	CHECK(attach(fd, "c", 0) == 0 && there("c/s/f"));
}

CASE(move_mount_of_bad_arguments)
{
	place();
	CHECK(tmpfs("a") == 0);
	CHECK_ERROR(move_mount_(AT_FDCWD, "a", AT_FDCWD, "b", 0x1000), EINVAL);
	CHECK_ERROR(move_mount_(AT_FDCWD, "a", AT_FDCWD, "b", MOVE_BENEATH | MOVE_SET_GROUP),
		    EINVAL);
	CHECK_ERROR(move_mount_(AT_FDCWD, "b", AT_FDCWD, "c", 0), EINVAL);
	CHECK_ERROR(move_mount_(AT_FDCWD, "nothing", AT_FDCWD, "c", 0), ENOENT);
	CHECK_ERROR(move_mount_(AT_FDCWD, "", AT_FDCWD, "c", 0), ENOENT);
	CHECK_ERROR(move_mount_(AT_FDCWD, "/", AT_FDCWD, "c", 0), ELOOP);
	CHECK(move_mount_(AT_FDCWD, "a", AT_FDCWD, "b", 0) == 0);
}

CASE(move_mount_without_privilege_is_eperm)
{
	place();
	CHECK(tmpfs("a") == 0 && setresuid(1000, 1000, 1000) == 0);
	CHECK_ERROR(move_mount_(AT_FDCWD, "a", AT_FDCWD, "b", 0), EPERM);
}

CASE(move_mount_to_an_open_folder)
{
	int to;

	place();
	CHECK(tmpfs("a") == 0 && touch("a/f") == 0);
	to = open("b", O_PATH);
	CHECK(move_mount_(AT_FDCWD, "a", to, "", MOVE_T_EMPTY) == 0);
	CHECK(there("b/f"));
}

CASE(beneath_is_seen_when_the_top_is_gone)
{
	int fd;

	place();
	CHECK(tmpfs("a") == 0 && touch("a/new") == 0);
	CHECK(tmpfs("b") == 0 && touch("b/old") == 0);
	fd = clone_tree("a", 0);
	CHECK(attach(fd, "b", MOVE_BENEATH) == 0);
	CHECK(there("b/old") && !there("b/new"));
	CHECK(umount("b") == 0);
	CHECK(there("b/new"));
}

CASE(beneath_what_is_no_mount_is_einval)
{
	int fd;

	place();
	CHECK(tmpfs("a") == 0);
	fd = clone_tree("a", 0);
	CHECK_ERROR(attach(fd, "b", MOVE_BENEATH), EINVAL);
}

CASE(beneath_spreads)
{
	int fd;

	place();
	CHECK(tmpfs("a") == 0 && touch("a/new") == 0);
	CHECK(tmpfs("b") == 0 && mkdir("b/s", 0755) == 0 && kind("b", MS_SHARED) == 0);
	CHECK(bind_("b", "c", 0) == 0);
	CHECK(tmpfs("b/s") == 0 && touch("b/s/old") == 0);
	fd = clone_tree("a", 0);
	CHECK(attach(fd, "b/s", MOVE_BENEATH) == 0);
	CHECK(there("c/s/old"));
	CHECK(umount("c/s") == 0);
	CHECK(there("b/s/new") && there("c/s/new"));
}

CASE(set_group_shares_two_mounts)
{
	place();
	CHECK(tmpfs("a") == 0 && bind_("a", "b", 0) == 0 && kind("a", MS_SHARED) == 0);
	CHECK(move_mount_(AT_FDCWD, "a", AT_FDCWD, "b", MOVE_SET_GROUP) == 0);
	CHECK(number_after(info_of("a"), "shared:") == number_after(info_of("b"), "shared:"));
	CHECK_ERROR(move_mount_(AT_FDCWD, "a", AT_FDCWD, "b", MOVE_SET_GROUP), EINVAL);
}

CASE(set_group_of_other_file_systems_is_einval)
{
	place();
	CHECK(tmpfs("a") == 0 && tmpfs("b") == 0 && kind("a", MS_SHARED) == 0);
	CHECK_ERROR(move_mount_(AT_FDCWD, "a", AT_FDCWD, "b", MOVE_SET_GROUP), EINVAL);
	CHECK_ERROR(move_mount_(AT_FDCWD, "b", AT_FDCWD, "a", MOVE_SET_GROUP), EINVAL);
}

CASE(set_group_from_a_narrower_root_is_einval)
{
	place();
	CHECK(tmpfs("a") == 0 && mkdir("a/s", 0755) == 0 && bind_("a/s", "b", 0) == 0);
	CHECK(kind("b", MS_SHARED) == 0);
	CHECK_ERROR(move_mount_(AT_FDCWD, "b", AT_FDCWD, "a", MOVE_SET_GROUP), EINVAL);
}

CASE(setattr_sets_and_clears)
{
	place();
	CHECK(tmpfs("a") == 0);
	CHECK(setattr_(AT_FDCWD, "a", 0, ATTR_RDONLY | ATTR_NOSUID | ATTR_NODEV, 0, 0) == 0);
	CHECK(strstr(info_of("a"), " ro,nosuid,nodev,relatime - "));
	CHECK(setattr_(AT_FDCWD, "a", 0, ATTR_NOEXEC, ATTR_RDONLY | ATTR_NODEV, 0) == 0);
	CHECK(strstr(info_of("a"), " rw,nosuid,noexec,relatime - "));
	CHECK(setattr_(AT_FDCWD, "a", 0, ATTR_NOSYMFOLLOW | ATTR_NODIRATIME, ATTR_NOEXEC, 0) == 0);
	CHECK(strstr(info_of("a"), " rw,nosuid,nodiratime,relatime,nosymfollow - "));
}

CASE(setattr_of_times_wants_all_cleared)
{
	place();
	CHECK(tmpfs("a") == 0);
	CHECK_ERROR(setattr_(AT_FDCWD, "a", 0, ATTR_NOATIME, 0, 0), EINVAL);
	CHECK_ERROR(setattr_(AT_FDCWD, "a", 0, ATTR_NOATIME, ATTR_NOATIME, 0), EINVAL);
	CHECK_ERROR(setattr_(AT_FDCWD, "a", 0, ATTR_NOATIME | ATTR_STRICTATIME, ATTR__ATIME, 0),
		    EINVAL);
	CHECK(setattr_(AT_FDCWD, "a", 0, ATTR_NOATIME, ATTR__ATIME, 0) == 0);
	CHECK(strstr(info_of("a"), " rw,noatime - "));
	CHECK(setattr_(AT_FDCWD, "a", 0, ATTR_STRICTATIME, ATTR__ATIME, 0) == 0);
	CHECK(strstr(info_of("a"), " rw - "));
	CHECK(setattr_(AT_FDCWD, "a", 0, 0, ATTR__ATIME, 0) == 0);
	CHECK(strstr(info_of("a"), " rw,relatime - "));
}

CASE(setattr_recursively)
{
	place();
	CHECK(tmpfs("a") == 0 && mkdir("a/s", 0755) == 0 && tmpfs("a/s") == 0);
	CHECK(setattr_(AT_FDCWD, "a", 0, ATTR_RDONLY, 0, 0) == 0);
	CHECK(touch("a/s/f") == 0);
	CHECK(setattr_(AT_FDCWD, "a", AT_RECURSIVE_, ATTR_RDONLY, 0, 0) == 0);
	CHECK_ERROR(touch("a/s/g"), EROFS);
}

CASE(setattr_changes_the_kind)
{
	place();
	CHECK(tmpfs("a") == 0);
	CHECK(setattr_(AT_FDCWD, "a", 0, 0, 0, MS_SHARED) == 0);
	CHECK(strstr(info_of("a"), "shared:"));
	CHECK_ERROR(setattr_(AT_FDCWD, "a", 0, 0, 0, MS_SHARED | MS_PRIVATE), EINVAL);
	CHECK_ERROR(setattr_(AT_FDCWD, "a", 0, 0, 0, MS_REC), EINVAL);
}

CASE(setattr_of_bad_arguments)
{
	struct mount_attr_ attr[2] = {{.set = ATTR_RDONLY}, {.set = 1}};

	place();
	CHECK(tmpfs("a") == 0);
	CHECK_ERROR(setattr_(AT_FDCWD, "a", 1, ATTR_RDONLY, 0, 0), EINVAL);
	CHECK_ERROR(setattr_(AT_FDCWD, "a", 0, 1ul << 40, 0, 0), EINVAL);
	CHECK_ERROR(setattr_(AT_FDCWD, "b", 0, ATTR_RDONLY, 0, 0), EINVAL);
	CHECK_ERROR(setattr_(AT_FDCWD, "nothing", 0, ATTR_RDONLY, 0, 0), ENOENT);
	CHECK_ERROR(syscall(NR_mount_setattr, AT_FDCWD, "a", 0, attr, 8), EINVAL);
	CHECK_ERROR(syscall(NR_mount_setattr, AT_FDCWD, "a", 0, attr, sizeof(attr)), E2BIG);
	CHECK_ERROR(syscall(NR_mount_setattr, AT_FDCWD, "a", 0, attr, 5000), E2BIG);
	CHECK(setattr_(AT_FDCWD, "b", 0, 0, 0, 0) == 0);
}

CASE(setattr_of_a_detached_tree)
{
	int fd;

	place();
	CHECK(tmpfs("a") == 0);
	fd = clone_tree("a", 0);
	CHECK(setattr_(fd, "", AT_EMPTY_PATH, ATTR_RDONLY, 0, 0) == 0);
	CHECK(attach(fd, "b", 0) == 0);
	CHECK_ERROR(touch("b/f"), EROFS);
	CHECK(touch("a/f") == 0);
}

CASE(open_tree_with_attributes)
{
	struct mount_attr_ attr = {.set = ATTR_RDONLY};
	int fd;

	place();
	CHECK(tmpfs("a") == 0);
	fd = (int)syscall(NR_open_tree_attr, AT_FDCWD, "a", OPEN_TREE_CLONE_ | O_CLOEXEC, &attr,
			  sizeof(attr));
	CHECK(fd >= 0 && attach(fd, "b", 0) == 0);
	CHECK_ERROR(touch("b/f"), EROFS);
}

/* --- A namespace of a tree --- */

CASE(namespace_of_a_tree_is_entered)
{
	int fd;

	place();
	CHECK(tmpfs("a") == 0 && touch("a/here") == 0 && mkdir("a/proc", 0755) == 0);
	fd = open_tree_(AT_FDCWD, "a", OPEN_TREE_NAMESPACE_ | O_CLOEXEC);
	CHECK(fd >= 0);
	CHECK(setns(fd, CLONE_NEWNS) == 0);
	CHECK(there("/here") && !there("/tmp"));
	CHECK(mount("proc", "/proc", "proc", 0, NULL) == 0);
	CHECK(count_mounts() == 2);
}

CASE(namespace_of_a_tree_is_a_namespaces_file)
{
	char name[64], path[64];
	struct stat st;
	ssize_t n;
	int fd;

	place();
	fd = open_tree_(AT_FDCWD, "a", OPEN_TREE_NAMESPACE_ | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, name, sizeof(name) - 1);
	CHECK(n > 5 && !memcmp(name, "mnt:[", 5));
	CHECK(fstat(fd, &st) == 0 && S_ISREG(st.st_mode));
	CHECK(ioctl(fd, 0xb703) == CLONE_NEWNS);
	CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC);
}

CASE(namespace_of_a_tree_with_submounts)
{
	int one, all;

	place();
	CHECK(tmpfs("a") == 0 && mkdir("a/s", 0755) == 0 && tmpfs("a/s") == 0 &&
	      touch("a/s/f") == 0);
	one = open_tree_(AT_FDCWD, "a", OPEN_TREE_NAMESPACE_);
	all = open_tree_(AT_FDCWD, "a", OPEN_TREE_NAMESPACE_ | AT_RECURSIVE_);
	CHECK(setns(one, CLONE_NEWNS) == 0 && there("/s") && !there("/s/f"));
	CHECK(setns(all, CLONE_NEWNS) == 0 && there("/s/f"));
}

CASE(namespace_of_a_folder_ends_there)
{
	struct stat root, up;
	int fd;

	place();
	CHECK(mkdir("a/in", 0755) == 0 && touch("outside") == 0);
	fd = open_tree_(AT_FDCWD, "a", OPEN_TREE_NAMESPACE_);
	CHECK(setns(fd, CLONE_NEWNS) == 0 && there("/in"));
	CHECK(stat("/", &root) == 0 && stat("/../..", &up) == 0 && root.st_ino == up.st_ino);
	CHECK(!there("/../outside"));
}

CASE(namespace_of_a_file_is_enotdir)
{
	place();
	CHECK(touch("f") == 0);
	CHECK(open_tree_(AT_FDCWD, "f", OPEN_TREE_NAMESPACE_) == -1);
}

CASE(namespace_of_a_tree_is_changed_alone)
{
	int fd, own;

	place();
	CHECK(tmpfs("a") == 0 && mkdir("a/s", 0755) == 0);
	own = open("/proc/self/ns/mnt", O_RDONLY);
	fd = open_tree_(AT_FDCWD, "a", OPEN_TREE_NAMESPACE_);
	CHECK(setns(fd, CLONE_NEWNS) == 0 && tmpfs("/s") == 0 && touch("/s/f") == 0);
	CHECK(setns(own, CLONE_NEWNS) == 0);
	CHECK(!there("/tmp/a/s/f"));
	CHECK(umount("/tmp/a") == 0);
}

CASE(namespace_of_a_tree_shares_with_peers)
{
	int fd, own;

	place();
	CHECK(tmpfs("a") == 0 && mkdir("a/s", 0755) == 0 && kind("a", MS_SHARED) == 0);
	own = open("/proc/self/ns/mnt", O_RDONLY);
	fd = open_tree_(AT_FDCWD, "a", OPEN_TREE_NAMESPACE_);
	CHECK(setns(fd, CLONE_NEWNS) == 0 && tmpfs("/s") == 0 && touch("/s/f") == 0);
	CHECK(setns(own, CLONE_NEWNS) == 0);
	CHECK(there("/tmp/a/s/f"));
}

CASE(root_of_a_namespace_of_a_tree_is_pivoted)
{
	int fd;

	place();
	CHECK(tmpfs("a") == 0 && mkdir("a/n", 0755) == 0);
	fd = open_tree_(AT_FDCWD, "a", OPEN_TREE_NAMESPACE_);
	CHECK(setns(fd, CLONE_NEWNS) == 0 && tmpfs("/n") == 0 && touch("/n/here") == 0);
	CHECK(chdir("/n") == 0 && syscall(SYS_pivot_root, ".", ".") == 0);
	CHECK(umount2(".", MNT_DETACH) == 0 && there("/here"));
}

CASE(unmounting_all_of_a_namespace_of_a_tree)
{
	int fd;

	place();
	CHECK(tmpfs("a") == 0 && touch("a/f") == 0);
	fd = open_tree_(AT_FDCWD, "a", OPEN_TREE_NAMESPACE_);
	CHECK(setns(fd, CLONE_NEWNS) == 0);
	CHECK(umount2("/", MNT_DETACH) == 0);
	CHECK_ERROR(umount2("/", MNT_DETACH), EINVAL);
}
