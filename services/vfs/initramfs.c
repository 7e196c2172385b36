/*
 * The first root: a cpio archive unpacked through the VFS's own calls.
 *
 * Nobody vouches for the archive: lib/cpio checks its form; here its names are. A name goes below
 * the root whatever it says ("..", a symbolic link that an earlier entry made), because the walk
 * ends at the task's root. Folders on the way that the archive does not have are made.
 *
 * Source: cpio(5); Linux, Documentation/driver-api/early-userspace/buffer-format.rst.
 * Not here: gzip, zstd: the caller passes the archive unpacked.
 * Runs in: the personality, host tests, the fuzzer.
 */
#include "internal.h"

#include <cpio/cpio.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Hard links: names of the same file number follow each other anywhere in the archive. */
#define LINK_BUCKETS 64u

struct link {
	struct link *next;
	u32 ino, mode;
	char name[];
};

/* A folder whose time is set when all is unpacked, because what comes into it changes it. */
struct folder {
	struct folder *next;
	u32 mtime;
	char name[];
};

struct unpacking {
	struct vfs_task *t;
	struct link *links[LINK_BUCKETS];
	struct folder *folders;
	char *message;
	size_t message_len;
};

static void say(struct unpacking *u, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct unpacking *u, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(u->message, u->message_len, format, args);
	va_end(args);
}

/* The first name of the file that @e is another name of; NULL: this is the first. */
static const struct link *find_link(struct unpacking *u, const struct cpio_entry *e)
{
	const struct link *l = u->links[e->ino % LINK_BUCKETS];

	while (l && (l->ino != e->ino || ((l->mode ^ e->mode) & S_IFMT)))
		l = l->next;
	return l;
}

static int remember_link(struct unpacking *u, const struct cpio_entry *e)
{
	struct link *l = malloc(sizeof(*l) + strlen(e->name) + 1);

	if (!l)
		return -ENOMEM;
	l->ino = e->ino;
	l->mode = e->mode;
	strcpy(l->name, e->name);
	l->next = u->links[e->ino % LINK_BUCKETS];
	u->links[e->ino % LINK_BUCKETS] = l;
	return 0;
}

static void forget_links(struct unpacking *u)
{
	for (u32 i = 0; i < LINK_BUCKETS; i++) {
		while (u->links[i]) {
			struct link *l = u->links[i];

			u->links[i] = l->next;
			free(l);
		}
	}
}

static int remember_folder(struct unpacking *u, const struct cpio_entry *e)
{
	struct folder *f = malloc(sizeof(*f) + strlen(e->name) + 1);

	if (!f)
		return -ENOMEM;
	f->mtime = e->mtime;
	strcpy(f->name, e->name);
	f->next = u->folders;
	u->folders = f;
	return 0;
}

static void set_time(struct vfs_task *t, const char *name, u32 mtime)
{
	const struct vfs_time times[2] = {{mtime, 0}, {mtime, 0}};

	vfs_utimensat(t, AT_FDCWD, name, times, AT_SYMLINK_NOFOLLOW);
}

static void finish_folders(struct unpacking *u)
{
	while (u->folders) {
		struct folder *f = u->folders;

		u->folders = f->next;
		set_time(u->t, f->name, f->mtime);
		free(f);
	}
}

/* Make the folders that lead to @name. */
static int make_parents(struct vfs_task *t, const char *name)
{
	char path[VFS_PATH_MAX];
	int err;

	for (size_t i = 0; name[i]; i++) {
		if (i && name[i] == '/') {
			path[i] = 0;
			err = vfs_mkdirat(t, AT_FDCWD, path, 0755);
			if (err && err != -EEXIST)
				return err;
		}
		path[i] = name[i];
	}
	return 0;
}

/* What is in the way of an entry goes, unless both are folders; as in Linux. */
static void clear_way(struct vfs_task *t, const struct cpio_entry *e)
{
	struct vfs_stat st;

	if (vfs_statat(t, AT_FDCWD, e->name, AT_SYMLINK_NOFOLLOW, &st) ||
	    ((st.mode ^ e->mode) & S_IFMT) == 0)
		return;
	vfs_unlinkat(t, AT_FDCWD, e->name, (st.mode & S_IFMT) == S_IFDIR ? AT_REMOVEDIR : 0);
}

