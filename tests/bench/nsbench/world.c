/*
 * The namespace that nsbench works in: a root of its own with as many mounts as were asked for.
 *
 * The root is a tmpfs, because the first file system of an initramfs cannot be pivoted away. All
 * further mounts are bind mounts of a folder of it, one a folder below /mounts; the tree that is
 * copied is /tree, on a tmpfs of its own or, crowded, on the mount that has all the others.
 */
#include "nsbench.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
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

static void copy_program(const char *from, const char *to)
{
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	struct stat st;

	if (in < 0 || out < 0 || fstat(in, &st) || sendfile(out, in, NULL, (size_t)st.st_size) < 0)
		die(-errno, "copy %s to %s", from, to);
	close(in);
	close(out);
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
}
