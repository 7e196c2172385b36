/*
 * The ways of creating a mount namespace that are compared.
 */
#include "mountabi.h"
#include "nsbench.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

/* The tree as a descriptor, or a negative errno value. */
static int tree_fd(unsigned int flags)
{
	long fd = syscall(SYS_open_tree, AT_FDCWD, TREE, flags | OPEN_TREE_CLOEXEC | AT_RECURSIVE);

	return fd < 0 ? -errno : (int)fd;
}

/* --- unshare --- */

static int run_unshare(void)
{
	return failed(unshare(CLONE_NEWNS));
}

/* --- classic --- */

static int be_classic(void)
{
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount(TREE, TREE, NULL, MS_BIND | MS_REC, NULL) || chdir(TREE) ||
	    syscall(SYS_pivot_root, ".", ".") || umount2(".", MNT_DETACH))
		return -errno;
	return 0;
}

static int run_classic(void)
{
	return in_child(be_classic);
}

/* --- open_tree, clone --- */

static int run_open_tree(void)
{
	int fd = tree_fd(OPEN_TREE_NAMESPACE);

	return fd < 0 ? fd : failed(close(fd));
}

static int run_clone(void)
{
	int fd = tree_fd(OPEN_TREE_CLONE);

	return fd < 0 ? fd : failed(close(fd));
}

/* --- enter --- */

static int be_inside(void)
{
	int fd = tree_fd(OPEN_TREE_NAMESPACE);

	return fd < 0 ? fd : failed(setns(fd, CLONE_NEWNS));
}

static int run_enter(void)
{
	return in_child(be_inside);
}

/* --- empty --- */

static int run_empty(void)
{
	return failed(unshare(UNSHARE_EMPTY_MNTNS));
}

static int run_empty_in_child(void)
{
	return in_child(run_empty);
}

/* --- container --- */

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), r;

	if (fd < 0)
		return -errno;
	r = write(fd, text, strlen(text)) < 0 ? -errno : 0;
	close(fd);
	return r;
}

/* Process 1 of its own namespaces: what a container's start does before its program. */
static int be_container(int go)
{
	char byte;
	int r;

	if (read(go, &byte, 1) != 1)
		return -EPIPE;
	r = be_inside();
	if (r)
		return r;
	if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) ||
	    mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "size=1m") ||
	    sethostname("container", 9))
		return -errno;
	execl("/true", "true", "--true", (char *)NULL);
	return -errno;
}

static int give_maps(pid_t pid)
{
	char path[64];
	int r;

	snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
	r = write_file(path, "0 0 1");
	if (r)
		return r;
	snprintf(path, sizeof(path), "/proc/%d/gid_map", pid);
	return write_file(path, "0 0 1");
}

static int run_container(void)
{
	int go[2], status, r;
	pid_t pid;

	if (pipe2(go, O_CLOEXEC))
		return -errno;
	pid = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWUTS | SIGCHLD, 0, 0,
			     0, 0);
	if (pid == 0) {
		close(go[1]);
		_exit(-be_container(go[0]) & 0xff);
	}
	r = pid < 0 ? -errno : give_maps(pid);
	if (!r && write(go[1], "", 1) != 1)
		r = -errno;
	close(go[0]);
	close(go[1]);
	if (pid > 0 && waitpid(pid, &status, 0) == pid && !r)
		r = WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR;
	return r;
}

/* --- published --- */

static int be_true(void)
{
	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return -errno;
	execl("/true", "true", "--true", (char *)NULL);
	return -errno;
}

static int run_published(void)
{
	return in_child(be_true);
}

const struct mode modes[] = {
	{.name = "unshare", .about = "unshare(CLONE_NEWNS), again and again", .run = run_unshare},
	{.name = "classic",
	 .about = "fork; unshare, private, bind, pivot_root, umount, exit",
	 .run = run_classic},
	{.name = "open_tree",
	 .about = "open_tree(OPEN_TREE_NAMESPACE), close",
	 .run = run_open_tree},
	{.name = "enter",
	 .about = "fork; open_tree(OPEN_TREE_NAMESPACE), setns, exit",
	 .run = run_enter},
	{.name = "container",
	 .about = "the same with user, PID, UTS namespaces, /proc, a tmpfs, exec",
	 .run = run_container},
	{.name = "empty",
	 .about = "fork; unshare(UNSHARE_EMPTY_MNTNS), exit",
	 .run = run_empty_in_child},
	{.name = "clone", .about = "open_tree(OPEN_TREE_CLONE), close", .run = run_clone},
	{.name = "published", .about = "fork; what `unshare -m true` does", .run = run_published},
	{.name = NULL},
};
