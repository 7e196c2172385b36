/*
 * Mounting, the file systems there are, and devices.
 *
 * The tree of mounts, its namespaces and what spreads between them are lib/mounts'; struct path
 * carries a mount everywhere.
 *
 * Runs in: the personality, host tests.
 */
#ifndef VFS_MOUNT_H
#define VFS_MOUNT_H

#include <vfs/file.h>

struct text;

/* A type of file system: "tmpfs". Registered for ever. */
struct fs_type {
	const char *name;
	bool nodev;   /* as /proc/filesystems shows it */
	bool anybody; /* can be mounted by who has CAP_SYS_ADMIN in a user namespace only */
	/* With @anybody: the namespace (NS_*) whose owner that is; 0: the caller's own. */
	u32 of;
	/* What it shows concerns all: in a user namespace it must be there to be seen already. */
	bool revealing;
	/* Make a superblock with its root, sb->refs 0. @options: comma-separated, never NULL. */
	int (*mount)(struct vfs *vfs, void *arg, const char *source, const char *options,
		     struct superblock **out);
	/* A superblock is new: what depends on who mounts it. May be NULL. */
	void (*begin)(const struct vfs_task *t, struct superblock *sb);
	/* Is "key" or "key=value" an option? 0, -ENODATA (unknown), -EINVAL. NULL: all are taken.
	 */
	int (*check_option)(struct vfs *vfs, const char *option);
	void *arg;
	struct fs_type *next; /* vfs_register_fs()'s */
};

void vfs_register_fs(struct vfs *vfs, struct fs_type *type);
/* It is not to be had any more. */
void vfs_unregister_fs(struct vfs *vfs, struct fs_type *type);

/* The types that are built in: tmpfs, ramfs, devtmpfs, devpts, proc, sysfs. vfs_new() does it. */

/* Allocate a superblock with the next device number; and one with its root dentry undone. */
struct superblock *superblock_new(struct vfs *vfs, const struct superblock_ops *ops,
				  const char *type, u32 magic);
void superblock_free(struct superblock *sb);

/* mount(2); @flags are MS_*. */
int vfs_mount(struct vfs_task *t, const char *source, const char *target, const char *type,
	      u64 flags, const char *options);
/* umount2(2) */
int vfs_umount(struct vfs_task *t, const char *target, u32 flags);

/* Do set-id bits of files on @mnt count for @t? */
bool mount_may_suid(const struct vfs_task *t, const struct mount *mnt);

/* pivot_root(2) */
int vfs_pivot_root(struct vfs_task *t, const char *new_root, const char *put_old);

/* --- Namespaces and trees (mount_api.c) --- */

struct fs_context;
struct ns;
struct vfs_mount_attr;

/**
 * A new namespace for those who share @fs: a copy of the mounts they see, or an empty one.
 *
 * @owner  NULL: the user namespace of @t. The caller has checked that @t has CAP_SYS_ADMIN there
 * Returns 0, -ENOMEM; root and working directory are in the new namespace then.
 */
int vfs_new_mnt_ns(struct vfs_task *t, struct fs_context *fs, struct user_ns *owner, bool empty);
/* May @t enter @ns (setns(2))? 0, -EPERM, -EINVAL. And do it, which cannot fail. */
int vfs_check_enter_mnt_ns(const struct vfs_task *t, const struct ns *ns);
void vfs_enter_mnt_ns(struct vfs_task *t, struct ns *ns);

int vfs_open_tree(struct vfs_task *t, int dirfd, const char *name, u32 flags);
int vfs_move_mount(struct vfs_task *t, int from_fd, const char *from_name, int to_fd,
		   const char *to_name, u32 flags);
int vfs_mount_setattr(struct vfs_task *t, int dirfd, const char *name, u32 flags,
		      const struct vfs_mount_attr *attr);

/* --- Step by step (fs_config.c) --- */

int vfs_fsopen(struct vfs_task *t, const char *type, u32 flags);
int vfs_fspick(struct vfs_task *t, int dirfd, const char *name, u32 flags);
/* fsconfig(2); the caller has checked which arguments @cmd takes. Either may be NULL. */
int vfs_fsconfig(struct vfs_task *t, int fd, u32 cmd, const char *key, const char *value);
/* @attr: MOUNT_ATTR_* */
int vfs_fsmount(struct vfs_task *t, int fd, u32 flags, u32 attr);

/* --- By number (statmount.c) --- */

struct mnt_id_req_abi;
struct ns_id_req_abi;
struct statmount_abi;

/* statmount(2) for a buffer of @room bytes: 0 or an error; @strings follow @sm. */
s64 vfs_statmount(struct vfs_task *t, const struct mnt_id_req_abi *req, u32 flags, u64 room,
		  struct statmount_abi *sm, struct text *strings);
/* listmount(2), listns(2): how many of at most @room identifiers were put to @ids. */
s64 vfs_listmount(struct vfs_task *t, const struct mnt_id_req_abi *req, bool reverse, u64 *ids,
		  u64 room);
s64 vfs_listns(struct vfs_task *t, const struct ns_id_req_abi *req, u64 *ids, u64 room);

/* /proc/PID/mounts, mountinfo and mountstats: the mounts of @ns at and below @root. */
enum mounts_text { MOUNTS_PLAIN, MOUNTS_INFO, MOUNTS_STATS };
void vfs_show_mounts(const struct mount_ns *ns, const struct path *root, struct text *out,
		     enum mounts_text kind);
void vfs_show_filesystems(struct vfs *vfs, struct text *out);

/* --- The first root (initramfs.c) --- */

/**
 * Unpack an image below the root of @t: archives (cpio newc) one after the other, with any zeros
 * between them.
 *
 * @message  is filled with what is wrong, by name and offset, if something is
 * Returns 0, or -EINVAL (bad archive), -ENOSPC, -ENOMEM, ...; what came before is unpacked.
 */
int vfs_unpack(struct vfs_task *t, const void *image, u64 len, char *message, size_t message_len);

/** Make a file of @len bytes at @data. 0, or -ENOSPC or what open(2) says. */
int vfs_put_file(struct vfs_task *t, const char *path, u32 mode, const void *data, u64 len);

/* --- Devices (chrdev.c, devtmpfs.c) --- */

/**
 * Register character devices @major, @minor to @minor + @count - 1.
 *
 * @name  of the node in devtmpfs ("null"); NULL: no node
 * @ops   ops->open(t, inode, file) finds @arg in file->private
 */
int chrdev_register(struct vfs *vfs, u32 major, u32 minor, u32 count, const char *name, u32 mode,
		    const struct file_ops *ops, void *arg);

/* What /dev/kmsg reads and writes; either may be NULL. */
struct kmsg_ops {
	/* Record number *@seq or the next there is: sets *@seq to the number after it. Bytes or 0.
	 */
	s64 (*read)(void *arg, u64 *seq, char *buf, size_t size);
	void (*write)(void *arg, const char *line, size_t len);
	struct wait_queue *readable;
};
void vfs_set_kmsg(struct vfs *vfs, const struct kmsg_ops *ops, void *arg);

#endif
