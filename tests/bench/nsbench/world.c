/*
 * The namespace that nsbench works in: a root of its own with as many mounts as were asked for.
 *
 * The root is a tmpfs, because the first file system of an initramfs cannot be pivoted away. All
 * further mounts are bind mounts of a folder of it, one a folder below /mounts; the tree that is
 * copied is /tree, on a tmpfs of its own or, crowded, on the mount that has all the others. Readers
 * of mountinfo and namespaces that are kept go on beside the workers.
 */
#include "nsbench.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define NEW_ROOT "/tmp/nsbench"

static void folder(const char *path)
{
	if (mkdir(path, 0755) && errno != EEXIST)
		die(-errno, "mkdir %s", path);
}

static void mounted(const char *source, const char *target, const char *type, unsigned long flags)
{
	if (mount(source, target, type, flags, NULL))
		die(-errno, "mount at %s", target);
}

static void many_binds(const char *where, uint32_t n)
{
	char path[64];

	folder(where);
	for (uint32_t i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%u", where, i);
		folder(path);
		mounted("/empty", path, NULL, MS_BIND);
	}
}

/* --- What goes on beside the workers --- */

#define MAX_OTHERS 2048 /* readers; namespaces kept */

static pid_t others[2 * MAX_OTHERS];
static uint32_t nothers;

static pid_t start_reader(void)
{
	char buf[65536];
	pid_t pid = fork();

	if (pid)
		return pid;
	for (;;) {
		int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);

		while (fd >= 0 && read(fd, buf, sizeof(buf)) > 0)
			;
		if (fd < 0)
			exit(1);
		close(fd);
	}
}

/* A process that holds a namespace until it is killed. */
static pid_t keep_namespace(void)
{
	int pipe_fd[2];
	char byte = 0;
	pid_t pid;

	if (pipe(pipe_fd))
		die(-errno, "pipe");
	pid = fork();
	if (pid < 0)
		die(-errno, "fork");
	if (pid == 0) {
		byte = unshare(CLONE_NEWNS) ? 1 : 0;
		send_all(pipe_fd[1], &byte, 1);
		for (;;)
			pause();
	}
	receive_all(pipe_fd[0], &byte, 1);
	close(pipe_fd[0]);
	close(pipe_fd[1]);
	if (byte)
		die(0, "a namespace to be kept could not be made");
	return pid;
}

/* Before there are pipes that they would hold open. */
static void start_others(const struct plan *p)
{
	for (uint32_t i = 0; i < p->kept; i++)
		others[nothers++] = keep_namespace();
	for (uint32_t i = 0; i < p->readers; i++)
		others[nothers++] = start_reader();
}

void world_end(void)
{
	for (uint32_t i = 0; i < nothers; i++)
		kill(others[i], SIGKILL);
}

/* --- The command line --- */

const char bench_name[] = "nsbench";
const char bench_about[] = "Creates mount namespaces on several cores at once";

#define PLAN(field) .name = #field, .offset = offsetof(struct plan, field), .about

const struct plan_number plan_numbers[] = {
	{PLAN(mounts) = "in the namespace that they start from (1: as few as there can be)",
	 .most = 100000, .usual = 1},
	{PLAN(tree) = "mounts in the tree that is copied", .most = 100000},
	{PLAN(crowded) = "the tree is a folder of the mount that has all others, not a mount",
	 .most = 1},
	{PLAN(readers) = "processes that read mountinfo meanwhile", .most = MAX_OTHERS},
	{PLAN(kept) = "namespaces that exist already", .most = MAX_OTHERS},
	{.name = NULL},
};

void world_make(const struct plan *p, const char *self)
{
	/* The root, the one at /proc, those of the tree, and the rest. */
	uint32_t tree = p->crowded ? 0 : 1, others;

	if (unshare(CLONE_NEWNS))
		die(-errno, "unshare");
	mounted(NULL, "/", NULL, MS_REC | MS_PRIVATE);
	folder("/tmp");
	folder(NEW_ROOT);
	mounted("nsbench", NEW_ROOT, "tmpfs", 0);
	copy_program(self, NEW_ROOT "/true");
	if (chdir(NEW_ROOT))
		die(-errno, "chdir");
	mounted(".", "/", NULL, MS_MOVE);
	if (chroot("."))
		die(-errno, "chroot");
	folder("/proc");
	folder("/tmp");
	folder("/empty");
	folder(TREE);
	mounted("proc", "/proc", "proc", 0);
	if (!p->crowded)
		mounted("tree", TREE, "tmpfs", 0);
	copy_program("/true", TREE "/true");
	folder(TREE "/proc");
	folder(TREE "/tmp");
	folder(TREE "/empty");
	mounted("/proc", TREE "/proc", NULL, MS_BIND);
	tree += 1;
	many_binds(TREE "/mounts", p->tree > tree ? p->tree - tree : 0);
	others = 2 + (p->tree > tree ? p->tree : tree);
	many_binds("/mounts", p->mounts > others ? p->mounts - others : 0);
	start_others(p);
}
