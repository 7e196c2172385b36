/*
 * A slow, obvious model of mount namespaces, to compare others with.
 *
 * All mounts of all namespaces are rows of one table, with numbers for what is elsewhere pointers:
 * whatever is asked, all rows are looked at. A group is a number that its members have; what
 * receives from what follows from the rows alone. A change works on a copy of the table, which
 * becomes the table if nothing speaks against it.
 *
 * Written from mount_namespaces(7), mount(2), umount(2), pivot_root(2), move_mount(2) and Linux's
 * sharedsubtree.rst and propagate_umount.txt. Shares no code with lib/mounts and none of its ways
 * to a result. Where the two differed, tests/mounts has a case that asks Linux.
 *
 * Directories are those of world.h: seven of each file system.
 * Not here: users of mounts, flags other than those that say what may be changed.
 * Runs in: host tests.
 */
#ifndef MODEL_H
#define MODEL_H

#include <stdbool.h>
#include <stdint.h>

#define MODEL_DIRS       7u
#define MODEL_MOUNTS     400
#define MODEL_NAMESPACES 5
#define MODEL_NONE       (-1)

struct model_mount {
	bool there;
	int parent; /* row; MODEL_NONE: a root */
	unsigned fs, root, point;
	int ns;                 /* MODEL_NONE: on its way */
	unsigned group, master; /* 0: none */
	bool locked, unbindable;
};

struct model {
	struct model_mount m[MODEL_MOUNTS];
	int root[MODEL_NAMESPACES]; /* row; MODEL_NONE: there is no such namespace */
	unsigned owner[MODEL_NAMESPACES];
	unsigned groups; /* numbers that were given */
	unsigned max;    /* mounts in a namespace */
};

enum model_kind { MODEL_PRIVATE, MODEL_SHARED, MODEL_SLAVE, MODEL_UNBINDABLE };

/* The directory above; that of the root is the root. */
unsigned model_above(unsigned dir);
/* Is @dir at or below @above in a file system? */
bool model_is_below(unsigned dir, unsigned above);

/* One namespace, the first, with one mount: of file system 0. */
void model_begin(struct model *t, unsigned max);

/* What is mounted on @dir of @parent; MODEL_NONE: nothing. */
int model_child(const struct model *t, int parent, unsigned dir);
unsigned model_count(const struct model *t, int ns);
/* The group that those in @group receive from; 0: none. */
unsigned model_master_of(const struct model *t, unsigned group);

/*
 * Changes. Each returns 0, or a negative errno and then has changed nothing.
 * Mounts are rows; a place is a mount and a directory of it.
 */
int model_mount(struct model *t, unsigned fs, int parent, unsigned dir, bool beneath);
int model_bind(struct model *t, int from, unsigned from_dir, bool recursive, int parent,
	       unsigned dir, bool beneath);
int model_move(struct model *t, int mnt, int parent, unsigned dir, bool beneath);
int model_umount(struct model *t, int mnt, bool lazy);
int model_set_kind(struct model *t, int top, enum model_kind kind, bool recursive);
int model_set_group(struct model *t, int from, int to);
int model_pivot_root(struct model *t, int new, int root, int old, unsigned old_dir);
/* Namespace @to, whatever it was, is a copy of @from; or has a copy of a tree on @from's root. */
int model_copy_ns(struct model *t, int from, int to, unsigned owner);
int model_ns_of_tree(struct model *t, int from, int to, unsigned owner, int mnt, unsigned dir);
/* A directory of a file system is removed: all that is mounted on it goes. */
void model_remove_dir(struct model *t, unsigned fs, unsigned dir);

#endif
