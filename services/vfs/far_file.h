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

/** Is @file a proxy of another core's? */
bool file_is_far(const struct file *file);

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