static int write_file(struct vfs_task *t, const struct cpio_entry *e)
{
	struct file *file;
	struct uio uio;
	s64 pos = 0, n;
	int err = vfs_open_file(t, AT_FDCWD, e->name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW,
				0600, &file);

	if (err)
		return err;
	uio_kernel(&uio, (void *)e->data, e->size);
	n = e->size ? file_write(t, file, &uio, &pos) : 0;
	file_put(file);
	if (n < 0)
		return (int)n;
	return (u64)n < e->size ? -ENOSPC : 0;
}

static int make_symlink(struct vfs_task *t, const struct cpio_entry *e)
{
	char target[VFS_PATH_MAX];
	int err;

	if (!e->size || e->size >= sizeof(target) || memchr(e->data, 0, e->size))
		return -EINVAL;
	memcpy(target, e->data, e->size);
	target[e->size] = 0;
	err = vfs_symlinkat(t, target, AT_FDCWD, e->name);
	if (err != -EEXIST)
		return err;
	err = vfs_unlinkat(t, AT_FDCWD, e->name, 0);
	return err ? err : vfs_symlinkat(t, target, AT_FDCWD, e->name);
}

static int make_entry(struct unpacking *u, const struct cpio_entry *e)
{
	struct vfs_task *t = u->t;
	const struct link *first = NULL;
	int err;

	switch (e->mode & S_IFMT) {
	case S_IFDIR:
		err = vfs_mkdirat(t, AT_FDCWD, e->name, 0700);
		return err && err != -EEXIST ? err : remember_folder(u, e);
	case S_IFLNK:
		return make_symlink(t, e);
	case S_IFREG:
		if (e->nlink > 1)
			first = find_link(u, e);
		if (first) {
			err = vfs_linkat(t, AT_FDCWD, first->name, AT_FDCWD, e->name, 0);
			if (err && err != -EEXIST)
				return err;
			return e->size ? write_file(t, e) : 0;
		}
		err = e->nlink > 1 ? remember_link(u, e) : 0;
		return err ? err : write_file(t, e);
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
	case S_IFSOCK:
		err = vfs_mknodat(t, AT_FDCWD, e->name, (e->mode & S_IFMT) | 0600,
				  VFS_DEV(e->rdev_major, e->rdev_minor));
		return err == -EEXIST ? 0 : err;
	default:
		return -EINVAL;
	}
}

/* Owner, mode and times, as far as the entry's type has them. */
static int set_attributes(struct vfs_task *t, const struct cpio_entry *e)
{
	int err = vfs_fchownat(t, AT_FDCWD, e->name, e->uid, e->gid, AT_SYMLINK_NOFOLLOW);

	if (!err && (e->mode & S_IFMT) != S_IFLNK)
		err = vfs_fchmodat2(t, AT_FDCWD, e->name, e->mode & 07777, AT_SYMLINK_NOFOLLOW);
	if (!err)
		set_time(t, e->name, e->mtime);
	return err;
}

static int unpack_entry(struct unpacking *u, const struct cpio_entry *e)
{
	int err;

	if (strlen(e->name) >= VFS_PATH_MAX)
		return -ENAMETOOLONG;
	err = make_parents(u->t, e->name);
	if (err)
		return err;
	clear_way(u->t, e);
	err = make_entry(u, e);
	return err ? err : set_attributes(u->t, e);
}

int vfs_unpack(struct vfs_task *t, const void *image, u64 len, char *message, size_t message_len)
{
	struct unpacking u = {.t = t, .message = message, .message_len = message_len};
	u32 umask = vfs_umask(t, 0);
	struct cpio_entry e;
	struct cpio cpio;
	int err = 0;

	say(&u, "%s", "");
	cpio_begin(&cpio, image, len);
	while (!err && cpio_next(&cpio, &e)) {
		err = unpack_entry(&u, &e);
		if (err)
			say(&u, "'%.200s' at offset %lu: %s", e.name, e.offset, strerror(-err));
	}
	if (!err && cpio.error != CPIO_OK) {
		say(&u, "offset %lu: %s", cpio.error_offset, cpio_strerror(cpio.error));
		err = -EINVAL;
	}
	finish_folders(&u);
	forget_links(&u);
	vfs_umask(t, umask);
	return err;
}
