/*
 * The first root: archives unpacked through the VFS's own calls.
 *
 * What the boot loader gives is archives one after the other, each compressed or not, with zeros
 * between them, as Linux takes them. Nobody vouches for them: archive.c checks their form; here
 * names are. A name goes below the root whatever it says ("..", a symbolic link that an earlier
 * entry made), because the walk ends at the task's root. Folders on the way that the archive does
 * not have are made.
 *
 * Source: cpio(5); Linux, Documentation/driver-api/early-userspace/buffer-format.rst.
 * Runs in: the personality, host tests, the fuzzer.
 */
#include "initramfs.h"

#include <expand/expand.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Hard links: names of the same file number follow each other anywhere in the archive. */
#define LINK_BUCKETS 256u

struct link {
	struct link *next;
	u32 ino, mode, dev_major, dev_minor;
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
	const struct cpio_entry *entry; /* the present one; NULL: none */
	u32 dev_major, dev_minor;       /* of the file system it was on */
	struct file *file;              /* where its data go; NULL: nowhere */
	s64 pos;
	u32 target_len; /* of a symbolic link */
	char target[VFS_PATH_MAX];
	struct archive archive;
	bool compressed; /* offsets are those of what was unpacked ... */
	u64 segment_at;  /* ... from this byte on */
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

/* Where the present entry begins. */
static void say_where(const struct unpacking *u, char *to, size_t len)
{
	if (u->compressed)
		snprintf(to, len, "offset %lu of what is compressed from byte %lu on",
			 u->archive.entry_at, u->segment_at);
	else
		snprintf(to, len, "offset %lu", u->archive.entry_at);
}

static int fail_entry(struct unpacking *u, int err)
{
	char where[80];

	say_where(u, where, sizeof(where));
	say(u, "'%.200s' at %s: %s", u->archive.header.entry.name, where, strerror(-err));
	return err;
}

void unpacking_bad(struct unpacking *u, const char *why)
{
	char where[80];

	say_where(u, where, sizeof(where));
	if (u->archive.state > ARCHIVE_NAME)
		say(u, "'%.200s' at %s: %s", u->archive.header.entry.name, where, why);
	else
		say(u, "%s: %s", where, why);
}

static struct link **link_bucket(struct unpacking *u, u32 ino)
{
	return &u->links[(u->dev_major ^ u->dev_minor ^ ino) % LINK_BUCKETS];
}

/* The first name of the file that @e is another name of; NULL: this is the first. */
static const struct link *find_link(struct unpacking *u, const struct cpio_entry *e)
{
	const struct link *l = *link_bucket(u, e->ino);

	while (l && (l->ino != e->ino || l->dev_major != u->dev_major ||
		     l->dev_minor != u->dev_minor || ((l->mode ^ e->mode) & S_IFMT)))
		l = l->next;
	return l;
}

static int remember_link(struct unpacking *u, const struct cpio_entry *e)
{
	struct link *l = malloc(sizeof(*l) + strlen(e->name) + 1);
	struct link **bucket = link_bucket(u, e->ino);

	if (!l)
		return -ENOMEM;
	l->ino = e->ino;
	l->mode = e->mode;
	l->dev_major = u->dev_major;
	l->dev_minor = u->dev_minor;
	strcpy(l->name, e->name);
	l->next = *bucket;
	*bucket = l;
	return 0;
}

void unpacking_closed(struct unpacking *u)
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

/* Another name of a file: only the entry that has data writes it. */
static int open_data(struct unpacking *u, const struct cpio_entry *e, u32 truncate)
{
	u->pos = 0;
	return vfs_open_file(u->t, AT_FDCWD, e->name, O_WRONLY | O_CREAT | truncate | O_NOFOLLOW,
			     0600, &u->file);
}

static int make_file(struct unpacking *u, const struct cpio_entry *e)
{
	const struct link *first = e->nlink > 1 ? find_link(u, e) : NULL;
	int err;

	if (first) {
		if (strcmp(first->name, e->name) != 0)
			vfs_unlinkat(u->t, AT_FDCWD, e->name, 0);
		err = vfs_linkat(u->t, AT_FDCWD, first->name, AT_FDCWD, e->name, 0);
		if (err && err != -EEXIST)
			return err;
		return e->size ? open_data(u, e, 0) : 0;
	}
	err = e->nlink > 1 ? remember_link(u, e) : 0;
	return err ? err : open_data(u, e, O_TRUNC);
}

static int make_symlink(struct unpacking *u, const struct cpio_entry *e)
{
	struct vfs_task *t = u->t;
	int err;

	if (!u->target_len || memchr(u->target, 0, u->target_len))
		return -EINVAL;
	u->target[u->target_len] = 0;
	err = vfs_symlinkat(t, u->target, AT_FDCWD, e->name);
	if (err != -EEXIST)
		return err;
	err = vfs_unlinkat(t, AT_FDCWD, e->name, 0);
	return err ? err : vfs_symlinkat(t, u->target, AT_FDCWD, e->name);
}

/* Make what needs no data; of the rest, the place where data go. */
static int make_entry(struct unpacking *u, const struct cpio_entry *e)
{
	struct vfs_task *t = u->t;
	int err;

	switch (e->mode & S_IFMT) {
	case S_IFDIR:
		err = vfs_mkdirat(t, AT_FDCWD, e->name, 0700);
		return err && err != -EEXIST ? err : remember_folder(u, e);
	case S_IFLNK:
		u->target_len = 0;
		return e->size < sizeof(u->target) ? 0 : -ENAMETOOLONG;
	case S_IFREG:
		return make_file(u, e);
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

int unpacking_begin(struct unpacking *u, const struct archive *a, const struct cpio_entry *e)
{
	int err = strlen(e->name) >= VFS_PATH_MAX ? -ENAMETOOLONG : 0;

	u->entry = e;
	u->dev_major = a->header.dev_major;
	u->dev_minor = a->header.dev_minor;
	if (!err)
		err = make_parents(u->t, e->name);
	if (!err) {
		clear_way(u->t, e);
		err = make_entry(u, e);
	}
	return err ? fail_entry(u, err) : 0;
}

int unpacking_data(struct unpacking *u, const u8 *bytes, u64 n)
{
	struct uio uio;
	s64 written;

	if ((u->entry->mode & S_IFMT) == S_IFLNK) {
		memcpy(u->target + u->target_len, bytes, n);
		u->target_len += (u32)n;
	}
	if (!u->file)
		return 0;
	uio_kernel(&uio, (void *)bytes, n);
	written = file_write(u->t, u->file, &uio, &u->pos);
	if (written < 0)
		return fail_entry(u, (int)written);
	return (u64)written < n ? fail_entry(u, -ENOSPC) : 0;
}

int unpacking_end(struct unpacking *u)
{
	const struct cpio_entry *e = u->entry;
	int err = 0;

	if (u->file)
		file_put(u->file);
	u->file = NULL;
	u->entry = NULL;
	if ((e->mode & S_IFMT) == S_IFLNK)
		err = make_symlink(u, e);
	if (!err)
		err = set_attributes(u->t, e);
	return err ? fail_entry(u, err) : 0;
}

/* An archive that is not compressed. Returns how many bytes it has, or -errno. */
static s64 unpack_plain(struct unpacking *u, const u8 *image, u64 at, u64 len)
{
	u->archive.at = u->archive.entry_at = at;
	u->compressed = false;
	return archive_take(&u->archive, image + at, len - at);
}

/* What a compressed part becomes may be several archives, too, or a piece of one. */
static int take_unpacked(void *arg, const u8 *bytes, u64 len)
{
	struct unpacking *u = arg;

	for (u64 done = 0; done < len;) {
		s64 n = archive_take(&u->archive, bytes + done, len - done);

		if (n < 0)
			return (int)n;
		done += (u64)n;
	}
	return 0;
}

/* The same for one that is compressed. */
static s64 unpack_compressed(struct unpacking *u, const u8 *image, u64 at, u64 len)
{
	enum expand_format format = expand_format(image + at, len - at);
	const char *why;
	u64 used;
	int err;

	if (!u->compressed || archive_may_begin(&u->archive)) {
		u->archive.at = u->archive.entry_at = 0;
		u->segment_at = at;
	}
	u->compressed = true;
	err = expand(image + at, len - at, &used, take_unpacked, u, &why);
	if (err == -ENOSYS && format == EXPAND_UNKNOWN)
		say(u, "offset %lu: neither a cpio archive (newc) nor compressed", at);
	else if (err == -ENOSYS)
		say(u, "offset %lu: %s is not unpacked here", at, expand_name(format));
	else if (err && !u->message[0])
		say(u, "offset %lu, %s: %s", at, expand_name(format), *why ? why : strerror(-err));
	return err ? err : (s64)used;
}

/* All archives of the image, each behind the other, with zeros between them. */
static int unpack_all(struct unpacking *u, const u8 *image, u64 len)
{
	u64 at = 0;

	while (at < len) {
		bool begin = archive_may_begin(&u->archive);
		s64 n = 1;

		if (begin && image[at] == '0' && at % 4 == 0)
			n = unpack_plain(u, image, at, len);
		else if (!begin || image[at])
			n = unpack_compressed(u, image, at, len);
		if (n < 0)
			return n == -ENOSYS ? -EINVAL : (int)n;
		at += (u64)n;
	}
	return archive_end(&u->archive);
}

int vfs_unpack(struct vfs_task *t, const void *image, u64 len, char *message, size_t message_len)
{
	struct unpacking *u = calloc(1, sizeof(*u));
	u32 umask;
	int err;

	if (!u)
		return -ENOMEM;
	*u = (struct unpacking){.t = t, .message = message, .message_len = message_len};
	u->archive.u = u;
	say(u, "%s", "");
	umask = vfs_umask(t, 0);
	err = unpack_all(u, image, len);
	if (u->file)
		file_put(u->file);
	finish_folders(u);
	unpacking_closed(u);
	vfs_umask(t, umask);
	free(u);
	return err;
}

int vfs_put_file(struct vfs_task *t, const char *path, u32 mode, const void *data, u64 len)
{
	struct file *file;
	struct uio uio;
	s64 pos = 0, n = 0;
	int err = vfs_open_file(t, AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode, &file);

	if (err)
		return err;
	uio_kernel(&uio, (void *)data, len);
	if (len)
		n = file_write(t, file, &uio, &pos);
	file_put(file);
	if (n < 0)
		return (int)n;
	return (u64)n < len ? -ENOSPC : 0;
}
