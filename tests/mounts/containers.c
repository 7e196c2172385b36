/*
 * Containers, by a program that makes them itself; and the traps on the way: what must go on
 * working after setns(2), what must not be revealed, what is above the root.
 */
#include "place.h"

#include <grp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

/* A folder with busybox in it at a/root, which is private. */
static void make_root(void)
{
	static char buf[65536];
	int from = open("/bin/busybox", O_RDONLY), to;
	ssize_t n;

	if (mkdir("a/root", 0755) || mkdir("a/root/bin", 0755) || mkdir("a/root/proc", 0755) ||
	    mkdir("a/root/old", 0755))
		_exit(94);
	to = open("a/root/bin/busybox", O_WRONLY | O_CREAT, 0755);
	while ((n = read(from, buf, sizeof(buf))) > 0) {
		if (write(to, buf, (size_t)n) != n)
			_exit(93);
	}
	if (n || close(to) || close(from))
		_exit(92);
}

/* The status of a command that busybox's shell runs, inside. */
static int shell(const char *command)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		execl("/bin/busybox", "sh", "-c", command, (char *)NULL);
		_exit(126);
	}
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Into a namespace whose root is @dir alone. */
static int enter_tree(const char *dir)
{
	int fd = open_tree_(AT_FDCWD, dir, OPEN_TREE_NAMESPACE_ | O_CLOEXEC);

	return fd < 0 ? -1 : setns(fd, CLONE_NEWNS);
}

CASE(container_the_classic_way)
{
	place();
	make_root();
	CHECK(bind_("a/root", "a/root", 0) == 0 && chdir("a/root") == 0);
	CHECK(syscall(SYS_pivot_root, ".", "old") == 0 && chroot(".") == 0);
	CHECK(umount2("/old", MNT_DETACH) == 0);
	CHECK(shell("test -x /bin/busybox && test ! -e /tmp") == 0);
	CHECK(mount("proc", "/proc", "proc", 0, NULL) == 0);
	CHECK(count_mounts() == 2);
}

CASE(container_by_a_namespace_of_its_tree)
{
	place();
	make_root();
	CHECK(enter_tree("a/root") == 0);
	CHECK(shell("test -x /bin/busybox && test ! -e /tmp") == 0);
	CHECK(mount("proc", "/proc", "proc", 0, NULL) == 0);
	CHECK(count_mounts() == 2);
}

CASE(container_of_a_user_by_a_namespace_of_its_tree)
{
	place();
	make_root();
	CHECK(chmod("/tmp", 0755) == 0 && setgroups(0, NULL) == 0);
	CHECK(setresgid(1000, 1000, 1000) == 0 && setresuid(1000, 1000, 1000) == 0);
	CHECK(prctl(PR_SET_DUMPABLE, 1) == 0 && unshare(CLONE_NEWUSER) == 0);
	CHECK(put("/proc/self/setgroups", "deny") == 0);
	CHECK(put("/proc/self/uid_map", "0 1000 1") == 0);
	CHECK(put("/proc/self/gid_map", "0 1000 1") == 0);
	CHECK(enter_tree("a/root") == 0);
	CHECK(shell("test -x /bin/busybox && test ! -e /tmp") == 0);
	CHECK(tmpfs("/old") == 0 && touch("/old/f") == 0);
}

CASE(nothing_is_above_the_root_of_a_namespace)
{
	struct stat root, above;

	place();
	make_root();
	CHECK(enter_tree("a/root") == 0);
	CHECK(stat("/", &root) == 0 && stat("/../../..", &above) == 0);
	CHECK(root.st_ino == above.st_ino && root.st_dev == above.st_dev);
	CHECK(chdir("/bin") == 0 && chdir("../../..") == 0);
	CHECK(stat(".", &above) == 0 && root.st_ino == above.st_ino);
	CHECK(there("/bin/busybox") && !there("/../tmp"));
}

CASE(folder_that_was_open_before_leads_out_and_back)
{
	int fd;

	place();
	make_root();
	CHECK(touch("a/outside") == 0);
	fd = open("a", O_RDONLY | O_DIRECTORY);
	CHECK(enter_tree("a/root") == 0);
	CHECK(faccessat(fd, "outside", F_OK, 0) == 0);
	CHECK(fchdir(fd) == 0 && there("outside") && !there("/outside"));
}

