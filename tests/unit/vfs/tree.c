/*
 * A slow and obvious model of a tree: names in a flat list. See tree.h.
 */
#include "tree.h"

#include <stdio.h>
#include <string.h>

#define NAMES 4 /* of one directory */
#define DEPTH 4
#define NODES 512

static struct vfs_task *t; /* who takes the step */
static u64 seed;

static u32 pick(u32 n)
{
	return (u32)(unit_random(&seed) >> 33) % n;
}

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

void tree_step(struct vfs_task *task, u64 i)
{
	char a[64], b[64];
	int way_a = random_path(a), way_b = random_path(b), want, got;
	u32 flags = 0;

	t = task;
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

void tree_begin(u64 first_seed)
{
	seed = first_seed;
	nnames = next_id = 0;
}

void tree_check(struct vfs_task *task)
{
	const struct name *name = nnames ? &names[pick(nnames)] : NULL;

	t = task;
	check_folder("/");
	if (name)
		check_name(name);
	if (name && name->dir)
		check_folder(name->path);
}
