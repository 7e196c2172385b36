/*
 * Namespaces of mounts: unshare, clone, clone3, setns, their files.
 */
#include "place.h"

#include <linux/sched.h>
#include <signal.h>

static int ns_file(void)
{
	return open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
}

static ino_t ns_number(void)
{
	struct stat st;

	return stat("/proc/self/ns/mnt", &st) ? 0 : st.st_ino;
}

CASE(unshare_copies_the_mounts)
{
	int before;
	ino_t number;

	place();
	CHECK(tmpfs("a") == 0 && touch("a/f") == 0);
	before = count_mounts();
	number = ns_number();
	CHECK(unshare(CLONE_NEWNS) == 0);
	CHECK(count_mounts() == before && there("a/f"));
	CHECK(ns_number() != number);
}

static void mount_on_b(void)
{
	if (unshare(CLONE_NEWNS) || tmpfs("b") || touch("b/f"))
		_exit(1);
}

CASE(private_mounts_are_not_seen_by_others)
{
	place();
	CHECK(status_of(mount_on_b) == 0);
	CHECK(!there("b/f"));
}

CASE(shared_mounts_spread_to_other_namespaces)
{
	place();
	CHECK(kind("/tmp", MS_SHARED) == 0);
	CHECK(status_of(mount_on_b) == 0);
	CHECK(there("b/f"));
}

CASE(mounts_of_a_namespace_end_with_it)
{
	place();
	CHECK(tmpfs("a") == 0);
	CHECK(status_of(mount_on_b) == 0);
	CHECK(umount("a") == 0);
}

CASE(copy_keeps_root_and_working_directory)
{
	char cwd[64];

	place();
	CHECK(tmpfs("a") == 0 && chdir("a") == 0);
	CHECK(unshare(CLONE_NEWNS) == 0);
	CHECK(getcwd(cwd, sizeof(cwd)) && !strcmp(cwd, "/tmp/a"));
	/* They are in the copy: the original is not in use. */
	CHECK(chdir("/tmp") == 0 && umount("a") == 0);
}

CASE(unbindable_mounts_are_copied_with_the_namespace)
{
	place();
	CHECK(tmpfs("a") == 0 && kind("a", MS_UNBINDABLE) == 0 && touch("a/f") == 0);
	CHECK(unshare(CLONE_NEWNS) == 0);
	CHECK(there("a/f"));
	CHECK(strstr(info_of("a"), "unbindable"));
}

CASE(unshare_without_privilege_is_eperm)
{
	place();
	CHECK(setresuid(1000, 1000, 1000) == 0);
	CHECK_ERROR(unshare(CLONE_NEWNS), EPERM);
}

CASE(unshare_of_unknown_flags_is_einval)
{
	CHECK_ERROR(unshare(0x1), EINVAL);
}

CASE(unshare_of_the_working_directory)
{
	pid_t pid;
	int status;

	place();
	pid = (pid_t)syscall(SYS_clone, CLONE_FS | SIGCHLD, 0, 0, 0, 0);
	if (pid == 0)
		_exit(unshare(CLONE_FS) || chdir("/tmp/a"));
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	CHECK(there("b"));
}

CASE(clone_with_a_new_namespace)
{
	pid_t pid;
	int status;

	place();
	pid = (pid_t)syscall(SYS_clone, CLONE_NEWNS | SIGCHLD, 0, 0, 0, 0);
	if (pid == 0)
		_exit(tmpfs("b") || touch("b/f"));
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	CHECK(!there("b/f"));
}

CASE(clone_with_a_new_namespace_and_the_same_root_is_einval)
{
	CHECK_ERROR(syscall(SYS_clone, CLONE_NEWNS | CLONE_FS | SIGCHLD, 0, 0, 0, 0), EINVAL);
}

CASE(clone3_with_an_empty_namespace)
{
	struct clone_args args = {.flags = 1ul << 37, .exit_signal = SIGCHLD};
	pid_t pid;
	int status;

	place();
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0)
		_exit(there("/tmp") || !there("/"));
	CHECK(pid > 0);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

CASE(unshare_of_an_empty_namespace)
{
	char cwd[64];

	place();
	CHECK(unshare(UNSHARE_EMPTY_MNTNS_) == 0);
	CHECK(!there("/tmp") && there("/"));
	CHECK(getcwd(cwd, sizeof(cwd)) && !strcmp(cwd, "/"));
	CHECK_ERROR(mkdir("/x", 0755), ENOENT);
}

