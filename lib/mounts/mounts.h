/*
 * The tree of mounts: namespaces, mounts, and how a change of one spreads to others.
 *
 * A pure library: a file system and a directory are pointers that it passes on but never follows
 * (struct superblock, struct dentry), except that each directory has room for a struct mount_dir,
 * which is the library's. It does no I/O and keeps no state outside of struct mounts.
 *
 * A mount is
 *
 *   detached (mounts_new, no namespace) -> in a namespace -> unmounted -> destroyed
 *
 * and is destroyed at once when it is in no namespace and nobody holds it: there is no grace
 * period. A tree that open_tree or fsmount made is in an anonymous namespace of its own.
 *
 * Every operation checks everything and sets memory aside, then performs, which cannot fail. What
 * it costs depends on the mounts it touches, not on how many there are: below a directory they are
 * found through the directories' own index (struct mount_dir), not by walking all the mounts on
 * a mount.
 *
 * Errors are negative errno values. -ENOSPC: a namespace would have more than mounts_max() mounts.
 *
 * Not here: permission, path walk, what is in a file system.
 * Runs in: the personality, host tests. Not thread-safe.
 * Source: mount_namespaces(7), mount(2), umount(2), pivot_root(2), move_mount(2), open_tree(2),
 * Documentation/filesystems/sharedsubtree.rst and propagate_umount.txt of Linux.
 */
#ifndef MOUNTS_MOUNTS_H
#define MOUNTS_MOUNTS_H

#include <skerry/types.h>

struct dentry;
struct mounts;
struct mount_ns;
struct superblock;

/*
 * The library's part of a directory: which directories below it something is mounted on. All
 * zero at first.
 */
struct mount_dir {
	struct dentry *first, *next, *prev; /* directories below with @here or @first; siblings */
	struct mount *here; /* all that is mounted on the directory itself, in any namespace */
};

/* What the library needs of its user. All functions get @ctx; none may call the library. */
struct mounts_env {
	void *(*alloc)(void *ctx, size_t bytes); /* zeroed, or NULL */
	void (*free)(void *ctx, void *p, size_t bytes);
	size_t dir_offset; /* of struct mount_dir in struct dentry */
	/* The directory above; NULL at the root of a file system. */
	struct dentry *(*parent)(void *ctx, const struct dentry *dir);
	/* A directory is (no longer) somewhere on which something is mounted. */
	void (*dir_get)(void *ctx, struct dentry *dir);
	void (*dir_put)(void *ctx, struct dentry *dir);
	/* A mount of (sb, root, source) was made, or is destroyed: references to all three. */
	void (*mount_get)(void *ctx, struct superblock *sb, struct dentry *root, void *source);
	void (*mount_put)(void *ctx, struct superblock *sb, struct dentry *root, void *source);
	u64 (*new_ns_id)(void *ctx); /* above all before */
	void (*owner_get)(void *ctx, void *owner);
	void (*owner_put)(void *ctx, void *owner);
	/* Something in the namespace changed; for those who poll mountinfo. May be NULL. */
	void (*changed)(void *ctx, void *arg);
	/* A namespace ends that other cores know (shared). May be NULL. */
	void (*ended)(void *ctx, struct mount_ns *ns);
	/* mounts_next_dirty() has one. May be NULL if nothing is watched. */
	void (*touched)(void *ctx);
	void *ctx;
};

/* Flags of a mount. */
#define MOUNT_READONLY    0x00000001u
#define MOUNT_NOSUID      0x00000002u
#define MOUNT_NODEV       0x00000004u
#define MOUNT_NOEXEC      0x00000008u
#define MOUNT_NOATIME     0x00000010u
#define MOUNT_NODIRATIME  0x00000020u
#define MOUNT_RELATIME    0x00000040u
#define MOUNT_NOSYMFOLLOW 0x00000080u
#define MOUNT_ATIME       (MOUNT_NOATIME | MOUNT_NODIRATIME | MOUNT_RELATIME)
#define MOUNT_SETTABLE    0x000000ffu /* those above */
/* The namespace's owner has less privilege than who set these: they stay. */
#define MOUNT_LOCK_READONLY 0x00000100u
#define MOUNT_LOCK_NOSUID   0x00000200u
#define MOUNT_LOCK_NODEV    0x00000400u
#define MOUNT_LOCK_NOEXEC   0x00000800u
#define MOUNT_LOCK_ATIME    0x00001000u
#define MOUNT_LOCKED        0x00002000u /* cannot be unmounted alone: it hides what is below */
#define MOUNT_UNBINDABLE    0x00004000u
#define MOUNT_NS_FILE       0x00008000u /* of a mount namespace's own file: a copied ns has none */
#define MOUNT_MARKED        0x00010000u /* by MNT_EXPIRE, until next used */
/* The library's own, while it works. */
#define MOUNT_LEAVING   0x00020000u
#define MOUNT_CANDIDATE 0x00040000u

