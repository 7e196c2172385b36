/*
 * Open files of other cores.
 *
 * An open file stays at the core that opened it, its home; where else a process has it there is a
 * proxy: a struct file whose operations ask the home. So a file has one position, one set of flags
 * and one queue of who waits, wherever it is used. There is one proxy of a file on a core, and on
 * its home none: what comes home becomes the file itself again.
 *
 *   file_export() here -> struct file_desc on its way, a reference of the core it goes to
 *                      -> file_import() there, or file_unexport() here if it does not go after all
 *
 * Used by: migration (descriptors, files that are mapped), files of far directories and devices.
 * Runs in: the personality, host tests. Calls marked "may wait" need a fiber.
 */
#ifndef VFS_FAR_FILE_H
#define VFS_FAR_FILE_H

#include <skerry/shard/file.h>
#include <vfs/file.h>

/**
 * Describe @file for @core, which gets a reference by it. May wait: a proxy's home is asked.
 *
 * Returns 0, -ENOMEM, -EIO (its home is dead); then nothing has happened.
 */
int file_export(struct file *file, u32 core, struct file_desc *out);

/** What was described for @core does not go there after all. Does not wait. */
void file_unexport(struct vfs *vfs, const struct file_desc *desc, u32 core);

/**
 * The open file that @desc, which was made for this core, describes: a reference of it.
 *
 * Takes over @desc's reference in any case. May wait (a device that is opened here).
 * Returns 0, -ENOMEM, -ENFILE, -EBADMSG, -EIO.
 */
int file_import(struct vfs *vfs, const struct file_desc *desc, struct file **out);

/* --- An instance among others --- */

struct shard_net;

/* What files of other cores need of the personality. All functions get @arg. */
struct far_file_env {
	/* Say who @t (NULL: nobody) is, for another core: bytes put to @who, at most @room. */
	u32 (*who)(void *arg, const struct vfs_task *t, void *who, u32 room);
	/* A task that does here what another core's asks for. NULL: -ENOMEM, or @who is bad. */
	struct vfs_task *(*task_begin)(void *arg, u32 core, const void *who, u32 bytes);
	void (*task_end)(void *arg, struct vfs_task *t);
};

#define FAR_WHO_MAX 1024u /* bytes of who asks */

/**
 * Let @vfs know the open files of the other cores of @net. Call it once.
 *
 * @devices  the core where terminals are, for those that have none
 * Returns 0 or -ENOMEM. Ended by far_files_leave(), when all proxies are gone.
 */
int far_files_join(struct vfs *vfs, struct shard_net *net, u32 devices,
		   const struct far_file_env *env, void *arg);
void far_files_leave(struct vfs *vfs);

/* Proxies that there are here, and files of this core that others know. */
u32 far_files_proxies(const struct vfs *vfs);
u32 far_files_exports(const struct vfs *vfs);

/* Is @file a proxy of another core's? */
bool file_is_far(const struct file *file);

/** Let @file->pos be what the home of a proxy that can seek says. Returns it, or an error. */
s64 file_seek_far(struct vfs_task *t, struct file *file);

/**
 * Kinds of files that are made anew where they arrive. @kind is FILE_KIND_REMADE or above.
 *
 * @make  the file that @desc describes: 0 or an error
 * Files of that kind fill in desc->kind and desc->aux by file_ops.describe.
 */
void file_register_kind(struct vfs *vfs, u32 kind,
			int (*make)(struct vfs *vfs, const struct file_desc *desc,
				    struct file **out));

/* --- Tables of descriptors, for a process that moves --- */

/** How many descriptors there are to describe. */
u32 fd_table_count(const struct fd_table *table);

/**
 * Describe all descriptors of @table for @core: @out has room for fd_table_count() of them. The
 * table stays as it is: once the process is there, fd_table_put(NULL, table).
 *
 * May wait; nobody may change the table meanwhile. 0, -ENOMEM, -EIO; on error nothing has happened.
 */
int fd_table_export(const struct fd_table *table, u32 core, struct fd_desc *out);

/** The process stays after all: give back what the @n descriptors in @desc are. Does not wait. */
void fd_table_unexport(struct vfs *vfs, const struct fd_desc *desc, u32 n, u32 core);

/**
 * The table that @desc describes, with one reference.
 *
 * @owner  fd_table_owner() of the table it comes from: record locks are that owner's
 * Takes over the references of all of @desc, also on error. May wait.
 * Returns 0, -ENOMEM, -ENFILE, -EBADMSG. A file whose home has died meanwhile gives -EIO later.
 */
int fd_table_import(struct vfs *vfs, const struct fd_desc *desc, u32 n, u64 owner,
		    struct fd_table **out);

/** Who owns the record locks that were set through @table; a number that no other core uses. */
u64 fd_table_owner(const struct fd_table *table);

#endif