CASE(setns_enters_a_namespace)
{
	int fd;
	ino_t number;

	place();
	CHECK(tmpfs("a") == 0 && touch("a/f") == 0);
	fd = ns_file();
	number = ns_number();
	CHECK(unshare(CLONE_NEWNS) == 0 && umount("a") == 0);
	CHECK(setns(fd, CLONE_NEWNS) == 0);
	CHECK(ns_number() == number);
	CHECK(there("/tmp/a/f"));
}

CASE(setns_goes_to_the_root)
{
	char cwd[64];

	place();
	CHECK(setns(ns_file(), 0) == 0);
	CHECK(getcwd(cwd, sizeof(cwd)) && !strcmp(cwd, "/"));
}

CASE(setns_of_the_wrong_type_is_einval)
{
	place();
	CHECK_ERROR(setns(ns_file(), CLONE_NEWUTS), EINVAL);
	CHECK_ERROR(setns(0, 0), EINVAL);
	CHECK_ERROR(setns(99, 0), EBADF);
}

CASE(setns_with_a_shared_root_is_einval)
{
	int fd, status;
	pid_t pid;

	place();
	fd = ns_file();
	pid = (pid_t)syscall(SYS_clone, CLONE_FS | SIGCHLD, 0, 0, 0, 0);
	if (pid == 0)
		_exit(setns(fd, CLONE_NEWNS) == -1 && errno == EINVAL ? 0 : 1);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

CASE(setns_without_privilege_is_eperm)
{
	int fd;

	place();
	fd = ns_file();
	CHECK(setresuid(1000, 1000, 1000) == 0);
	CHECK_ERROR(setns(fd, CLONE_NEWNS), EPERM);
}

CASE(setns_to_the_namespaces_of_a_process)
{
	int pipes[2], fd;
	char c;
	pid_t pid;

	place();
	CHECK(pipe(pipes) == 0);
	pid = fork();
	if (pid == 0) {
		if (unshare(CLONE_NEWNS) || tmpfs("b") || touch("b/f") ||
		    write(pipes[1], "x", 1) != 1)
			_exit(1);
		pause();
	}
	CHECK(read(pipes[0], &c, 1) == 1);
	fd = (int)syscall(434, pid, 0);
	CHECK_ERROR(setns(fd, 0), EINVAL);
	CHECK(setns(fd, CLONE_NEWNS) == 0);
	CHECK(there("/tmp/b/f"));
	kill(pid, SIGKILL);
}

CASE(file_of_a_namespace_keeps_it)
{
	int fd = -1, own;

	place();
	own = ns_file();
	CHECK(unshare(CLONE_NEWNS) == 0 && tmpfs("b") == 0 && touch("b/f") == 0);
	fd = ns_file();
	CHECK(setns(own, CLONE_NEWNS) == 0 && !there("/tmp/b/f"));
	CHECK(setns(fd, CLONE_NEWNS) == 0 && there("/tmp/b/f"));
}

CASE(link_of_a_namespace_says_its_number)
{
	char name[64], want[64];
	ssize_t n = readlink("/proc/self/ns/mnt", name, sizeof(name) - 1);

	CHECK(n > 0);
	name[n] = 0;
	snprintf(want, sizeof(want), "mnt:[%lu]", (unsigned long)ns_number());
	CHECK(!strcmp(name, want));
}

CASE(binding_a_namespaces_file_keeps_it_alive)
{
	char proc[64];
	int pipes[2], fd;
	char c;
	pid_t pid;

	place();
	CHECK(touch("ns") == 0 && pipe(pipes) == 0);
	pid = fork();
	if (pid == 0) {
		if (unshare(CLONE_NEWNS) || tmpfs("b") || touch("b/f") ||
		    write(pipes[1], "x", 1) != 1)
			_exit(1);
		pause();
	}
	CHECK(read(pipes[0], &c, 1) == 1);
	snprintf(proc, sizeof(proc), "/proc/%d/ns/mnt", pid);
	CHECK(bind_(proc, "ns", 0) == 0);
	kill(pid, SIGKILL);
	CHECK(waitpid(pid, NULL, 0) == pid);
	CHECK(strstr(info_of("ns"), " mnt:["));
	CHECK(strstr(info_of("ns"), " - nsfs "));
	fd = open("ns", O_RDONLY);
	CHECK(fd >= 0 && setns(fd, CLONE_NEWNS) == 0);
	CHECK(there("/tmp/b/f"));
}

CASE(binding_the_own_namespaces_file_is_einval)
{
	place();
	CHECK(touch("ns") == 0);
	CHECK_ERROR(bind_("/proc/self/ns/mnt", "ns", 0), EINVAL);
}

CASE(device_opened_before_setns_keeps_working)
{
	int zero = open("/dev/zero", O_RDONLY), fd;
	char c = 1;

	place();
	fd = ns_file();
	CHECK(unshare(CLONE_NEWNS) == 0 && setns(fd, 0) == 0);
	CHECK(read(zero, &c, 1) == 1 && c == 0);
}

CASE(process_at_a_place_of_another_namespace_cannot_mount_there)
{
	int fd, own, other;

	place();
	own = ns_file();
	CHECK(unshare(CLONE_NEWNS) == 0);
	other = ns_file();
	fd = open("a", O_RDONLY | O_DIRECTORY);
	CHECK(setns(own, 0) == 0 && other >= 0 && fchdir(fd) == 0);
	CHECK_ERROR(tmpfs("."), EINVAL);
	CHECK_ERROR(bind_("/tmp/b", ".", 0), EINVAL);
	CHECK_ERROR(bind_(".", "/tmp/b", 0), EINVAL);
}

CASE(removed_mountpoint_of_another_namespace_is_unmounted_there)
{
	int pipes[2], back[2];
	char c = 'x';
	pid_t pid;
	int status;

	place();
	CHECK(pipe(pipes) == 0 && pipe(back) == 0);
	pid = fork();
	if (pid == 0) {
		if (unshare(CLONE_NEWNS) || tmpfs("a") || write(pipes[1], &c, 1) != 1 ||
		    read(back[0], &c, 1) != 1)
			_exit(1);
		_exit(*info_of("a") ? 2 : 0);
	}
	CHECK(read(pipes[0], &c, 1) == 1);
	CHECK(rmdir("a") == 0);
	CHECK(write(back[1], &c, 1) == 1);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

static ino_t number_of(const char *kind)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/self/ns/%s", kind);
	return stat(path, &st) ? 0 : st.st_ino;
}

CASE(namespaces_of_each_kind_are_made_and_entered)
{
	static const struct {
		const char *name;
		int flag;
	} kinds[] = {{"uts", CLONE_NEWUTS},
		     {"ipc", CLONE_NEWIPC},
		     {"net", CLONE_NEWNET},
		     {"cgroup", CLONE_NEWCGROUP}};

	for (unsigned i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		ino_t before = number_of(kinds[i].name);
		char path[64];
		int fd;

		snprintf(path, sizeof(path), "/proc/self/ns/%s", kinds[i].name);
		fd = open(path, O_RDONLY);
		CHECK(before && fd >= 0);
		CHECK(unshare(kinds[i].flag) == 0);
		CHECK(number_of(kinds[i].name) != before);
		CHECK(setns(fd, kinds[i].flag) == 0);
		CHECK(number_of(kinds[i].name) == before);
	}
	CHECK(number_of("pid") == number_of("pid_for_children"));
	CHECK(number_of("time") == number_of("time_for_children"));
}

CASE(names_of_the_machine_are_those_of_the_namespace)
{
	char before[65], after[65];
	int fd = open("/proc/self/ns/uts", O_RDONLY);

	CHECK(gethostname(before, sizeof(before)) == 0);
	CHECK(unshare(CLONE_NEWUTS) == 0);
	CHECK(sethostname("island", 6) == 0);
	CHECK(gethostname(after, sizeof(after)) == 0 && !strcmp(after, "island"));
	CHECK(setns(fd, CLONE_NEWUTS) == 0);
	CHECK(gethostname(after, sizeof(after)) == 0 && !strcmp(after, before));
}

CASE(other_namespaces_need_privilege)
{
	int fd = open("/proc/self/ns/uts", O_RDONLY);

	CHECK(setresuid(1000, 1000, 1000) == 0);
	CHECK_ERROR(unshare(CLONE_NEWUTS), EPERM);
	CHECK_ERROR(setns(fd, CLONE_NEWUTS), EPERM);
	CHECK(unshare(CLONE_NEWUSER | CLONE_NEWUTS) == 0);
	CHECK(sethostname("island", 6) == 0);
}