/* In order of a number; see order.h. */
struct order_node {
	struct order_node *left, *right;
	u64 key;
};

/* Mounts that send changes to each other: a peer group. It has at least one member,
 * unless it is far. */
struct mount_group {
	struct order_node node; /* first; of a far one, by @id */
	u32 id;
	u32 nmembers;
	bool far;  /* of namespaces whose home is another core: not all members are here */
	u32 users; /* of a far one: images that are being applied */
	u32 slot;  /* its place in an image, while one is being made */
	struct mount *members;            /* ring, by peer_next */
	struct mount_group *master;       /* it receives from; NULL: none */
	struct mount *slaves;             /* that are not shared; by slave_next */
	struct mount_group *slave_groups; /* by slave_next */
	struct mount_group *slave_next, *slave_prev;
	struct mount *copy; /* while a mount spreads: the group's own copy of it */
};

struct mount_ns {
	struct order_node node; /* first; key: 64-bit identifier */
	struct mounts *all;
	struct mount *root;
	struct order_node *mounts; /* by identifier */
	void *owner;               /* a user namespace */
	void *arg;                 /* the user's, for changed() */
	u32 refs;
	u32 nmounts, pending; /* pending: will be added by the operation under way */
	u32 inum;             /* the user's: number of its file */
	bool anonymous;       /* a detached tree */
	bool far;             /* another core is its home: changed by images alone */
	bool shared;          /* lib/mountns knows it */
	bool watched, dirty;  /* mounts_ns_watch() */
	struct mount_ns *dirty_next;
	u64 event;  /* counts changes */
	u64 origin; /* anonymous: identifier of the namespace it was copied from */
};

/* A file system's tree, or a part of it, somewhere. Fields are read by all, changed here only. */
struct mount {
	struct order_node node; /* first; key: 64-bit identifier, never used again */
	struct dentry *root;
	struct superblock *sb;
	struct mount *parent; /* NULL: a root */
	struct dentry *point; /* of parent's, that it covers */
	struct mount *hash_next;
	struct mount *here_next, *here_prev; /* others on the same directory */
	struct mount_ns *ns;                 /* NULL: in none */
	struct mounts *all;
	struct mount *children, *last_child, *next, *prev; /* siblings in order of mounting */
	struct mount_group *group;                         /* it is shared */
	struct mount *peer_next, *peer_prev;
	struct mount_group *master; /* it is a slave, and not shared; else see group->master */
	struct mount *slave_next, *slave_prev;
	struct mount *link; /* of a list, while an operation works; the copy of a mount */
	void *source;       /* what was mounted */
	u32 flags;          /* MOUNT_* */
	u32 refs;           /* users: paths */
	u32 writers;        /* the user's: files that are open for writing */
	u32 id;             /* small, used again */
	u32 nchildren;
	u32 slot;     /* its place in an image, while one is being made */
	u32 far_refs; /* users on other cores, while it is being unmounted */
};

/* --- All --- */

/**
 * @first_id  identifiers of mounts are above this
 * Returns NULL if memory is short.
 */
struct mounts *mounts_create(const struct mounts_env *env, u64 first_id);
/*
 * This is one of several instances that tell each other of namespaces: identifiers and small
 * numbers of what is made from now on are of core @core alone (core 0: as without). Small numbers
 * have 22 bits a core. To be called before anything is made.
 */
#define MOUNTS_CORE_SHIFT 40u /* of identifiers: the core that made them is above */
void mounts_set_core(struct mounts *all, u32 core);
/* All namespaces are gone, and all mounts. */
void mounts_destroy(struct mounts *all);
/* fs.mount-max: how many mounts a namespace may have. */
u32 mounts_max(const struct mounts *all);
void mounts_set_max(struct mounts *all, u32 max);

