/*
 * Namespaces as objects: what a file of nsfs stands for (/proc/PID/ns/...).
 *
 * A namespace has a reference of each who is in it or has its file, and ends with the last one.
 * What it is the namespace of is known to who made it: mounts to the VFS, the rest to the
 * personality, which embeds struct ns.
 *
 * Runs in: the personality, host tests. Source: namespaces(7), user_namespaces(7), ioctl_nsfs(2).
 */
#ifndef VFS_NS_H
#define VFS_NS_H

#include <vfs/file.h>

#define NS_TIME   0x00000080u /* CLONE_NEW* */
#define NS_MNT    0x00020000u
#define NS_CGROUP 0x02000000u
#define NS_UTS    0x04000000u
#define NS_IPC    0x08000000u
#define NS_USER   0x10000000u
#define NS_PID    0x20000000u
#define NS_NET    0x40000000u

struct ns {
	struct vfs *vfs;
	u32 type; /* NS_* */
	u32 refs;
	u32 inum;                   /* of its file */
	bool shared;                /* other cores may have it, too: far_ns.h */
	u64 id;                     /* never used again */
	struct user_ns *owner;      /* NULL: the first user namespace's */
	void (*end)(struct ns *ns); /* the last reference is gone */
	struct ns *next, *prev;     /* all of them, by @id */
};

#define ID_RANGES 340u /* Linux's limit */

#define NO_ID     UINT32_MAX
#define NOBODY    65534u /* who has no number in a namespace */

enum id_kind { MAP_USERS, MAP_GROUPS };

struct id_range {
	u32 inside, outside, count; /* outside: in the first user namespace */
};

struct id_map {
	u32 count;
	struct id_range ranges[ID_RANGES];
};

/* The user namespace that everything begins in has no parent, and maps each number to itself. */
struct user_ns {
	struct ns ns;
	struct user_ns *parent;
	u32 level;
	u32 uid, gid; /* of who made it, in the first user namespace's numbers */
	bool setgroups;
	struct id_map maps[2]; /* by id_kind */
};

/* The mounts that processes see. */
struct mnt_namespace {
	struct ns ns;
	struct mount_ns *mounts;
	struct wait_queue changed;
};

/**
 * Begin a namespace: it gets its numbers, one reference, and a reference to @owner.
 *
 * @inum  of its file; 0: the next
 * @id    0: the next
 */
void ns_begin(struct vfs *vfs, struct ns *ns, u32 type, u32 inum, u64 id, struct user_ns *owner,
	      void (*end)(struct ns *ns));
struct ns *ns_get(struct ns *ns);
void ns_put(struct ns *ns);

/* "mnt", "uts", ... */
const char *ns_name(u32 type);

/* A place that stands for @ns (nsfs), with references. 0 or -ENOMEM. */
int ns_path(struct ns *ns, struct path *out);
/* An open file of @ns. */
int ns_open(struct ns *ns, u32 flags, struct file **out);
/* The namespace that @file or @inode stands for; NULL: none. No reference. */
struct ns *ns_of_file(const struct file *file);
struct ns *ns_of_inode(const struct inode *inode);

/* Whose user namespace @t is in. */
struct user_ns *task_user_ns(const struct vfs_task *t);
/**
 * A user namespace below that of @t, owned by its effective user.
 *
 * 0, -ENOMEM, -ENOSPC (32 levels), -EPERM (@t is in a chroot, or has no numbers).
 */
int user_ns_new(const struct vfs_task *t, struct user_ns **out);
/* One below @parent with these numbers, with no maps. NULL: no memory. */
struct user_ns *user_ns_begin(struct vfs *vfs, struct user_ns *parent, u32 inum, u64 id);
/* A number of @ns in the first namespace, and back; NO_ID: there is none. */
u32 user_ns_down(const struct user_ns *ns, u32 id, enum id_kind kind);
u32 user_ns_up(const struct user_ns *ns, u32 id, enum id_kind kind);
/* The same to show: NOBODY if there is none. */
u32 user_ns_show(const struct user_ns *ns, u32 id, enum id_kind kind);
/* Writing uid_map and gid_map, and setgroups; @t writes. 0, -EPERM, -EINVAL. */
int user_ns_set_map(const struct vfs_task *t, struct user_ns *ns, enum id_kind kind,
		    const char *text);
int user_ns_set_setgroups(const struct vfs_task *t, struct user_ns *ns, const char *text);
bool user_ns_may_setgroups(const struct user_ns *ns);
struct text;
void user_ns_show_map(const struct vfs_task *reader, const struct user_ns *ns, enum id_kind kind,
		      struct text *out);

/* Has @t the capability @cap in the user namespace @in (NULL: the first)? */
bool vfs_capable_in(const struct vfs_task *t, const struct user_ns *in, u32 cap);

#endif
