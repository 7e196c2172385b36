/*
 * Packing a root file system. See root.h.
 *
 * A folder becomes one archive (cpio, newc) with everything that lstat(2) tells: owners, modes,
 * times, symbolic links, devices; names of one file are links again, and the first has its data.
 * Entries are sorted, so that the same folder gives the same archive. Of /proc and /sys, should
 * they be mounted there, only the folder comes along.
 *
 * Source: cpio(5), "New ASCII Format"; Linux, driver-api/early-userspace/buffer-format.rst.
 */
#include "root.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define BYTES_MAX    ((1ul << 30) - (64ul << 20)) /* the loader's IMAGE_MAX, less the system's */
#define NAME_MAX_LEN 4095
#define PROC_MAGIC   0x9fa0
#define SYSFS_MAGIC  0x62656572
#define CHUNK        (1ul << 20)
#define EXPANDS      6 /* times that a compressed archive may grow; a guess on the safe side */

/* A file with several names, and the number that it has in the archive. */
struct seen {
	struct seen *next;
	dev_t dev;
	ino_t ino;
	u32 number;
};

struct packer {
	const char *top; /* the folder, as it was named */
	int fd;
	struct buf out; /* what is not written yet */
	u64 bytes;      /* of the archive so far */
	u32 numbers;
	struct seen *seen[4096];
};

static void flush(struct packer *p)
{
	for (size_t done = 0; done < p->out.n;) {
		ssize_t n = write(p->fd, p->out.v + done, p->out.n - done);

		if (n <= 0)
			die("--root %s: the image cannot be written: %s", p->top, strerror(errno));
		done += (size_t)n;
	}
	p->out.n = 0;
}

static void put(struct packer *p, const void *bytes, size_t n)
{
	p->bytes += n;
	if (p->bytes > BYTES_MAX)
		die("--root %s: it takes more than %lu MiB, which is all that the loader takes",
		    p->top, BYTES_MAX >> 20);
	buf_add(&p->out, bytes, n);
	if (p->out.n >= CHUNK)
		flush(p);
}

static void pad(struct packer *p)
{
	put(p, "\0\0\0", ROUND_UP(p->bytes, 4) - p->bytes);
}

/* The number of the file of @st; *@first tells whether it has not been seen yet. */
static u32 number_of(struct packer *p, const struct stat *st, bool *first)
{
	struct seen **bucket = &p->seen[(st->st_ino ^ st->st_dev) % ARRAY_SIZE(p->seen)];
	struct seen *s = *bucket;

	*first = true;
	if (st->st_nlink < 2 || S_ISDIR(st->st_mode))
		return ++p->numbers;
	while (s && (s->dev != st->st_dev || s->ino != st->st_ino))
		s = s->next;
	*first = !s;
	if (!s) {
		s = alloc(sizeof(*s));
		*s = (struct seen){*bucket, st->st_dev, st->st_ino, ++p->numbers};
		*bucket = s;
	}
	return s->number;
}

static void put_header(struct packer *p, const char *name, const struct stat *st, u32 number,
		       u64 size)
{
	bool device = S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode);
	char header[128];
	size_t name_bytes = strlen(name) + 1;

	if (name_bytes > NAME_MAX_LEN)
		die("--root %s: the name %.60s... is too long", p->top, name);
	snprintf(header, sizeof(header),
		 "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", number, st->st_mode,
		 st->st_uid, st->st_gid, (u32)st->st_nlink, (u32)st->st_mtime, (u32)size, 0, 0,
		 device ? major(st->st_rdev) : 0, device ? minor(st->st_rdev) : 0, (u32)name_bytes,
		 0);
	put(p, header, strlen(header));
	put(p, name, name_bytes);
	pad(p);
}

/* Exactly the @size bytes that the header says, whatever happens to the file meanwhile. */
static void put_data(struct packer *p, const char *path, u64 size)
{
	static char bytes[CHUNK];
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die("--root %s: %s: %s", p->top, path, strerror(errno));
	while (size) {
		ssize_t n = read(fd, bytes, MIN(size, sizeof(bytes)));

		if (n <= 0)
			die("--root %s: %s: %s", p->top, path,
			    n ? strerror(errno) : "it became shorter while it was read");
		put(p, bytes, (size_t)n);
		size -= (u64)n;
	}
	close(fd);
}

static void put_link(struct packer *p, const char *path, const char *name, const struct stat *st,
		     u32 number)
{
	char target[4096];
	ssize_t n = readlink(path, target, sizeof(target));

	if (n < 0 || n == sizeof(target))
		die("--root %s: %s: %s", p->top, path,
		    n < 0 ? strerror(errno) : "the link is too long");
	put_header(p, name, st, number, (u64)n);
	put(p, target, (size_t)n);
	pad(p);
}

