/*
 * Random changes of files and trees, against a slow and obvious model: names in a flat list, each
 * file an array of bytes. Same seed, same row of changes: SKERRY_SEED and SKERRY_STEPS in the
 * environment choose another.
 */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX (5 * 4096)
#define NAMES    4 /* of one directory */
#define DEPTH    4
#define NODES    512

static struct world w;
static struct vfs_task *const t = &w.task;
static u64 seed;

static u32 pick(u32 n)
{
	return (u32)(unit_random(&seed) >> 33) % n;
}

static u64 from_environment(const char *name, u64 otherwise)
{
	const char *value = getenv(name);

	return value ? strtoull(value, NULL, 0) : otherwise;
}

/* --- One file: as fsx does --- */

static char model[FILE_MAX], data[FILE_MAX];
static size_t model_size;

static void check_contents(int fd, u64 step)
{
	struct uio uio;
	u32 from = pick(FILE_MAX), len = pick(FILE_MAX - from) + 1;
	size_t want = from < model_size ? MIN(len, model_size - from) : 0;

	uio_kernel(&uio, data, len);
	CHECK_EQUAL(vfs_pread(t, fd, &uio, from, 0), want);
	if (memcmp(data, model + from, want)) {
		printf("contents differ at step %lu of seed\n", step);
		CU_FAIL_FATAL("contents differ");
	}
}

static void write_some(int fd)
{
	struct uio uio;
	u32 from = pick(FILE_MAX - 1), len = pick(MIN(FILE_MAX - from, 6000)) + 1;

	for (u32 i = 0; i < len; i++)
		data[i] = (char)unit_random(&seed);
	uio_kernel(&uio, data, len);
	CHECK_EQUAL(vfs_pwrite(t, fd, &uio, from, 0), len);
	memcpy(model + from, data, len);
	model_size = MAX(model_size, from + len);
}

static void truncate_some(int fd)
{
	u32 size = pick(FILE_MAX + 1);

	CHECK_EQUAL(vfs_ftruncate(t, fd, size), 0);
	if (size < model_size)
		memset(model + size, 0, model_size - size);
	model_size = size;
}

static void punch_some(int fd)
{
	u32 from = pick(FILE_MAX - 1), len = pick(FILE_MAX - from) + 1;

	CHECK_EQUAL(vfs_fallocate(t, fd, 3, from, len), 0);
	memset(model + from, 0, len);
}

static void allocate_some(int fd)
{
	u32 from = pick(FILE_MAX - 1), len = pick(FILE_MAX - from) + 1;

	CHECK_EQUAL(vfs_fallocate(t, fd, 0, from, len), 0);
	model_size = MAX(model_size, from + len);
}

TEST(random_changes_of_a_file_match_an_array)
{
	u64 steps = from_environment("SKERRY_STEPS", 200000);
	int fd;

	seed = from_environment("SKERRY_SEED", 0x5eed);
	world_begin(&w);
	memset(model, 0, sizeof(model));
	model_size = 0;
	fd = vfs_openat(t, AT_FDCWD, "/f", O_RDWR | O_CREAT, 0600);
	for (u64 i = 0; i < steps; i++) {
		u32 what = pick(16);
		struct vfs_stat st;

		if (what < 6)
			check_contents(fd, i);
		else if (what < 11)
			write_some(fd);
		else if (what < 13)
			truncate_some(fd);
		else if (what < 15)
			punch_some(fd);
		else
			allocate_some(fd);
		vfs_fstat(t, fd, &st);
		REQUIRE(st.size == model_size);
	}
	vfs_close(t, fd);
	world_end(&w);
}

/* --- A tree --- */

/* A name of the model; what it names is its 'id', that several may share (links). */
struct name {
	char path[64];
	u32 id;
	bool dir;
};

static struct name names[NODES];
static u32 nnames, next_id;

static struct name *find(const char *path)
{
	for (u32 i = 0; i < nnames; i++) {
		if (!strcmp(names[i].path, path))
			return &names[i];
	}
	return NULL;
}

static bool is_below(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	return !strncmp(path, dir, len) && path[len] == '/';
}

static bool has_children(const char *dir)
{
	for (u32 i = 0; i < nnames; i++) {
		if (is_below(names[i].path, dir))
			return true;
	}
	return false;
}

/* A random path, and whether the folders on the way are there: 0, -ENOENT, -ENOTDIR. */
static int random_path(char *path)
{
	u32 depth = pick(DEPTH) + 1;
	int err = 0;

	*path = 0;
	for (u32 i = 0; i < depth; i++) {
		const struct name *parent = *path ? find(path) : NULL;

		if (*path && !err)
			err = !parent ? -ENOENT : parent->dir ? 0 : -ENOTDIR;
		sprintf(path + strlen(path), "/%c", 'a' + (int)pick(NAMES));
	}
	return err;
}

static void add(const char *path, u32 id, bool dir)
{
	REQUIRE(nnames < NODES);
	names[nnames] = (struct name){.id = id, .dir = dir};
	strcpy(names[nnames++].path, path);
}

static void drop(struct name *name)
{
	*name = names[--nnames];
}

static int model_make(const char *path, int way, bool dir)
{
	if (way)
		return way;
	if (find(path))
		return -EEXIST;
	add(path, next_id++, dir);
	return 0;
}

static int model_remove(const char *path, int way, bool dir)
{
	struct name *name = find(path);

	if (way)
		return way;
	if (!name)
		return -ENOENT;
	if (dir != name->dir)
		return dir ? -ENOTDIR : -EISDIR;
	if (dir && has_children(path))
		return -ENOTEMPTY;
	drop(name);
	return 0;
}

