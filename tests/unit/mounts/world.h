/*
 * A small world for tests of lib/mounts: file systems of directories that exist only as names,
 * memory that can run out, and a look at everything that must hold.
 */
#ifndef WORLD_H
#define WORLD_H

#include <mounts/mounts.h>

#define WORLD_DIRS 7u /* of each file system: /, /a, /b, /a/c, /a/d, /b/e, /a/c/f */

struct dentry {
	struct mount_dir at;
	struct dentry *parent;
	struct superblock *sb;
	u32 refs;
};

struct superblock {
	struct dentry dir[WORLD_DIRS];
	u32 mounts;
};

enum { ROOT, A, B, A_C, A_D, B_E, A_C_F };

#define WORLD_FILESYSTEMS 8u

struct world {
	struct mounts *all;
	struct superblock fs[WORLD_FILESYSTEMS];
	s64 fail_after; /* so many allocations succeed; negative: all do */
	u64 allocated;  /* bytes */
	u64 ns_ids;
	u32 owners[3]; /* user namespaces: their references */
	struct mount_ns *ns;
	void (*ended)(void *arg, struct mount_ns *ns); /* NULL: nobody wants to know */
	void (*touched)(void *arg);
	void *arg;
};

/* A namespace whose root is file system 0. */
void world_begin(struct world *w);
/* Ends it; checks that nothing is left. */
void world_end(struct world *w);
/* Checks what must always hold. */
void world_check(struct world *w);
/* All that can be seen of the world's mounts, as text; to compare. */
void world_describe(const struct world *w, char *buf, size_t size);

/* The same without addresses, with small numbers and groups: of two worlds, to compare. */
void world_describe_ns(const struct world *w, const struct mount_ns *ns, char *buf, size_t size);

/* Mount file system @fs on @dir of @parent; NULL: it was refused. */
struct mount *world_mount(struct world *w, u32 fs, struct mount *parent, u32 dir);
/* Bind (@from, @dir) to (@to, @to_dir); recursive. NULL: it was refused. */
struct mount *world_bind(struct mount *from, u32 dir, struct mount *to, u32 to_dir);

static inline struct dentry *dir_at(const struct mount *mnt, u32 dir)
{
	return &((struct superblock *)mnt->sb)->dir[dir];
}

/* What is mounted there. */
static inline struct mount *on(const struct mount *mnt, u32 dir)
{
	return mounts_child(mnt, dir_at(mnt, dir));
}

#endif