CASE(device_and_files_opened_before_go_on)
{
	char buf[4] = "xyz";
	int zero, file, link[2];

	place();
	make_root();
	zero = open("/dev/zero", O_RDONLY);
	file = open("a/f", O_RDWR | O_CREAT, 0644);
	CHECK(zero >= 0 && file >= 0 && pipe(link) == 0);
	CHECK(enter_tree("a/root") == 0);
	CHECK(read(zero, buf, 4) == 4 && !buf[0] && !buf[3]);
	CHECK(write(file, "ab", 2) == 2 && pread(file, buf, 2, 0) == 2 && buf[1] == 'b');
	CHECK(write(link[1], "q", 1) == 1 && read(link[0], buf, 1) == 1 && buf[0] == 'q');
}

CASE(pinned_namespace_is_entered_again)
{
	char name[32];
	struct stat st;
	int fd, home;

	place();
	make_root();
	home = open("/proc/self/ns/mnt", O_RDONLY);
	fd = open_tree_(AT_FDCWD, "a/root", OPEN_TREE_NAMESPACE_);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	CHECK(touch("b/pin") == 0 && mount(name, "b/pin", NULL, MS_BIND, NULL) == 0);
	CHECK(close(fd) == 0);
	for (int i = 0; i < 3; i++) {
		fd = open("b/pin", O_RDONLY);
		CHECK(fd >= 0 && setns(fd, CLONE_NEWNS) == 0 && close(fd) == 0);
		CHECK(stat("/bin/busybox", &st) == 0);
		CHECK(setns(home, CLONE_NEWNS) == 0 && chdir("/tmp") == 0);
		CHECK(stat("b/pin", &st) == 0 && S_ISREG(st.st_mode));
	}
	CHECK(umount("b/pin") == 0);
}

CASE(copy_of_a_detached_tree_of_another_namespace_is_einval)
{
	int fd;

	place();
	CHECK(tmpfs("a") == 0);
	fd = open_tree_(AT_FDCWD, "a", OPEN_TREE_CLONE_);
	CHECK(open_tree_(fd, "", OPEN_TREE_CLONE_ | AT_EMPTY_PATH) >= 0);
	CHECK(unshare(CLONE_NEWNS) == 0);
	CHECK_ERROR(open_tree_(fd, "", OPEN_TREE_CLONE_ | AT_EMPTY_PATH), EINVAL);
}

CASE(user_copies_all_that_covers_or_nothing)
{
	int fd;

	be_root_of_little();
	CHECK(tmpfs("a") == 0 && mkdir("a/x", 0755) == 0 && touch("a/x/secret") == 0);
	CHECK(open_tree_(AT_FDCWD, "a", OPEN_TREE_NAMESPACE_) >= 0);
	CHECK(tmpfs("a/x") == 0 && kind("a/x", MS_UNBINDABLE) == 0);
	CHECK(unshare(CLONE_NEWUSER) == 0 && put("/proc/self/uid_map", "0 0 1") == 0);
	CHECK_ERROR(open_tree_(AT_FDCWD, "a", OPEN_TREE_NAMESPACE_), EINVAL);
	fd = open_tree_(AT_FDCWD, "a", OPEN_TREE_NAMESPACE_ | AT_RECURSIVE_);
	CHECK(fd >= 0 && setns(fd, CLONE_NEWNS) == 0);
	CHECK(there("/x") && !there("/x/secret"));
}

CASE(proc_of_processes_that_are_not_ones_own_is_eperm)
{
	be_root_of_little();
	CHECK_ERROR(mount("proc", "a", "proc", 0, NULL), EPERM);
}

CASE(sysfs_of_a_network_that_is_not_ones_own_is_eperm)
{
	be_root_of_little();
	CHECK_ERROR(mount("sysfs", "a", "sysfs", 0, NULL), EPERM);
	CHECK(unshare(CLONE_NEWNET) == 0);
	CHECK(mount("sysfs", "a", "sysfs", 0, NULL) == 0);
}

/* A user's namespace with a network of its own, in which sysfs was mounted as @how before. */
static void be_where_sysfs_is(const char *how)
{
	place();
	if (!strcmp(how, "gone") && umount2("/sys", MNT_DETACH))
		_exit(91);
	if (!strcmp(how, "readonly") &&
	    mount(NULL, "/sys", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL))
		_exit(91);
	if (!strcmp(how, "covered") && tmpfs("/sys/devices"))
		_exit(91);
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET) ||
	    put("/proc/self/uid_map", "0 0 1"))
		_exit(90);
}

