/*
 * User namespaces: numbers, capabilities, and mounts in them; user_namespaces(7).
 */
#include "place.h"

#include <grp.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

static unsigned long caps(void)
{
	const char *at = strstr(text_of("/proc/self/status"), "CapEff:\t");

	return at ? strtoul(at + 8, NULL, 16) : 0;
}

CASE(unmapped_user_is_nobody)
{
	CHECK(unshare(CLONE_NEWUSER) == 0);
	CHECK(getuid() == 65534 && getgid() == 65534);
	CHECK(geteuid() == 65534 && getegid() == 65534);
	CHECK(caps() != 0);
}

CASE(namespace_has_its_file)
{
	struct stat before, after;

	CHECK(stat("/proc/self/ns/user", &before) == 0);
	CHECK(unshare(CLONE_NEWUSER) == 0);
	CHECK(stat("/proc/self/ns/user", &after) == 0);
	CHECK(before.st_ino != after.st_ino);
}

CASE(map_of_the_first_namespace_is_all)
{
	CHECK(!strcmp(text_of("/proc/self/uid_map"), "         0          0 4294967295\n"));
	CHECK(!strcmp(text_of("/proc/self/setgroups"), "allow\n"));
}

CASE(mapped_user_is_root)
{
	be_root_of_little();
	CHECK(getuid() == 0 && getgid() == 0 && geteuid() == 0);
	CHECK(!strcmp(text_of("/proc/self/uid_map"), "         0       1000          1\n"));
	CHECK(!strcmp(text_of("/proc/self/setgroups"), "deny\n"));
}

CASE(map_is_written_once)
{
	be_root_of_little();
	CHECK_ERROR(put("/proc/self/uid_map", "0 1000 1"), EPERM);
	CHECK_ERROR(put("/proc/self/setgroups", "allow"), EPERM);
}

static void unprivileged(void)
{
	if (setgroups(0, NULL) || setresgid(1000, 1000, 1000) || setresuid(1000, 1000, 1000) ||
	    prctl(PR_SET_DUMPABLE, 1))
		_exit(97);
}

CASE(user_without_privilege_maps_itself_only)
{
	unprivileged();
	CHECK(unshare(CLONE_NEWUSER) == 0);
	CHECK_ERROR(put("/proc/self/uid_map", "0 1001 1"), EPERM);
	CHECK_ERROR(put("/proc/self/uid_map", "0 1000 2"), EPERM);
	CHECK_ERROR(put("/proc/self/gid_map", "0 1000 1"), EPERM);
	CHECK(put("/proc/self/uid_map", "5 1000 1") == 0);
	CHECK(getuid() == 5);
	CHECK(put("/proc/self/setgroups", "deny") == 0);
	CHECK(put("/proc/self/gid_map", "7 1000 1") == 0);
	CHECK(getgid() == 7);
}

CASE(bad_maps_are_einval)
{
	CHECK(unshare(CLONE_NEWUSER) == 0);
	CHECK_ERROR(put("/proc/self/uid_map", "0 0"), EINVAL);
	CHECK_ERROR(put("/proc/self/uid_map", "0 0 0"), EINVAL);
	CHECK_ERROR(put("/proc/self/uid_map", "x 0 1"), EINVAL);
	CHECK_ERROR(put("/proc/self/uid_map", "0 0 2\n1 5 1"), EINVAL);
	CHECK_ERROR(put("/proc/self/uid_map", "0 0 1 1"), EINVAL);
}

static int parent_maps(pid_t pid, const char *map)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
	if (put(path, map))
		return -1;
	snprintf(path, sizeof(path), "/proc/%d/gid_map", pid);
	return put(path, map);
}

