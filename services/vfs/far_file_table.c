/*
 * Tables of descriptors of processes that move. See far_file.h.
 *
 * The owner of record locks is the table, by a number that goes along with it; so the locks stay
 * where they are while the process moves.
 *
 * Runs in: the personality, host tests.
 */
#include "far_file_internal.h"
#include "fdtable.h"

#include <stdlib.h>

u32 fd_table_count(const struct fd_table *table)
{
	u32 n = 0;

	for (u32 i = 0; i < table->nslots; i++)
		n += table->slots[i].file != NULL;
	return n;
}

u64 fd_table_owner(const struct fd_table *table)
{
	return table->owner;
}

void fd_table_unexport(struct vfs *vfs, const struct fd_desc *desc, u32 n, u32 core)
{
	for (u32 i = 0; i < n; i++)
		file_unexport(vfs, &desc[i].file, core);
}

int fd_table_export(const struct fd_table *table, u32 core, struct fd_desc *out)
{
	u32 n = 0;

	for (u32 i = 0; i < table->nslots; i++) {
		const struct fd_slot *slot = &table->slots[i];
		int err;

		if (!slot->file)
			continue;
		out[n] = (struct fd_desc){.fd = i,
					  .flags = (slot->cloexec ? FD_DESC_CLOEXEC : 0) |
						   (table->locked ? FD_DESC_LOCKED : 0)};
		err = file_export(slot->file, core, &out[n].file);
		if (err) {
			fd_table_unexport(table->vfs, out, n, core);
			return err;
		}
		n++;
	}
	return 0;
}

/* The home of @desc's file is told that the owner of locks lives here now. */
static void tell_owner(struct far_files *all, const struct file_desc *desc, u64 owner)
{
	struct file_ask ask = {.id = desc->id, .arg = owner};

	if (desc->id && desc->home != all->self)
		shard_tell(all->net, desc->home, FILES_OWNER_MOVED, &ask, sizeof(ask));
}

static int import_one(struct fd_table *table, const struct fd_desc *desc)
{
	struct far_files *all = table->vfs->far_files;
	struct fd_slot *slot;
	struct file *file;
	int err = fd_table_grow(table, desc->fd);

	if (!err && table->slots[desc->fd].file)
		err = -EBADMSG;
	if (err) {
		file_unexport(table->vfs, &desc->file, all->self);
		return err;
	}
	if (desc->flags & FD_DESC_LOCKED) {
		table->locked = true;
		tell_owner(all, &desc->file, table->owner);
	}
	err = file_import(table->vfs, &desc->file, &file);
	if (err)
		return err;
	if (table->locked && desc->file.home == all->self && file->inode->locks)
		locks_owner_moved(file->inode, table->owner, all->self);
	slot = &table->slots[desc->fd];
	slot->file = file;
	slot->cloexec = desc->flags & FD_DESC_CLOEXEC;
	return 0;
}

int fd_table_import(struct vfs *vfs, const struct fd_desc *desc, u32 n, u64 owner,
		    struct fd_table **out)
{
	struct fd_table *table = vfs->far_files ? fd_table_new(vfs) : NULL;
	int err = table ? 0 : -ENOMEM;
	u32 i = 0;

	if (table)
		table->owner = owner;
	for (; i < n && !err; i++)
		err = import_one(table, &desc[i]);
	if (!err) {
		*out = table;
		return 0;
	}
	fd_table_unexport(vfs, desc + i, n - i, vfs->far_files ? vfs->far_files->self : 0);
	if (table)
		fd_table_put(NULL, table);
	return err;
}