CASE(sysfs_that_was_seen_is_mounted)
{
	be_where_sysfs_is("there");
	CHECK(mount("sysfs", "a", "sysfs", 0, NULL) == 0);
}

CASE(sysfs_that_was_not_there_is_not_revealed)
{
	be_where_sysfs_is("gone");
	CHECK_ERROR(mount("sysfs", "a", "sysfs", 0, NULL), EPERM);
}

CASE(sysfs_that_was_covered_is_not_revealed)
{
	be_where_sysfs_is("covered");
	CHECK_ERROR(mount("sysfs", "a", "sysfs", 0, NULL), EPERM);
}

CASE(sysfs_that_was_readonly_stays_so)
{
	be_where_sysfs_is("readonly");
	CHECK_ERROR(mount("sysfs", "a", "sysfs", 0, NULL), EPERM);
	CHECK(mount("sysfs", "a", "sysfs", MS_RDONLY, NULL) == 0);
	CHECK_ERROR(mount(NULL, "a", NULL, MS_REMOUNT | MS_BIND, NULL), EPERM);
}

CASE(sysfs_that_is_too_revealing_is_said_by_fsmount)
{
	char text[128];
	ssize_t n;
	int fd;

	be_where_sysfs_is("gone");
	fd = (int)syscall(NR_fsopen, "sysfs", 0);
	CHECK(fd >= 0 && syscall(NR_fsconfig, fd, 6, NULL, NULL, 0) == 0);
	CHECK_ERROR(syscall(NR_fsmount, fd, 0, 0), EPERM);
	n = read(fd, text, sizeof(text) - 1);
	CHECK(n > 0);
	text[n] = 0;
	CHECK(!strcmp(text, "e VFS: Mount too revealing\n"));
}

CASE(umount_of_where_one_is_takes_what_covers_it)
{
	place();
	CHECK(tmpfs("a") == 0 && touch("a/lower") == 0 && chdir("a") == 0);
	CHECK(tmpfs("/tmp/a") == 0 && touch("/tmp/a/upper") == 0);
	CHECK(umount2(".", MNT_DETACH) == 0);
	CHECK(there("/tmp/a/lower") && there("lower"));
}

CASE(new_root_is_put_beneath_the_old_one)
{
	int fd;

	place();
	CHECK(tmpfs("a") == 0 && mkdir("a/x", 0755) == 0);
	CHECK(chdir("a") == 0 && chroot(".") == 0);
	fd = open_tree_(AT_FDCWD, "/", OPEN_TREE_CLONE_);
	CHECK(fd >= 0 && fchdir(fd) == 0);
	CHECK(move_mount_(fd, "", AT_FDCWD, "/", MOVE_F_EMPTY | MOVE_BENEATH) == 0);
	CHECK(chroot(".") == 0 && umount2(".", MNT_DETACH) == 0);
	CHECK(there("/x"));
}

CASE(lock_passes_to_what_is_put_beneath)
{
	int fs, fd;

	place();
	CHECK(tmpfs("a") == 0 && tmpfs("a") == 0);
	CHECK(unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0);
	CHECK(put("/proc/self/uid_map", "0 0 1") == 0);
	CHECK_ERROR(umount("a"), EINVAL);
	fs = (int)syscall(NR_fsopen, "tmpfs", 0);
	CHECK(fs >= 0 && syscall(NR_fsconfig, fs, 6, NULL, NULL, 0) == 0);
	fd = (int)syscall(NR_fsmount, fs, 0, 0);
	CHECK(move_mount_(fd, "", AT_FDCWD, "a", MOVE_F_EMPTY | MOVE_BENEATH) == 0);
	CHECK(close(fd) == 0 && umount("a") == 0);
	CHECK_ERROR(umount("a"), EINVAL);
}

CASE(part_of_a_detached_tree_is_not_moved)
{
	int one, other;

	place();
	one = open_tree_(AT_FDCWD, "a", OPEN_TREE_CLONE_);
	other = open_tree_(AT_FDCWD, "b", OPEN_TREE_CLONE_);
	CHECK(move_mount_(other, "", one, "", MOVE_F_EMPTY | MOVE_T_EMPTY) == 0);
	CHECK_ERROR(move_mount_(other, "", AT_FDCWD, "c", MOVE_F_EMPTY), EINVAL);
	CHECK(move_mount_(one, "", AT_FDCWD, "c", MOVE_F_EMPTY) == 0);
}