/* --- Mounts --- */

/* A new mount, detached, with one reference of the caller's; NULL: no memory. */
struct mount *mounts_new(struct mounts *all, struct superblock *sb, struct dentry *root,
			 void *source, u32 flags);
struct mount *mount_get(struct mount *mnt);
void mount_put(struct mount *mnt);

/* What is mounted on @dir of @parent itself; NULL: nothing. */
struct mount *mounts_child(const struct mount *parent, const struct dentry *dir);
/* What is mounted on the root of @mnt, and on the root of that ...: the topmost; @mnt at least. */
struct mount *mounts_topmost(struct mount *mnt);
/* The same of @ns alone. Costs as many steps as @dir has mounts in all. */
bool mounts_is_point_of(const struct mount_ns *ns, struct dentry *dir);
/* @dir got another parent: call with @gone true before, false afterwards. */
void mounts_dir_moves(struct mounts *all, struct dentry *dir, bool gone);
/* @dir is gone: all that is mounted on it, anywhere, is unmounted. */
void mounts_dir_removed(struct mounts *all, struct dentry *dir);

static inline bool mount_is_slave(const struct mount *mnt)
{
	return mnt->group ? mnt->group->master != NULL : mnt->master != NULL;
}

static inline const struct mount_group *mount_master(const struct mount *mnt)
{
	return mnt->group ? mnt->group->master : mnt->master;
}

/* Is @dir of @mnt at or below (@above, @above_dir), by the way up through mounts? */
bool mounts_is_below(const struct mount *mnt, const struct dentry *dir, const struct mount *above,
		     const struct dentry *above_dir);

/* --- Namespaces --- */

/**
 * A namespace whose root is @root, a detached mount; takes over the caller's reference to it.
 *
 * @owner  the user namespace; a reference is taken
 * Returns NULL if memory is short; then nothing is taken over.
 */
struct mount_ns *mounts_ns_new(struct mount *root, void *owner, bool anonymous);
struct mount_ns *mounts_ns_get(struct mount_ns *ns);
/* The last reference unmounts all that is in it. */
void mounts_ns_put(struct mount_ns *ns);

/**
 * A copy of @ns for @owner, who has less privilege if that is not @ns's: then what was shared
 * is received from the original only, and mounts are locked.
 *
 * Afterwards mounts_copy_of() tells the copy of a mount, until the next operation.
 */
int mounts_ns_copy(struct mount_ns *ns, void *owner, struct mount_ns **out);
struct mount *mounts_copy_of(const struct mount *mnt, const struct mount_ns *copy);

/* A namespace with a copy of @ns's root mount alone, or, with @top, the topmost mount on it. */
int mounts_ns_empty(struct mount_ns *ns, void *owner, bool top, struct mount_ns **out);

/**
 * A namespace that has a copy of @ns's root mount with, on top of it, @tree: a detached mount, or
 * a copy made by mounts_copy(). Takes over the reference to @tree on success.
 */
int mounts_ns_of_tree(struct mount_ns *ns, void *owner, struct mount *tree, struct mount_ns **out);

/*
 * Remember from now on (or no longer) whether @ns changes in a way that others can see; and the
 * next namespace that has, whose change is forgotten by that; NULL: no more.
 */
void mounts_ns_watch(struct mount_ns *ns, bool watch);
struct mount_ns *mounts_next_dirty(struct mounts *all);

/* The namespaces in order: the first above @id, the last below it; anonymous ones are left out. */
struct mount_ns *mounts_ns_after(const struct mounts *all, u64 id);
struct mount_ns *mounts_ns_before(const struct mounts *all, u64 id);
/* By identifier, anonymous ones too; NULL: none. */
struct mount_ns *mounts_ns_find(const struct mounts *all, u64 id);
/* The mounts of a namespace in order of identifiers: the first above, the last below @id. */
struct mount *mounts_after(const struct mount_ns *ns, u64 id);
struct mount *mounts_before(const struct mount_ns *ns, u64 id);
struct mount *mounts_find(const struct mount_ns *ns, u64 id);

/* --- Changes --- */

#define COPY_RECURSIVE 0x01u /* with what is mounted below */
#define COPY_NS_FILES  0x02u /* those of mount namespaces, too */
#define COPY_SLAVE     0x04u /* what the copy has is received from the original only */
#define COPY_ALL       0x08u /* unbindable mounts below, too */

