/*
 * Open files of other cores from inside. Private to services/vfs' far_*.c about open files.
 *
 * far_file.c: descriptions, proxies' lives. far_file_proxy.c: a proxy's operations, which ask the
 * home. far_file_export.c: files of this core that others know: references, watches.
 * far_file_serve.c: what others ask, performed here.
 */
#ifndef VFS_FAR_FILE_INTERNAL_H
#define VFS_FAR_FILE_INTERNAL_H

#include "internal.h"
#include <shard/handles.h>
#include <shard/shard.h>
#include <vfs/epoll.h>
#include <vfs/far_file.h>
#include <vfs/far_place.h>

#define FAR_BUCKETS     256u
#define FAR_QUEUES      4u               /* that one file's poll() may name */
#define FAR_DATA_MAX    (60u * (u32)KiB) /* bytes of data in one call */
#define FAR_SETTLE_KEEP FILE_WATCH_ALL

/* What an instance keeps of other cores' open files; vfs->far_files. */
struct far_files {
	struct vfs *vfs;
	struct shard_net *net;
	const struct far_file_env *env;
	void *arg;
	u32 self, devices;
	struct shard_handles exports;
	struct far_file *proxies[FAR_BUCKETS];
	u32 nproxies;
	struct fd_table *made; /* descriptors that calls for others have made */
	int (*make[FILE_KINDS])(struct vfs *vfs, const struct file_desc *desc, struct file **out);
};

/* A proxy: file->private. */
struct far_file {
	struct far_file *next;
	struct far_files *all;
	struct file *file;
	struct far_inode *inode; /* NULL: it is open on something in the tree */
	u64 id;
	u32 home;
	u32 held;   /* references of the home's that are ours */
	u32 weak;   /* and such that do not keep the file open */
	u32 traits; /* FILE_HAS_* */
	u64 aux;    /* of a pseudo-terminal's master: its number */
	u32 events, seq;
	u32 settling; /* calls that are about to poll: the watch stays */
	bool known;   /* events has been told */
	bool dead;    /* the home is */
	struct wait_queue queue;
};

/* What a proxy that has no place in the tree is open on. */
struct far_inode {
	struct inode inode;   /* first */
	struct far_file *far; /* NULL: closed */
};

/* How many references of a file are a core's, and what that core wants to be told. */
struct export_ref {
	struct export_ref *next;
	u32 core, count;
	u32 weak;  /* as many that do not keep the file open: of sets that watch it */
	u32 watch; /* FILE_WATCH_* */
};

/* A file of this core that others know: file->exported. */
struct export
{
	struct far_files *all;
	struct file *file; /* a reference, if there is any that is not weak */
	u64 id;
	struct export_ref *refs;
	u32 strong; /* those who have such */
	u32 seq;
	u32 busy; /* calls that use it */
	u32 nentries;
	struct export_entry {
		struct wait_entry entry;
		struct export *export;
	} entries[FAR_QUEUES];
};

/* --- far_file_export.c --- */

/* One more reference (@weak: that does not keep it open) of @file for @core: its number, or 0 (no
 * memory). */
u64 export_add(struct far_files *all, struct file *file, u32 core, bool weak);
struct export *export_find(const struct far_files *all, u64 id);
struct export_ref *export_ref_of(const struct export *export, u32 core);
/* @count references of @core are given back. */
void export_drop(struct export *export, u32 core, u64 count, bool weak);
/* @core wants to be told: FILE_WATCH_*. -ENOMEM. */
void export_watch(struct export *export, struct export_ref *ref, u32 watch);
/* What holds now, and the number of that look. */
void export_look(struct export *export, struct file_answer *answer);
void export_core_died(struct far_files *all, u32 core);

/* --- far_file_serve.c --- */
int far_serve_all(struct far_files *all);

/* --- far_file.c --- */
void file_describe(struct file *file, struct file_desc *desc);
/* The proxy of @id on @home; NULL: there is none. */
struct far_file *far_find(struct far_files *all, u32 home, u64 id);
/* @file, which has no operations yet, becomes the proxy that @desc says. Takes over its reference.
 */
int far_attach(struct far_files *all, struct file *file, const struct file_desc *desc);
bool desc_is_good(const struct far_files *all, const struct file_desc *desc);
void far_send_drop(struct far_files *all, u32 home, u64 id, u32 core, u32 count, bool weak);
/* file_export(); @weak: the reference does not keep the file open. */
int file_export_as(struct file *file, u32 core, bool weak, struct file_desc *out);

/* --- far_file_inode.c --- */

extern const struct inode_ops far_inode_ops;
extern const struct file_ops far_reopen_ops;
void far_attr_of(const struct inode *inode, struct file_attr *attr);

/* --- far_file_proxy.c --- */

extern const struct file_ops far_path_ops;
/* The operations of a proxy of these traits. */
const struct file_ops *far_ops_of(u32 traits);

/* A question to a file's home. */
struct far_call {
	u16 op;
	bool interruptible;
	struct file_ask ask;
	const void *data;
	u32 bytes;
	struct file_answer answer;
	void *out;
	u32 room, got; /* of out */
};

/* Ask; a dead home is -EIO. What the home said of readiness is noted. */
s64 far_ask(struct vfs_task *t, struct far_file *far, struct far_call *call);
/* The same of a core, about no file. */
s64 far_ask_core(struct far_files *all, struct vfs_task *t, u32 core, struct far_call *call);
/* Readiness as the home told it; older news are ignored. */
void far_note(struct far_file *far, u32 events, u32 seq);
/* The home has closed the file, which is only watched here. */
void far_gone(struct far_file *far);
/* The home tells of a change. */
void far_changed(struct far_file *far, const struct file_change *change);
void far_core_died(struct far_files *all, u32 core);

/* --- far_file_inode.c, opening at another core --- */

/* @file, which is being opened, becomes the proxy that the answer of @call describes. */
int far_opened(struct far_files *all, struct file *file, const struct far_call *call);

/* --- far_epoll.c --- */
s64 far_epoll_serve_change(struct vfs_task *t, struct file *set, const struct file_ask *ask,
			   const void *data, u32 bytes);
s64 far_epoll_serve_wait(struct vfs_task *t, struct file *set, const struct file_ask *ask,
			 struct epoll_event_abi *events, u32 max);

/* --- far_splice.c --- */
s64 far_splice_serve(struct vfs_task *t, struct file_splice *carried);

/* --- far_tty.c --- */
int far_tty_serve(struct far_files *all);

#endif