CASE(what_spreads_does_not_reach_a_detached_tree)
{
	int fd;

	place();
	CHECK(tmpfs("a") == 0 && kind("a", MS_SHARED) == 0 && mkdir("a/x", 0755) == 0);
	fd = open_tree_(AT_FDCWD, "a", OPEN_TREE_CLONE_);
	CHECK(fd >= 0 && tmpfs("a/x") == 0 && touch("a/x/f") == 0);
	CHECK_ERROR(faccessat(fd, "x/f", F_OK, 0), ENOENT);
}

CASE(unbindable_mount_joins_no_group)
{
	place();
	CHECK(tmpfs("a") == 0 && kind("a", MS_SHARED) == 0 && bind_("a", "b", 0) == 0);
	CHECK(kind("b", MS_UNBINDABLE) == 0);
	CHECK_ERROR(move_mount_(AT_FDCWD, "a", AT_FDCWD, "b", MOVE_SET_GROUP), EINVAL);
	CHECK(strstr(info_of("b"), "unbindable") && !strstr(info_of("b"), "shared"));
}

CASE(empty_root_is_not_remounted)
{
	CHECK(unshare(UNSHARE_EMPTY_MNTNS_) == 0);
	CHECK_ERROR(mount(NULL, "/", NULL, MS_REMOUNT | MS_RDONLY, NULL), EINVAL);
	CHECK_ERROR(syscall(NR_fspick, AT_FDCWD, "/", 0), EINVAL);
	CHECK(umount2("/", 0) == -1);
}

/* The file of a namespace that is newer than the caller's, in @name. */
static void newer_namespace(char *name, size_t size)
{
	int ready[2];
	char c;
	pid_t pid;

	CHECK(pipe(ready) == 0);
	pid = fork();
	if (pid == 0) {
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) || unshare(CLONE_NEWNS) ||
		    write(ready[1], "r", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	CHECK(read(ready[0], &c, 1) == 1);
	snprintf(name, size, "/proc/%d/ns/mnt", pid);
}

CASE(namespaces_file_does_not_spread)
{
	char file[32];

	place();
	CHECK(tmpfs("a") == 0 && touch("a/pin") == 0);
	newer_namespace(file, sizeof(file)); /* whose mounts are not peers of these */
	CHECK(kind("a", MS_SHARED) == 0);
	CHECK(mount(file, "a/pin", NULL, MS_BIND, NULL) == 0 && umount("a/pin") == 0);
	CHECK(bind_("a", "b", 0) == 0);
	CHECK_ERROR(mount(file, "a/pin", NULL, MS_BIND, NULL), EINVAL);
	CHECK(kind("a", MS_PRIVATE) == 0);
	CHECK(mount(file, "a/pin", NULL, MS_BIND, NULL) == 0);
}

CASE(copy_of_a_namespace_has_no_files_of_namespaces)
{
	char file[32];

	place();
	CHECK(touch("pin") == 0);
	newer_namespace(file, sizeof(file));
	CHECK(mount(file, "pin", NULL, MS_BIND, NULL) == 0);
	CHECK(*info_of("pin"));
	CHECK(unshare(CLONE_NEWNS) == 0);
	CHECK(!*info_of("pin"));
}

CASE(unmounted_file_of_a_namespace_is_bound_alone)
{
	char name[32];
	int fd;

	place();
	CHECK(touch("pin") == 0 && touch("other") == 0);
	CHECK(mount("/proc/self/ns/uts", "pin", NULL, MS_BIND, NULL) == 0);
	fd = open("pin", O_PATH);
	CHECK(fd >= 0 && umount2("pin", MNT_DETACH) == 0);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	CHECK_ERROR(mount(name, "other", NULL, MS_BIND | MS_REC, NULL), EINVAL);
	CHECK(mount(name, "other", NULL, MS_BIND, NULL) == 0);
}

CASE(files_of_namespaces_are_bound_recursively)
{
	place();
	CHECK(touch("pin") == 0);
	CHECK(mount("/proc/self/ns/uts", "pin", NULL, MS_BIND | MS_REC, NULL) == 0);
	CHECK(strstr(info_of("pin"), "nsfs"));
}