static int model_link(const char *from, int from_way, const char *to, int to_way)
{
	struct name *name = find(from);

	if (from_way)
		return from_way;
	if (!name)
		return -ENOENT;
	if (to_way)
		return to_way;
	if (find(to))
		return -EEXIST;
	if (name->dir)
		return -EPERM;
	add(to, name->id, false);
	return 0;
}

/* All names below @from go below @to, and @from itself. */
static void move_tree(const char *from, const char *to)
{
	for (u32 i = 0; i < nnames; i++) {
		char rest[64];

		if (strcmp(names[i].path, from) && !is_below(names[i].path, from))
			continue;
		strcpy(rest, names[i].path + strlen(from));
		snprintf(names[i].path, sizeof(names[i].path), "%s%s", to, rest);
	}
}

static int model_rename(const char *from, int from_way, const char *to, int to_way, u32 flags)
{
	struct name *old = find(from), *new = find(to);

	if (from_way)
		return from_way;
	if (to_way)
		return to_way;
	if (!old)
		return -ENOENT;
	if ((flags & RENAME_NOREPLACE) && new)
		return -EEXIST;
	if ((flags & RENAME_EXCHANGE) && !new)
		return -ENOENT;
	if (is_below(to, from))
		return -EINVAL;
	if (is_below(from, to) && new)
		return flags & RENAME_EXCHANGE ? -EINVAL : -ENOTEMPTY;
	if (new &&new->id == old->id)
		return 0;
	if (flags & RENAME_EXCHANGE) {
		move_tree(from, "/tmp");
		move_tree(to, from);
		move_tree("/tmp", to);
		return 0;
	}
	if (new && old->dir != new->dir)
		return old->dir ? -ENOTDIR : -EISDIR;
	if (new &&has_children(to))
		return -ENOTEMPTY;
	if (new)
		drop(new);
	move_tree(from, to);
	return 0;
}

static void check_folder(const char *path)
{
	char want[NAMES * 2 + 1] = "", child[80];

	for (u32 i = 0; i < NAMES; i++) {
		snprintf(child, sizeof(child), "%s/%c", strcmp(path, "/") ? path : "",
			 'a' + (int)i);
		if (find(child))
			sprintf(want + strlen(want), "%c ", 'a' + (int)i);
	}
	CHECK_STRING(names_in(t, path), want);
	if (strcmp(names_in(t, path), want))
		CU_FAIL_FATAL("a folder differs");
}

static void check_name(const struct name *name)
{
	struct vfs_stat st = {0};
	u32 links = name->dir ? 2 : 0;

	CHECK_EQUAL(vfs_statat(t, AT_FDCWD, name->path, AT_SYMLINK_NOFOLLOW, &st), 0);
	CHECK_EQUAL((st.mode & S_IFMT) == S_IFDIR, name->dir);
	for (u32 i = 0; i < nnames; i++) {
		size_t len = strlen(name->path);

		if (!name->dir)
			links += names[i].id == name->id;
		else
			links += names[i].dir && is_below(names[i].path, name->path) &&
				 !strchr(names[i].path + len + 1, '/');
	}
	CHECK_EQUAL(st.nlink, links);
}

/* Would the names below @from have too many bytes for the model below @to? */
static bool too_deep(const char *from, const char *to)
{
	size_t longest = 0;

	for (u32 i = 0; i < nnames; i++) {
		if (is_below(names[i].path, from))
			longest = MAX(longest, strlen(names[i].path) - strlen(from));
	}
	return strlen(to) + longest > 2 * DEPTH;
}

static void step(u64 i)
{
	char a[64], b[64];
	int way_a = random_path(a), way_b = random_path(b), want, got;
	u32 flags = 0;

	switch (pick(8)) {
	case 0:
		want = model_make(a, way_a, true);
		got = vfs_mkdirat(t, AT_FDCWD, a, 0755);
		break;
	case 1:
	case 2:
		want = model_make(a, way_a, false);
		got = vfs_mknodat(t, AT_FDCWD, a, S_IFREG | 0644, 0);
		break;
	case 3:
	case 4:
		want = model_remove(a, way_a, i & 1);
		got = vfs_unlinkat(t, AT_FDCWD, a, i & 1 ? AT_REMOVEDIR : 0);
		break;
	case 5:
		want = model_link(a, way_a, b, way_b);
		got = vfs_linkat(t, AT_FDCWD, a, AT_FDCWD, b, 0);
		break;
	default:
		flags = pick(3); /* none, NOREPLACE, EXCHANGE */
		if (too_deep(a, b) || too_deep(b, a))
			return;
		want = model_rename(a, way_a, b, way_b, flags);
		got = vfs_renameat2(t, AT_FDCWD, a, AT_FDCWD, b, flags);
	}
	if (got != want) {
		printf("step %lu: %s %s flags %u: %d, not %d\n", i, a, b, flags, got, want);
		CU_FAIL_FATAL("a result differs");
	}
}

TEST(random_changes_of_a_tree_match_a_list)
{
	u64 steps = from_environment("SKERRY_STEPS", 800000);

	seed = from_environment("SKERRY_SEED", 0x5eed);
	world_begin(&w);
	nnames = 0;
	for (u64 i = 0; i < steps; i++) {
		step(i);
		if (i % 64 == 0) {
			const struct name *name = nnames ? &names[pick(nnames)] : NULL;

			check_folder("/");
			if (name)
				check_name(name);
			if (name && name->dir)
				check_folder(name->path);
		}
		if (i % 1024 == 0)
			dentry_shrink(w.vfs, NULL);
	}
	world_end(&w);
}