/**
 * A copy of @mnt from @dir on, detached, with one reference of the caller's (bind, open_tree).
 *
 * Unbindable mounts below are left out, with all that is on them.
 * Returns 0, -EINVAL (@mnt is unbindable; or not recursive and locked mounts are below),
 * -EPERM (an unbindable mount that would be left out is locked), -ENOMEM.
 */
int mounts_copy(struct mount *mnt, struct dentry *dir, u32 how, struct mount **out);
/* Give back a copy that was not used. */
void mounts_drop(struct mount *tree);

#define ATTACH_BENEATH 0x01u /* below what is at the place now, which then is on top of it */

/**
 * Put @tree on @dir of @parent, and what it propagates to.
 *
 * @tree    a detached mount (the caller's reference becomes the tree's), the root of an anonymous
 *          namespace, or a mount of the same namespace that is moved
 * Returns 0; -EINVAL: @tree is moved from a shared parent, or is not what can be moved, or holds
 * unbindable mounts and @parent is shared, or @parent is in no namespace, or, beneath, there is
 * nothing to be beneath of, or it would propagate to what it goes beneath; -ELOOP: @parent is in
 * @tree; -ENOSPC, -ENOMEM.
 */
int mounts_attach(struct mount *tree, struct mount *parent, struct dentry *dir, u32 how);

#define UMOUNT_LAZY 0x01u /* MNT_DETACH: even if it is in use, with all that is on it */

/**
 * Unmount @mnt, and what that propagates to.
 *
 * @users  references of the caller's own to @mnt
 * Returns 0; -EINVAL: it is locked, a root, or in no namespace; -EBUSY: in use, not lazy.
 */
int mounts_umount(struct mount *mnt, u32 users, u32 how);

/*
 * The mounts whose users decide whether @mnt is busy: itself and what would go with it. The users
 * that they have on other cores may be added by their far_refs, for the time of the call.
 * Returns how many; at most @room are put to @list.
 */
u32 mounts_umount_asks(struct mount *mnt, struct mount **list, u32 room);
/* Can a change of @mnt, or of what is on it, concern mounts in other namespaces? */
bool mounts_reaches_others(struct mount *mnt);

/* The last user of an anonymous namespace's tree is gone: take it apart, if it is still there. */
void mounts_dissolve(struct mount_ns *ns);

enum mount_kind {
	MOUNT_PRIVATE,
	MOUNT_SHARED,
	MOUNT_SLAVE,
	MOUNT_KIND_UNBINDABLE,
};

/* Make @mnt, or all of its tree, private, shared, a slave, unbindable. 0 or -ENOMEM. */
int mounts_set_kind(struct mount *mnt, enum mount_kind kind, bool recursive);

/**
 * MOVE_MOUNT_SET_GROUP: @to, which is private, becomes a peer of and a slave to what @from is.
 *
 * Returns 0, -EINVAL (another file system, @to is shared, a slave or unbindable, @from is neither,
 * @from's root is not above @to's, or a locked mount of @from would be missing).
 */
int mounts_set_group(struct mount *from, struct mount *to);

/**
 * pivot_root(2): @root goes to (@old, @old_dir), @new to where @root is.
 *
 * Returns 0, -EINVAL, -EBUSY. All of its checks but permission and that @new and @root are the
 * roots of their mounts, and that @new and @old are below @root and @new.
 */
int mounts_pivot_root(struct mount *new, struct mount *root, struct mount *old,
		      struct dentry *old_dir);

/* Set and clear flags (MOUNT_SETTABLE). 0, -EPERM: locked. */
int mounts_check_flags(const struct mount *mnt, u32 flags);
void mounts_set_flags(struct mount *mnt, u32 flags);

/* The mount after @mnt in the tree of @top, parents first; NULL: it was the last. */
struct mount *mounts_next(struct mount *mnt, const struct mount *top);
/* Are any mounts on @mnt at or below @dir, and are any of them locked? */
bool mounts_has_below(struct mount *mnt, struct dentry *dir);
bool mounts_has_locked_below(struct mount *mnt, struct dentry *dir);
/* Locks as for an owner of less privilege: every mount of the tree but @top itself is locked. */
void mounts_lock_tree(struct mount *top);

#endif