/* A child in a user namespace that maps 100000 numbers from 0; it runs @fn. */
static int with_map(void (*fn)(void))
{
	int ready[2], go[2], status;
	char c = 0;
	pid_t pid;

	if (pipe(ready) || pipe(go))
		return -1;
	pid = fork();
	if (pid == 0) {
		if (unshare(CLONE_NEWUSER | CLONE_NEWNS) || write(ready[1], &c, 1) != 1 ||
		    read(go[0], &c, 1) != 1)
			_exit(94);
		fn();
		_exit(0);
	}
	if (read(ready[0], &c, 1) != 1 || parent_maps(pid, "0 200000 100000\n100000 0 1\n") ||
	    write(go[1], &c, 1) != 1 || waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
}

static void change_ids(void)
{
	gid_t groups[2] = {7, 5};

	if (getuid() != 100000 || setgroups(2, groups) || getgroups(2, groups) != 2)
		_exit(1);
	if (setresgid(3, 3, 3) || setresuid(4, 4, 4) || getuid() != 4 || getgid() != 3)
		_exit(2);
}

CASE(numbers_are_changed_inside)
{
	CHECK(with_map(change_ids) == 0);
}

static void use_unknown(void)
{
	if (setuid(300000) != -1 || errno != EINVAL)
		_exit(1);
	if (setresuid(0, 300000, 0) != -1 || errno != EINVAL)
		_exit(2);
	if (setgroups(1, (gid_t[]){300000}) != -1 || errno != EINVAL)
		_exit(3);
}

CASE(numbers_that_are_not_mapped_are_einval)
{
	CHECK(with_map(use_unknown) == 0);
}

static void own_files(void)
{
	struct stat st;

	if (setresgid(0, 0, 0) || setresuid(0, 0, 0))
		_exit(1);
	if (mount("none", "a", "tmpfs", 0, NULL) || touch("a/f") || stat("a/f", &st) || st.st_uid)
		_exit(2);
	if (chown("a/f", 9, 8) || stat("a/f", &st) || st.st_uid != 9 || st.st_gid != 8)
		_exit(3);
	if (chown("a/f", 300000, 0) != -1 || errno != EINVAL)
		_exit(4);
	if (stat("b", &st) || st.st_uid != 100000)
		_exit(5);
}

CASE(owners_of_files_are_seen_through_the_map)
{
	place();
	CHECK(with_map(own_files) == 0);
}

static void outside_is_not_ours(void)
{
	if (setresgid(0, 0, 0) || setresuid(0, 0, 0))
		_exit(1);
	if (open("/tmp/secret", O_RDONLY) != -1 || errno != EACCES)
		_exit(2);
	if (chown("/tmp/secret", 0, 0) != -1 || errno != EPERM)
		_exit(3);
	if (mkdir("/tmp/x", 0755) != -1 || errno != EACCES)
		_exit(4);
}

CASE(capabilities_do_not_reach_files_outside)
{
	place();
	CHECK(touch("secret") == 0 && chown("secret", 500, 500) == 0 && chmod("secret", 0600) == 0);
	CHECK(chmod("/tmp", 0755) == 0 && chown("/tmp", 500, 500) == 0);
	CHECK(with_map(outside_is_not_ours) == 0);
}

CASE(capabilities_do_not_reach_the_machine)
{
	CHECK(unshare(CLONE_NEWUSER) == 0);
	CHECK_ERROR(sethostname("x", 1), EPERM);
	CHECK_ERROR(tmpfs("/tmp"), EPERM);
	CHECK_ERROR(mknod("/tmp/dev", S_IFCHR | 0600, 0x103), EPERM);
	struct timespec now = {.tv_sec = 5};
	CHECK_ERROR(syscall(SYS_clock_settime, 0, &now), EPERM);
}

CASE(mounts_without_a_namespace_of_their_own_are_eperm)
{
	unprivileged();
	CHECK(unshare(CLONE_NEWUSER) == 0);
	CHECK_ERROR(tmpfs("/tmp"), EPERM);
	CHECK(unshare(CLONE_NEWNS) == 0);
	CHECK(tmpfs("/tmp") == 0);
}

CASE(inherited_mounts_are_locked)
{
	be_root_of_little();
	CHECK_ERROR(umount2("/proc", MNT_DETACH), EINVAL);
	CHECK_ERROR(umount2("/tmp", MNT_DETACH), EINVAL);
	CHECK(tmpfs("a") == 0 && umount("a") == 0);
}

CASE(locked_mounts_are_bound_with_what_covers_them)
{
	be_root_of_little();
	CHECK_ERROR(bind_("/", "a", 0), EINVAL);
	CHECK(bind_("/", "a", MS_REC) == 0);
	CHECK_ERROR(umount2("a/proc", MNT_DETACH), EINVAL);
	CHECK(umount2("a", MNT_DETACH) == 0);
}

CASE(flags_of_inherited_mounts_stay)
{
	place();
	CHECK(mount("none", "b", "tmpfs", MS_RDONLY | MS_NOSUID, NULL) == 0);
	CHECK(unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0);
	CHECK_ERROR(mount(NULL, "b", NULL, MS_REMOUNT | MS_BIND | MS_NOSUID, NULL), EPERM);
	CHECK_ERROR(mount(NULL, "b", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL), EPERM);
	CHECK(mount(NULL, "b", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV,
		    NULL) == 0);
	CHECK_ERROR(mount(NULL, "b", NULL, MS_REMOUNT | MS_RDONLY | MS_NOSUID, NULL), EPERM);
	CHECK_ERROR(setattr_(AT_FDCWD, "b", 0, 0, ATTR_RDONLY, 0), EPERM);
}

CASE(inherited_shared_mounts_are_slaves)
{
	place();
	CHECK(tmpfs("b") == 0 && kind("b", MS_SHARED) == 0);
	/* Their namespace goes on, or they would be slaves of nobody. */
	CHECK(open("/proc/self/ns/mnt", O_RDONLY) >= 0);
	CHECK(unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0);
	CHECK(strstr(info_of("b"), "master:") && !strstr(info_of("b"), "shared:"));
}

CASE(file_systems_that_anybody_mounts)
{
	be_root_of_little();
	CHECK(tmpfs("a") == 0);
	CHECK_ERROR(mount("none", "a", "devtmpfs", 0, NULL), EPERM);
	CHECK_ERROR(mount("none", "a", "sysfs", 0, NULL), EPERM);
	CHECK_ERROR(mount("none", "a", "proc", 0, NULL), EPERM);
}

CASE(devices_on_a_users_file_system_do_not_open)
{
	be_root_of_little();
	CHECK(tmpfs("a") == 0);
	CHECK_ERROR(mknod("a/null", S_IFCHR | 0666, 0x103), EPERM);
}

CASE(container_without_privilege_by_unshare)
{
	be_root_of_little();
	CHECK(tmpfs("a") == 0 && mkdir("a/old", 0755) == 0 && touch("a/here") == 0);
	CHECK(chdir("a") == 0 && syscall(SYS_pivot_root, ".", "old") == 0);
	CHECK(umount2("/old", MNT_DETACH) == 0);
	CHECK(there("/here") && !there("/tmp"));
}

CASE(container_without_privilege_by_a_namespace_of_a_tree)
{
	int fd;

	be_root_of_little();
	CHECK(touch("a/here") == 0);
	fd = open_tree_(AT_FDCWD, "a", OPEN_TREE_NAMESPACE_ | AT_RECURSIVE_);
	CHECK(fd >= 0 && setns(fd, CLONE_NEWNS) == 0);
	CHECK(there("/here") && !there("/tmp"));
	CHECK_ERROR(umount2("/", MNT_DETACH), EINVAL);
}

CASE(owner_of_mounts_is_their_user_namespace)
{
	struct stat user, of;
	int fd;

	be_root_of_little();
	fd = ioctl(open("/proc/self/ns/mnt", O_RDONLY), 0xb701);
	CHECK(fd >= 0 && fstat(fd, &of) == 0 && stat("/proc/self/ns/user", &user) == 0);
	CHECK(of.st_ino == user.st_ino);
	CHECK_ERROR(ioctl(fd, 0xb702), EPERM);
}

CASE(chroot_needs_no_privilege_outside)
{
	be_root_of_little();
	CHECK(touch("a/here") == 0 && chroot("a") == 0 && there("/here"));
	CHECK_ERROR(unshare(CLONE_NEWUSER), EPERM);
}

CASE(setns_to_the_own_user_namespace_is_einval)
{
	be_root_of_little();
	CHECK_ERROR(setns(open("/proc/self/ns/user", O_RDONLY), CLONE_NEWUSER), EINVAL);
}

CASE(setns_to_the_user_namespace_above_is_eperm)
{
	int fd = open("/proc/self/ns/user", O_RDONLY);

	unprivileged();
	CHECK(unshare(CLONE_NEWUSER) == 0);
	CHECK_ERROR(setns(fd, CLONE_NEWUSER), EPERM);
}

CASE(clone_with_a_user_namespace)
{
	pid_t pid;
	int status;

	unprivileged();
	CHECK_ERROR(syscall(SYS_clone, CLONE_NEWUSER | CLONE_FS | SIGCHLD, 0, 0, 0, 0), EINVAL);
	pid = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | CLONE_NEWNS | SIGCHLD, 0, 0, 0, 0);
	if (pid == 0)
		_exit(getuid() == 65534 && tmpfs("/tmp") == 0 ? 0 : 1);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	CHECK(getuid() == 1000);
}