/* Whether the folder @path is where a file system of the build host's kernel begins. */
static bool is_kernels(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && (fs.f_type == PROC_MAGIC || fs.f_type == SYSFS_MAGIC);
}

static void put_folder(struct packer *p, const char *path, const char *name);

static void put_file(struct packer *p, const char *path, const char *name)
{
	struct stat st;
	bool first;
	u32 number;
	u64 size;

	if (lstat(path, &st))
		die("--root %s: %s: %s", p->top, path, strerror(errno));
	number = number_of(p, &st, &first);
	if (S_ISLNK(st.st_mode)) {
		put_link(p, path, name, &st, number);
		return;
	}
	size = S_ISREG(st.st_mode) && first ? (u64)st.st_size : 0;
	if (size > BYTES_MAX)
		die("--root %s: %s is too large", p->top, path);
	put_header(p, name, &st, number, size);
	if (size)
		put_data(p, path, size);
	pad(p);
	if (S_ISDIR(st.st_mode) && !is_kernels(path))
		put_folder(p, path, name);
}

static void put_folder(struct packer *p, const char *path, const char *name)
{
	struct dirent **found;
	int n = scandir(path, &found, NULL, alphasort);

	if (n < 0)
		die("--root %s: %s: %s", p->top, path, strerror(errno));
	for (int i = 0; i < n; i++) {
		const char *e = found[i]->d_name;

		if (strcmp(e, ".") != 0 && strcmp(e, "..") != 0)
			put_file(p, strf("%s/%s", path, e),
				 strcmp(name, ".") == 0 ? strf("%s", e) : strf("%s/%s", name, e));
		free(found[i]);
	}
	free(found);
}

static u64 pack_folder(int fd, const char *top)
{
	struct packer *p = alloc(sizeof(*p));
	struct stat none = {.st_nlink = 1};

	p->top = top;
	p->fd = fd;
	put_file(p, strf("%s/.", top), ".");
	put_header(p, "TRAILER!!!", &none, 0, 0);
	flush(p);
	return p->bytes;
}

static u64 copy_archive(int fd, const char *root)
{
	struct packer *p = alloc(sizeof(*p));
	struct stat st;

	p->top = root;
	p->fd = fd;
	if (stat(root, &st))
		die("--root %s: %s", root, strerror(errno));
	if (st.st_size)
		put_data(p, root, (u64)st.st_size);
	flush(p);
	return (u64)st.st_size;
}

void root_check(const char *root)
{
	struct stat st;

	if (stat(root, &st))
		die("--root: %s: %s", root, strerror(errno));
	if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))
		die("--root: %s is neither a folder nor a file", root);
	if (S_ISREG(st.st_mode) && (u64)st.st_size > BYTES_MAX)
		die("--root: %s has more than %lu MiB, which is all that the loader takes", root,
		    BYTES_MAX >> 20);
}

static u64 folder_bytes(const char *path)
{
	DIR *d = opendir(path);
	u64 bytes = 0;

	if (!d || is_kernels(path)) {
		if (d)
			closedir(d);
		return 0;
	}
	for (struct dirent *e; (e = readdir(d));) {
		char *inner = strf("%s/%s", path, e->d_name);
		struct stat st;

		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
		    lstat(inner, &st) == 0)
			bytes += S_ISDIR(st.st_mode)   ? folder_bytes(inner)
				 : S_ISREG(st.st_mode) ? ROUND_UP((u64)st.st_size, PAGE_SIZE)
						       : 0;
		free(inner);
	}
	closedir(d);
	return bytes;
}

static bool is_plain(const char *root)
{
	char magic[4] = {0};
	int fd = open(root, O_RDONLY | O_CLOEXEC);
	bool plain = fd >= 0 && read(fd, magic, sizeof(magic)) == sizeof(magic) &&
		     memcmp(magic, "0707", 4) == 0;

	if (fd >= 0)
		close(fd);
	return plain;
}

u64 root_memory(const char *root)
{
	struct stat st;

	if (is_dir(root))
		return 2 * folder_bytes(root);
	if (stat(root, &st))
		return 0;
	return (u64)st.st_size * (is_plain(root) ? 2 : 1 + EXPANDS);
}

u64 root_write(int fd, const char *root)
{
	return is_dir(root) ? pack_folder(fd, root) : copy_archive(fd, root);
}