CASE(nested_user_namespaces)
{
	be_root_of_little();
	CHECK(unshare(CLONE_NEWUSER) == 0);
	CHECK(getuid() == 65534);
	CHECK(put("/proc/self/uid_map", "3 0 1") == 0);
	CHECK(getuid() == 3);
	CHECK(!strcmp(text_of("/proc/self/uid_map"), "         3          0          1\n"));
}

CASE(unmapped_user_makes_no_further_namespace)
{
	CHECK(unshare(CLONE_NEWUSER) == 0);
	CHECK_ERROR(unshare(CLONE_NEWUSER), EPERM);
}

CASE(child_of_a_user_namespace_is_signalled_by_its_owner)
{
	int status;
	pid_t pid;

	unprivileged();
	pid = fork();
	if (pid == 0) {
		if (unshare(CLONE_NEWUSER))
			_exit(1);
		pause();
	}
	CHECK(kill(pid, SIGTERM) == 0);
	CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
}

CASE(mount_that_comes_from_above_locks_nothing_that_is_on_it)
{
	int mounted[2], go[2], status;
	char c;

	place();
	CHECK(chmod("/tmp", 0777) == 0 && tmpfs("a") == 0 && kind("a", MS_SHARED) == 0);
	CHECK(mkdir("a/s", 0777) == 0 && pipe(mounted) == 0 && pipe(go) == 0);
	pid_t pid = fork();
	if (pid == 0) {
		if (unshare(CLONE_NEWUSER | CLONE_NEWNS) || put("/proc/self/setgroups", "deny") ||
		    put("/proc/self/uid_map", "0 0 1") || put("/proc/self/gid_map", "0 0 1"))
			_exit(98);
		if (tmpfs("a/s") || touch("a/s/own") || write(mounted[1], "", 1) != 1 ||
		    read(go[0], &c, 1) != 1)
			_exit(97);
		if (!there("a/s/own") || umount("a/s"))
			_exit(1);
		if (!there("a/s/came"))
			_exit(2);
		_exit(0);
	}
	CHECK(pid > 0 && close(mounted[1]) == 0 && read(mounted[0], &c, 1) == 1);
	CHECK(tmpfs("a/s") == 0 && touch("a/s/came") == 0);
	CHECK(write(go[1], "", 1) == 1);
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
